//! What a function may do: an IAM role that Lambda assumes for it.

use super::name::Names;
use super::tags::Tags;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An IAM role of ours. The user's own role (`role.arn`) is not part of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Who may assume it.
    pub trust: Statement,
    /// The statements of its one inline policy.
    pub statements: BTreeSet<Statement>,
    /// ARNs of attached policies.
    pub managed_policies: BTreeSet<String>,
    /// ARN of a policy.
    pub permissions_boundary: Option<String>,
    pub tags: Tags,
}

impl Role {
    /// The role in between two: with all that either allows, so that neither the old nor the new release
    /// lacks a permission while `live` moves from one to the other.
    pub fn widened_to(&self, target: &Role) -> Role {
        Role {
            statements: self.statements.union(&target.statements).cloned().collect(),
            managed_policies: self.managed_policies.union(&target.managed_policies).cloned().collect(),
            ..target.clone()
        }
    }
}

/// One statement of an IAM policy, in a normal form in which two spellings of the same statement are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement(String);

impl Statement {
    /// Single strings become lists, lists are sorted, keys too: IAM reads all of those alike.
    pub fn new(statement: &Value) -> Statement {
        let mut normal = statement.clone();
        if let Value::Object(fields) = &mut normal {
            for (name, value) in fields.iter_mut() {
                match name.as_str() {
                    "Action" | "NotAction" | "Resource" | "NotResource" => *value = sorted_list(value),
                    "Principal" | "NotPrincipal" => each(value, sorted_list),
                    "Condition" => each(value, |keys| {
                        let mut keys = keys.clone();
                        each(&mut keys, sorted_list);
                        keys
                    }),
                    _ => {}
                }
            }
        }
        // A serde_json object keeps its keys sorted, so that the text is the same for the same statement.
        Statement(normal.to_string())
    }

    /// Lambda itself, as the one who may assume a function's role.
    pub fn lambda_may_assume() -> Statement {
        let lambda = json!({ "Service": "lambda.amazonaws.com" });
        Statement::new(&json!({ "Effect": "Allow", "Principal": lambda, "Action": "sts:AssumeRole" }))
    }

    /// The least that a function needs to write its logs. It may not create the group: a late invocation would
    /// bring a deleted one back.
    pub fn may_write_logs(names: &Names) -> Statement {
        Statement::new(&json!({
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": format!("{}:*", names.log_group_arn()),
        }))
    }

    /// A policy document of these statements.
    pub fn document<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> String {
        let statements: Vec<&str> = statements.into_iter().map(|statement| statement.0.as_str()).collect();
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    }

    /// The statements of a policy document; a text that is none gives itself back as one, so that it differs
    /// from everything wanted.
    pub fn of_document(document: &str) -> BTreeSet<Statement> {
        match serde_json::from_str::<Value>(document)
            .ok()
            .and_then(|mut json| json.get_mut("Statement").map(Value::take))
        {
            Some(Value::Array(statements)) => statements.iter().map(Statement::new).collect(),
            Some(statement) => BTreeSet::from([Statement::new(&statement)]),
            None => BTreeSet::from([Statement(document.to_owned())]),
        }
    }
}

fn each(value: &mut Value, change: impl Fn(&Value) -> Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| *field = change(field)),
        other => *other = change(other),
    }
}

fn sorted_list(value: &Value) -> Value {
    let mut items = match value {
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    };
    items.sort_by_key(Value::to_string);
    Value::Array(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_statement_are_equal() {
        let one = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["b", "a"],
                          "Condition": { "Bool": { "aws:SecureTransport": "true" } } });
        let other = json!({ "Resource": ["a", "b"], "Action": ["s3:GetObject"], "Effect": "Allow",
                            "Condition": { "Bool": { "aws:SecureTransport": ["true"] } } });
        assert_eq!(Statement::new(&one), Statement::new(&other));
    }

    #[test]
    fn a_document_gives_its_statements_back() {
        let statements = BTreeSet::from([Statement::lambda_may_assume()]);
        assert_eq!(Statement::of_document(&Statement::document(&statements)), statements);
    }

    #[test]
    fn a_document_that_is_none_differs_from_everything() {
        assert!(!Statement::of_document("broken").contains(&Statement::lambda_may_assume()));
    }
}
