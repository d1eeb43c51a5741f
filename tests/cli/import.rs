//! `lamstream import sam`: what is written where, what is said of it, and what never happens.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use crate::support::bench::Bench;
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../crates/import/tests/fixtures/01-web-app.yaml");
const WITH_EVENTS: &str = include_str!("../../crates/import/tests/fixtures/14-events.yaml");

/// A template whose worker needs the name of a queue.
fn with_queue() -> String {
    let variables = "      Environment: {Variables: {QUEUE: !Ref Jobs}}\n      Events:\n";
    WITH_EVENTS
        .replace("      Events:\n", variables)
        .replace("  Uploads:", "  Jobs: {Type: AWS::SQS::Queue}\n  Uploads:")
}

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
    assert_eq!(said(&output.stderr), "wrote `deploy.toml`; everything was imported\n");
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
fn what_is_left_over_is_reported_and_is_the_exit_code() {
    let bench = bench("template.yml", &with_queue());
    let output = bench.run(&["import", "sam"]);
    assert_eq!(output.status.code(), Some(3));
    let story = said(&output.stderr);
    assert!(
        story.contains("template.yml:14: Resources.Worker.Properties.Events.Nightly: the event `Schedule`"),
        "{story}"
    );
    let summary = "1 of which blocks a deploy: see above, or the manifest's comments\n";
    assert!(story.ends_with(summary), "{story}");
    // What blocks a deploy is the last line before the summary.
    assert!(story.lines().rev().nth(1).unwrap().contains("Variables.QUEUE: refers to `Jobs`"), "{story}");

    let (document, code) = bench.json(&["import", "sam", "--out", "second.toml"]);
    assert_eq!((code, &document["command"], &document["ok"]), (3, &json!("import sam"), &json!(true)));
    assert_eq!((&document["out"], &document["manifest"]), (&json!("second.toml"), &Value::Null));
    let left = document["left_over"].as_array().unwrap();
    assert_eq!(story.lines().count(), left.len() + 1);
    let keys: Vec<&str> = left[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["advice", "blocks", "file", "line", "path", "what"]);
    assert_eq!(left.iter().filter(|one| one["blocks"] == json!(true)).count(), 1);
    assert_eq!((&left[0]["file"], &left[0]["line"]), (&json!("template.yml"), &json!(11)));

    let (document, _) = bench.json(&["import", "sam", "--out", "-"]);
    assert_eq!(document["out"], Value::Null);
    assert_eq!(document["manifest"], std::fs::read_to_string(bench.path("second.toml")).unwrap());
}

/// Other things call the function, and other stacks read the outputs: a deploy needs none of that.
#[test]
fn what_does_not_block_a_deploy_is_not_an_error() {
    let bench = bench("template.yaml", WITH_EVENTS);
    let output = bench.run(&["import", "sam"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output.stderr).contains("9 items were not imported, none of which blocks a deploy"), "{output:?}");
}

#[test]
fn an_image_is_proposed_from_the_dockerfile_beside_the_template() {
    let template = "Transform: AWS::Serverless-2016-10-31\nResources:\n  Chat:\n    Type: AWS::Serverless::Function\n    \
                    Properties: {PackageType: Image, Timeout: 9, FunctionUrlConfig: {AuthType: NONE}}\n    \
                    Metadata: {DockerContext: ./chat}\n";
    let bench = bench("infra/template.yaml", template);
    std::fs::create_dir_all(bench.path("infra/chat/src")).unwrap();
    let adapter = "public.ecr.aws/awsguru/aws-lambda-adapter:1.0.0-rc1";
    let text = format!(
        "FROM python:3.13-slim\nCOPY --from={adapter} /lambda-adapter /opt/extensions/lambda-adapter\nWORKDIR /app\n\
         COPY src/ .\nRUN pip install -r requirements.txt\nENV PORT=8000\nCMD exec uvicorn --port=$PORT main:app\n"
    );
    bench.write("infra/chat/Dockerfile", &text);
    let output = bench.run(&["import", "sam", "infra/template.yaml"]);
    assert_eq!((output.status.code(), said(&output.stderr).lines().count()), (Some(0), 1), "{output:?}");
    let manifest = std::fs::read_to_string(bench.path("deploy.toml")).unwrap();
    for line in ["web = \"infra/chat/src\"", "run = \"python -m uvicorn --port=$PORT main:app\"", "port = 8000"] {
        assert!(manifest.contains(line), "{line}\n{manifest}");
    }
}

#[test]
fn an_account_is_twelve_digits() {
    let queue = "!Sub 'arn:aws:sqs:eu-central-1:${AWS::AccountId}:jobs'";
    let template = with_queue().replace("!Ref Jobs", queue);
    let bench = bench("template.yaml", &template);
    let output = bench.run(&["import", "sam", "--account", "123"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output.stderr).contains("expected twelve digits, such as `123456789012`"), "{output:?}");
    let printed = bench.good(&["import", "sam", "--account", "123456789012", "--out", "-"]);
    for line in ["account = \"123456789012\"", "QUEUE = \"arn:aws:sqs:eu-central-1:123456789012:jobs\""] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
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
    // Beside the template, the app is called like the current directory.
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
    for (template, hint) in [
        (image.as_str(), "`Chat`: its container image is not built from a Dockerfile of the template"),
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
