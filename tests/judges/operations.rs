//! boto3 and the aws CLI drive every operation that the local cloud's README lists.

use crate::cloud::{Cloud, good};
use crate::support::bench::function_zip;
use crate::support::python::python;
use std::path::Path;
use std::time::Duration;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn judge(client: &str, service: &str) {
    let Some(bin) = python() else { return };
    // Long enough for a call to come while an update is in progress, on a machine that is busy with other tests.
    let cloud = Cloud::start(|options| options.update = Duration::from_secs(1));
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/localcloud/README.md");
    let zip = function_zip();
    print!("{}", good(cloud.script(&bin, "operations.py").arg(service).arg(readme).arg(zip).arg(client)));
}

#[test]
fn every_operation_of_sts_answers_as_the_model_says() {
    judge("boto3", "sts");
}

#[test]
fn every_operation_of_iam_answers_as_the_model_says() {
    judge("boto3", "iam");
}

#[test]
fn every_operation_of_logs_answers_as_the_model_says() {
    judge("boto3", "logs");
}

#[test]
fn every_operation_of_lambda_answers_as_the_model_says() {
    judge("boto3", "lambda");
}

#[test]
fn every_operation_of_parameter_store_answers_as_the_model_says() {
    judge("boto3", "ssm");
}

#[test]
fn every_operation_of_secrets_manager_answers_as_the_model_says() {
    judge("boto3", "secretsmanager");
}

#[test]
fn every_operation_of_s3_answers_as_the_model_says() {
    judge("boto3", "s3");
}

#[test]
fn the_aws_cli_drives_every_operation() {
    for service in ["sts", "iam", "logs", "lambda", "ssm", "secretsmanager", "s3"] {
        judge("cli", service);
    }
}

/// The CLI's own processes: parameters as people type them, its waiters, its output.
#[test]
fn the_aws_cli_gets_along() {
    let Some(bin) = python() else { return };
    let cloud = Cloud::start(|_| {});
    let aws = |arguments: &[&str]| {
        println!("aws {}", arguments[..2].join(" "));
        good(cloud.foreign(bin.join("aws")).args(arguments)).trim().to_owned()
    };
    let text = |query: &str, arguments: &[&str]| aws(&[arguments, &["--query", query, "--output", "text"]].concat());
    assert_eq!(text("Account", &["sts", "get-caller-identity"]), localcloud::ACCOUNT);
    let role = text(
        "Role.Arn",
        &[
            "iam",
            "create-role",
            "--role-name",
            "judge",
            "--assume-role-policy-document",
            TRUST,
            "--tags",
            "Key=a,Value=b",
        ],
    );
    aws(&["logs", "create-log-group", "--log-group-name", "/aws/lambda/judge"]);
    aws(&["logs", "put-retention-policy", "--log-group-name", "/aws/lambda/judge", "--retention-in-days", "7"]);
    let zip = format!("fileb://{}", function_zip().display());
    let name = ["--function-name", "judge"];
    let create = ["lambda", "create-function", "--runtime", "provided.al2023", "--handler", "bootstrap"];
    let more = ["--role", &role, "--zip-file", &zip, "--environment", "Variables={KEY=value}"];
    assert_eq!(text("State", &[&create[..], &name, &more].concat()), "Pending");
    aws(&[&["lambda", "wait", "function-active-v2"][..], &name].concat());
    assert_eq!(text("Version", &[&["lambda", "publish-version"][..], &name].concat()), "1");
    aws(&[&["lambda", "wait", "published-version-active"][..], &name, &["--qualifier", "1"]].concat());
    let alias = ["--name", "live", "--function-version", "1"];
    aws(&[&["lambda", "create-alias"][..], &name, &alias].concat());
    let live = [&name[..], &["--qualifier", "live"]].concat();
    let url = ["lambda", "create-function-url-config", "--auth-type", "NONE", "--invoke-mode", "RESPONSE_STREAM"];
    let url = text("FunctionUrl", &[&url[..], &live].concat());
    let statement = ["--statement-id", "one", "--principal", "*", "--action", "lambda:InvokeFunctionUrl"];
    let none = ["--function-url-auth-type", "NONE"];
    aws(&[&["lambda", "add-permission"][..], &live, &statement, &none].concat());
    let statement = ["--statement-id", "two", "--principal", "*", "--action", "lambda:InvokeFunction"];
    aws(&[&["lambda", "add-permission"][..], &live, &statement, &["--invoked-via-function-url"]].concat());
    assert!(good(cloud.foreign("curl").args(["-sS", "--fail", &url])).contains("/stream/chat"));
    let out = cloud.data.path().join("answer");
    let event = r#"{"rawPath":"/","requestContext":{"http":{"method":"GET"}}}"#;
    let invoke = ["lambda", "invoke", "--payload", event, "--log-type", "Tail"];
    let outfile = out.to_str().expect("utf-8");
    assert_eq!(text("StatusCode", &[&invoke[..], &live, &[outfile]].concat()), "200");
    assert!(String::from_utf8_lossy(&std::fs::read(&out).expect("the answer")).contains("/stream/chat"));
    let filter = ["logs", "filter-log-events", "--log-group-name", "/aws/lambda/judge", "--filter-pattern", "REPORT"];
    assert_eq!(text("events[].message", &filter).matches("REPORT").count(), 2);
    let put = ["ssm", "put-parameter", "--type", "SecureString", "--value", "a value"];
    assert_eq!(text("Version", &[&put[..], &["--name", "/judge"]].concat()), "1");
    let get = ["ssm", "get-parameter", "--with-decryption", "--name", "/judge"];
    assert_eq!(text("Parameter.Value", &get), "a value");
    aws(&["secretsmanager", "create-secret", "--name", "judge", "--secret-string", "another value"]);
    let get = ["secretsmanager", "get-secret-value", "--secret-id", "judge"];
    assert_eq!(text("SecretString", &get), "another value");
    let unknown = cloud.foreign(bin.join("aws")).args(["lambda", "get-function", "--function-name", "none"]).output();
    let said = String::from_utf8(unknown.expect("the CLI runs").stderr).expect("utf-8");
    assert!(said.contains("(ResourceNotFoundException)") && said.contains("Function not found"), "{said}");
}
