//! `lamstream import sam`: what is written where, what is said of it, and what never happens.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::Bench;
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../crates/import/tests/fixtures/01-web-app.yaml");
const WITH_EVENTS: &str = include_str!("../../crates/import/tests/fixtures/14-events.yaml");

/// A directory with a template, and without a manifest.
fn bench(name: &str, template: &str) -> Bench {
    let bench = Bench::new("");
    std::fs::remove_file(bench.path("deploy.toml")).unwrap();
    if let Some(parent) = bench.path(name).parent() {
        std::fs::create_dir_all(parent).unwrap();
    }
    bench.write(name, template);
    bench
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_template_becomes_a_manifest_that_lamstream_reads() {
    let bench = bench("template.yaml", TEMPLATE);
    bench.write("samconfig.toml", "version = 0.1\n[default.deploy.parameters]\nstack_name = \"shop\"\n");
    let output = bench.run(&["import", "sam"]);
    assert_eq!((output.status.code(), said(&output.stdout)), (Some(0), String::new()));
    assert_eq!(said(&output.stderr), "wrote `deploy.toml`; nothing was left over\n");
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
    assert!(manifest.contains("app = \"shop\"\n") && manifest.contains("web = \"app\"\n"), "{manifest}");
    // Another command takes it for a manifest, and knows what is not there yet.
    let output = bench.run(&["url", "--local"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stderr).contains("function `Chat` has no URL: it is not deployed"), "{output:?}");
}

#[test]
fn a_manifest_that_exists_stays_as_it_is() {
    let bench = bench("template.yaml", TEMPLATE);
    bench.write("deploy.toml", "mine");
    let output = bench.run(&["import", "sam"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output.stderr).starts_with("error: `deploy.toml` exists and will not be overwritten\n"),
        "{output:?}"
    );
    assert_eq!(std::fs::read_to_string(bench.path("deploy.toml")).unwrap(), "mine");
    let output = bench.run(&["import", "sam", "--out", "other.toml"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = bench.good(&["import", "sam", "--out", "-"]);
    assert_eq!(printed, std::fs::read_to_string(bench.path("other.toml")).unwrap());
    assert!(!bench.path("-").exists());
}

#[test]
fn what_is_left_over_is_told_and_is_the_exit_code() {
    let bench = bench("template.yml", WITH_EVENTS);
    let output = bench.run(&["import", "sam"]);
    assert_eq!(output.status.code(), Some(3));
    let story = said(&output.stderr);
    assert!(
        story.contains("template.yml:13: Resources.Worker.Properties.Events.Nightly: the event `Schedule`"),
        "{story}"
    );
    assert!(story.ends_with("items were left over: see above, or their comments in the manifest\n"), "{story}");

    let (document, code) = bench.json(&["import", "sam", "--out", "second.toml"]);
    assert_eq!((code, &document["command"], &document["ok"]), (3, &json!("import sam"), &json!(true)));
    assert_eq!((&document["out"], &document["manifest"]), (&json!("second.toml"), &Value::Null));
    let left = document["left_over"].as_array().unwrap();
    assert_eq!(story.lines().count(), left.len() + 1);
    let keys: Vec<&str> = left[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["advice", "file", "line", "path", "what"]);
    assert_eq!((&left[0]["file"], &left[0]["line"]), (&json!("template.yml"), &json!(12)));

    let (document, _) = bench.json(&["import", "sam", "--out", "-"]);
    assert_eq!(document["out"], Value::Null);
    assert_eq!(document["manifest"], std::fs::read_to_string(bench.path("second.toml")).unwrap());
}

#[test]
fn paths_lead_from_the_manifest_to_the_code() {
    let bench = bench("infra/template.json", "{}");
    bench.write("infra/template.json", TEMPLATE);
    for (arguments, expected) in [
        (vec!["import", "sam", "infra/template.json", "--out", "-"], "web = \"infra/app\"\n"),
        (vec!["import", "sam", "infra/template.json", "--out", "infra/deploy.toml"], "web = \"app\"\n"),
        (vec!["import", "sam", "infra/template.json", "--out", "cloud/deploy.toml"], "web = \"../infra/app\"\n"),
    ] {
        std::fs::create_dir_all(bench.path("cloud")).unwrap();
        let printed = bench.good(&arguments);
        let text =
            if printed.is_empty() { std::fs::read_to_string(bench.path(arguments[4])).unwrap() } else { printed };
        assert!(text.contains(expected), "{expected}{text}");
        assert!(text.contains("app = \"infra\"\n"), "{text}");
    }
    // Beside the template, the app is called as the directory at hand.
    let output =
        bench.command(&["import", "sam", "template.json", "--out", "-"]).current_dir(bench.path("infra")).output();
    assert!(said(&output.unwrap().stdout).contains("app = \"infra\"\n"));
}

/// As for every other command: what is typed, what the shell says, what a file says.
#[test]
fn the_region_is_the_shells_before_the_files() {
    let bench = bench("template.yaml", TEMPLATE);
    bench.write("samconfig.toml", "version = 0.1\n[default.deploy.parameters]\nregion = \"eu-west-3\"\n");
    for (variables, arguments, region) in [
        (vec![], vec![], "eu-west-3"),
        (vec![("AWS_REGION", "")], vec![], "eu-west-3"),
        (vec![("AWS_DEFAULT_REGION", "eu-west-1")], vec![], "eu-west-1"),
        (vec![("AWS_REGION", "eu-central-1"), ("AWS_DEFAULT_REGION", "eu-west-1")], vec![], "eu-central-1"),
        (vec![("AWS_REGION", "eu-central-1")], vec!["--region", "eu-north-1"], "eu-north-1"),
    ] {
        let arguments = [vec!["import", "sam", "--out", "-"], arguments].concat();
        let mut command = bench.command(&arguments);
        command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION").envs(variables);
        let printed = said(&command.output().unwrap().stdout);
        assert!(printed.contains(&format!("region = \"{region}\"\n")), "{region}\n{printed}");
    }
}

#[test]
fn errors_say_what_to_do() {
    let head = "Transform: AWS::Serverless-2016-10-31\nResources:\n  Chat: {Type: AWS::Serverless::Function, ";
    let image = format!("{head}Properties: {{PackageType: Image}}}}\n");
    let twice = format!("{head}Properties: {{Timeout: 3, Timeout: 4}}}}\n");
    for (template, hint) in [
        (image.as_str(), "`Chat`: container images are not supported by lamstream; keep it in SAM, or deploy"),
        (twice.as_str(), "delete one of them: SAM uses the last one, in line 3"),
        ("Resources: {}\n", "pass the source template, not the output of `sam build` or `sam package`"),
    ] {
        let bench = bench("template.yaml", template);
        let (document, code) = bench.json(&["import", "sam"]);
        assert_eq!(code, 2, "{document}");
        assert!(document["error"]["hints"][0].as_str().unwrap().starts_with(hint), "{document}");
    }
    let (document, _) = bench("template.yaml", "").json(&["import", "sam", "nowhere.yaml"]);
    assert!(document["error"]["hints"][0].as_str().unwrap().starts_with("name an existing template"), "{document}");
}

#[test]
fn no_template_and_a_broken_one_write_nothing() {
    let bench = bench("other.yaml", "Resources: [\n");
    for (arguments, message) in [
        (
            vec!["import", "sam"],
            "error: found no `template.yaml`, `template.yml` or `template.json` in this directory\n",
        ),
        (vec!["import", "sam", "nowhere.yaml"], "error: cannot read `nowhere.yaml`: "),
        (vec!["import", "sam", "other.yaml"], "error: cannot import the template: other.yaml:2:1: not valid YAML: "),
    ] {
        let output = bench.run(&arguments);
        assert_eq!((output.status.code(), said(&output.stdout)), (Some(2), String::new()));
        assert!(said(&output.stderr).starts_with(message), "{message}{}", said(&output.stderr));
    }
    let (document, code) = bench.json(&["import", "sam", "other.yaml"]);
    assert_eq!((code, &document["error"]["kind"], &document["left_over"]), (2, &json!("manifest"), &Value::Null));
    assert!(!bench.path("deploy.toml").exists());
}
