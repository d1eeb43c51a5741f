//! Calls that prepare something on a local cloud, made by curl, which signs them itself.

use super::bench::{Bench, said};
use std::process::Command;

/// A key pair, and the endpoint that accepts it.
#[derive(Clone)]
pub struct Keys {
    pub endpoint: String,
    pub region: String,
    pub id: String,
    pub secret: String,
}

impl Keys {
    /// The account's own at the bench's local cloud, which is started if need be.
    pub fn of(bench: &Bench) -> Keys {
        let variables = bench.aws_variables();
        let value = |name: &str| variables.iter().find(|(found, _)| found == name).expect("it is exported").1.clone();
        Keys {
            endpoint: value("AWS_ENDPOINT_URL"),
            region: value("AWS_REGION"),
            id: value("AWS_ACCESS_KEY_ID"),
            secret: value("AWS_SECRET_ACCESS_KEY"),
        }
    }

    fn curl(&self, service: &str, headers: &[&str], body: &str) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--aws-sigv4", &format!("aws:amz:{}:{service}", self.region)]);
        curl.args(["--user", &format!("{}:{}", self.id, self.secret), "--data-raw", body]);
        curl.args(headers.iter().flat_map(|header| ["-H", *header]));
        let output = curl.arg(&self.endpoint).output().expect("curl runs");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).expect("utf-8")
    }

    /// An operation of a service that speaks JSON 1.1, such as `AmazonSSM.PutParameter`.
    pub fn json(&self, target: &str, body: &serde_json::Value) -> serde_json::Value {
        let service = if target.starts_with("AmazonSSM.") { "ssm" } else { "secretsmanager" };
        let headers = [&format!("x-amz-target: {target}"), "content-type: application/x-amz-json-1.1"];
        let answer = self.curl(service, &headers, &body.to_string());
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer.get("__type"), None, "{answer}");
        answer
    }

    /// An operation of IAM or STS.
    pub fn query(&self, service: &str, body: &str) -> String {
        let answer = self.curl(service, &[], body);
        assert!(!answer.contains("<Error>"), "{answer}");
        answer
    }
}
