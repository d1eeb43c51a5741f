//! Calls that prepare something on a local cloud, made by curl, which signs them itself.

use super::bench::{Bench, said};
use std::process::Command;

/// A key pair, and the endpoint that accepts it.
#[derive(Clone)]
pub(crate) struct Keys {
    pub endpoint: String,
    pub region: String,
    pub id: String,
    pub secret: String,
}

impl Keys {
    /// The account's own at the bench's local cloud, which is started if need be.
    pub(crate) fn of(bench: &Bench) -> Keys {
        bench.good(&["local", "start"]);
        Keys::of_running(bench)
    }

    /// The same, if the cloud was started with other limits.
    pub(crate) fn of_running(bench: &Bench) -> Keys {
        let variables = bench.variables();
        let value = |name: &str| variables.iter().find(|(found, _)| found == name).expect("it is exported").1.clone();
        Keys {
            endpoint: value("AWS_ENDPOINT_URL"),
            region: value("AWS_REGION"),
            id: value("AWS_ACCESS_KEY_ID"),
            secret: value("AWS_SECRET_ACCESS_KEY"),
        }
    }

    fn curl(&self, service: &str, headers: &[&str], body: &str) -> String {
        self.curl_at("", &[], service, headers, body)
    }

    fn curl_at(&self, path: &str, options: &[&str], service: &str, headers: &[&str], body: &str) -> String {
        let mut curl = Command::new("curl");
        curl.args(options);
        curl.args(["-sS", "--aws-sigv4", &format!("aws:amz:{}:{service}", self.region)]);
        curl.args(["--user", &format!("{}:{}", self.id, self.secret), "--data-raw", body]);
        curl.args(headers.iter().flat_map(|header| ["-H", *header]));
        let output = curl.arg(format!("{}{path}", self.endpoint)).output().expect("curl runs");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).expect("utf-8")
    }

    /// An operation of a service that speaks JSON 1.1, such as `AmazonSSM.PutParameter`.
    pub(crate) fn json(&self, target: &str, body: &serde_json::Value) -> serde_json::Value {
        let service = match target.split_once('.') {
            Some(("AmazonSSM", _)) => "ssm",
            Some(("Logs_20140328", _)) => "logs",
            _ => "secretsmanager",
        };
        let headers = [&format!("x-amz-target: {target}"), "content-type: application/x-amz-json-1.1"];
        let mut body = body.clone();
        if ["secretsmanager.CreateSecret", "secretsmanager.PutSecretValue"].contains(&target) {
            // Every SDK sends one, different for each call.
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("the clock is right").as_nanos();
            body["ClientRequestToken"] = format!("{now:032}").into();
        }
        let answer = self.curl(service, &headers, &body.to_string());
        if answer.is_empty() {
            return serde_json::Value::Null;
        }
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer.get("__type"), None, "{answer}");
        answer
    }

    /// UpdateFunctionConfiguration, behind lamstream's back.
    pub(crate) fn configure(&self, function: &str, body: &serde_json::Value) -> serde_json::Value {
        let answer = self.put(&format!("/2015-03-31/functions/{function}/configuration"), body);
        assert_eq!(answer["FunctionName"], function, "{answer}");
        answer
    }

    /// A PUT of Lambda.
    pub(crate) fn put(&self, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let answer =
            self.curl_at(path, &["-X", "PUT"], "lambda", &["content-type: application/json"], &body.to_string());
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer.get("message"), None, "{answer}");
        answer
    }

    /// An operation of IAM or STS.
    pub(crate) fn query(&self, service: &str, body: &str) -> String {
        let answer = self.curl(service, &[], body);
        assert!(!answer.contains("<Error>"), "{answer}");
        answer
    }
}
