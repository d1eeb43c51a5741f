//! The resource policy of one qualifier, and whether it makes a URL public.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Millis;

/// A policy: statements in the order they were added.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) statements: Vec<Statement>,
    /// The RevisionId of its function, version or alias after the last change.
    #[serde(default)]
    pub(crate) revision: String,
}

/// One statement, in AWS's form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) id: String,
    pub(crate) added: Millis,
    pub(crate) document: Value,
}

impl Policy {
    /// The document, as GetPolicy returns it.
    pub(crate) fn document(&self) -> String {
        let statements: Vec<_> = self.statements.iter().map(|statement| &statement.document).collect();
        json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()
    }

    /// Whether a URL can be called without a signature. This needs both statements, and both must be older than `lag`.
    pub(crate) fn opens_url(&self, now: Millis, lag: Millis) -> bool {
        let stands = |action: &str, operator: &str, key: &str, value: &str| {
            self.statements.iter().any(|statement| {
                let document = &statement.document;
                statement.added + lag <= now
                    && document["Effect"] == "Allow"
                    && document["Principal"] == "*"
                    && covers(&document["Action"], action)
                    && (document["Condition"].is_null() || document["Condition"] == json!({ operator: { key: value } }))
            })
        };
        stands("lambda:InvokeFunctionUrl", "StringEquals", "lambda:FunctionUrlAuthType", "NONE")
            && stands("lambda:InvokeFunction", "Bool", "lambda:InvokedViaFunctionUrl", "true")
    }
}

/// Whether the action of a statement, which may end in `*`, includes this one.
fn covers(given: &Value, action: &str) -> bool {
    match given.as_str() {
        Some(given) => given.strip_suffix('*').map_or(given == action, |beginning| action.starts_with(beginning)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, Statement};
    use serde_json::{Value, json};

    fn statement(action: &str, condition: Value, added: i64) -> Statement {
        let document = json!({"Effect": "Allow", "Principal": "*", "Action": action, "Condition": condition});
        Statement { id: action.into(), added, document }
    }

    #[test]
    fn a_public_url_needs_both_statements_and_the_lag() {
        let url =
            statement("lambda:InvokeFunctionUrl", json!({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}), 0);
        let invoke = statement("lambda:InvokeFunction", json!({"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}), 10);
        let policy = |statements: &[&Statement]| Policy {
            statements: statements.iter().map(|s| (*s).clone()).collect(),
            ..Policy::default()
        };
        assert!(policy(&[&url, &invoke]).opens_url(10, 0));
        assert!(!policy(&[&url, &invoke]).opens_url(10, 5));
        assert!(!policy(&[&url]).opens_url(10, 0));
        assert!(!policy(&[&invoke]).opens_url(10, 0));
        let (any, other) = (statement("lambda:*", Value::Null, 0), statement("lambda:GetFunction", Value::Null, 0));
        assert!(policy(&[&any]).opens_url(10, 0));
        assert!(!policy(&[&other]).opens_url(10, 0));
        let elsewhere = statement("lambda:InvokeFunction", json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), 0);
        assert!(!policy(&[&url, &elsewhere]).opens_url(10, 0));
    }
}
