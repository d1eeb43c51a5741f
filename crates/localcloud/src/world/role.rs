//! A role of IAM, and who may assume it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tags::Tags;

use crate::clock::Millis;
use crate::options::ACCOUNT;

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: Millis,
    pub(crate) trust: String,
    /// Lambda cannot assume it before this moment, although GetRole returns it at once.
    pub(crate) assumable_from: Millis,
    /// When it last lost a policy.
    #[serde(default)]
    pub(crate) detached: Millis,
    pub(crate) description: Option<String>,
    pub(crate) max_session: u32,
    pub(crate) boundary: Option<String>,
    pub(crate) inline: BTreeMap<String, String>,
    /// ARN to name, in the order of the ARNs.
    pub(crate) attached: BTreeMap<String, String>,
    pub(crate) tags: Tags,
}

impl Role {
    /// Whether Lambda may assume this role now.
    pub(crate) fn assumable(&self, now: Millis) -> bool {
        now >= self.assumable_from && self.trusts_lambda()
    }

    /// Whether the trust policy names Lambda.
    pub(crate) fn trusts_lambda(&self) -> bool {
        trusts(&self.trust, "Service", &|service| service == "lambda.amazonaws.com")
    }

    /// Whether a caller of this account may assume it now: it is trusted by its name, or the whole account is.
    pub(crate) fn lets_in(&self, now: Millis, caller: &str) -> bool {
        let root = format!(":iam::{ACCOUNT}:root");
        let account = |trusted: &str| [ACCOUNT, "*"].contains(&trusted) || trusted.ends_with(&root);
        now >= self.assumable_from && trusts(&self.trust, "AWS", &|trusted| trusted == caller || account(trusted))
    }
}

/// Whether a trust policy allows a principal to assume the role. Conditions are not evaluated.
fn trusts(document: &str, kind: &str, wanted: &dyn Fn(&str) -> bool) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return false };
    let matches = |value: &Value, wanted: &dyn Fn(&str) -> bool| match value {
        Value::String(text) => wanted(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).any(wanted),
        _ => false,
    };
    statements(&document).iter().any(|statement| {
        statement["Effect"] == "Allow"
            && (matches(&statement["Principal"][kind], wanted) || statement["Principal"] == "*" && kind == "AWS")
            && matches(&statement["Action"], &|text| matches!(text, "sts:AssumeRole" | "sts:*" | "*"))
    })
}

/// The statements of a policy; a single one may be written without a list.
pub(crate) fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::trusts;

    #[test]
    fn a_trust_policy_must_name_lambda_and_the_action() {
        let policy = |service: &str, action: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"Service":{service}}},"Action":{action}}}}}"#
            )
        };
        let lambda = |document: &str| trusts(document, "Service", &|service| service == "lambda.amazonaws.com");
        assert!(lambda(&policy(r#"["a","lambda.amazonaws.com"]"#, r#""sts:AssumeRole""#)));
        assert!(!lambda(&policy(r#""ec2.amazonaws.com""#, r#""sts:AssumeRole""#)));
        assert!(!lambda(&policy(r#""lambda.amazonaws.com""#, r#""sts:TagSession""#)));
    }
}
