//! Stages: which there are, and what choosing one changes.

use lamstream::manifest::parse;

const TEXT: &str = r#"
app = "shop"
region = "eu-central-1"
[functions.chat]
crate = "chat"
memory = 256
environment = { A1 = "one", B1 = "two" }
url = { auth = "none", cors = { max_age = 5, allow_methods = ["GET", "POST"] } }
[stages.dev]
[stages.prod]
region = "us-east-1"
functions.chat.environment = { B1 = "three" }
functions.chat.url.cors.allow_methods = ["GET"]
"#;

fn refusal(text: &str, stage: &str) -> String {
    parse(text, Some(stage)).unwrap_err().render("deploy.toml", text)
}

#[test]
fn tables_merge_and_anything_else_replaces() {
    let manifest = parse(TEXT, Some("prod")).unwrap();
    assert_eq!((manifest.stage.as_deref(), manifest.region.as_deref()), (Some("prod"), Some("us-east-1")));
    assert_eq!(manifest.stages, ["dev", "prod"]);
    let chat = &manifest.functions[0];
    assert_eq!(chat.settings.memory, 256);
    let environment: Vec<_> = chat.environment.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
    assert_eq!(environment, [("A1", "one"), ("B1", "three")]);
    let cors = chat.url.as_ref().unwrap().cors.as_ref().unwrap();
    assert_eq!(cors.max_age, Some(5));
    assert_eq!(Vec::from_iter(&cors.allow_methods), ["GET"]);
}

#[test]
fn no_stage_is_applied_unless_one_is_named() {
    let manifest = parse(TEXT, None).unwrap();
    assert_eq!((manifest.stage, manifest.region.as_deref()), (None, Some("eu-central-1")));
}

#[test]
fn an_empty_stage_only_renames() {
    let (bare, dev) = (parse(TEXT, None).unwrap(), parse(TEXT, Some("dev")).unwrap());
    assert_eq!(bare.functions, dev.functions);
    let name = |manifest: &lamstream::manifest::Manifest| {
        manifest.names(&manifest.functions[0], "eu-central-1", "123456789012").function_name()
    };
    assert_eq!((name(&bare).as_str(), name(&dev).as_str()), ("shop-chat", "shop-dev-chat"));
}

#[test]
fn an_unknown_stage_is_refused() {
    let expected = "deploy.toml: no stage `prdo`; did you mean `prod`? (the stages are `dev` and `prod`)";
    assert_eq!(refusal(TEXT, "prdo"), expected);
    assert_eq!(refusal(TEXT, "qa"), "deploy.toml: no stage `qa`, expected one of `dev`, `prod`");
    let without = "app = 'shop'\nfunctions.chat.crate = 'chat'\n";
    let expected = "deploy.toml: no stage `qa`: the manifest has no stages, expected a table `[stages.qa]`";
    assert_eq!(refusal(without, "qa"), expected);
}

#[test]
fn a_stage_that_is_not_chosen_must_be_right_too() {
    let text = format!("{TEXT}functions.chat.memory = 1\n");
    let expected = "deploy.toml:14:25: in stage `prod`: `memory` is 1, expected 128 to 10240 MB\n";
    for stage in [None, Some("dev"), Some("prod")] {
        let shown = parse(&text, stage).unwrap_err().render("deploy.toml", &text);
        assert!(shown.starts_with(expected), "{shown}");
    }
}

/// What is wrong without any stage is wrong with each, and said once.
#[test]
fn a_problem_is_reported_once() {
    let text = TEXT.replace("memory = 256", "memory = 1");
    assert_eq!(parse(&text, Some("dev")).unwrap_err().iter().count(), 1);
}
