//! The permissions of a function: an IAM role that Lambda assumes for it.

use super::field::{Fields, list, optional};
use super::name::Names;
use super::noun::Noun;
use super::tags::Tags;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An IAM role of ours. The user's own role (`role.arn`) is not part of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The principals that may assume it.
    pub trust: BTreeSet<Statement>,
    /// The statements of its one inline policy.
    pub statements: BTreeSet<Statement>,
    /// Names of other inline policies. None is ever wanted.
    pub other_policies: BTreeSet<String>,
    /// ARNs of attached policies.
    pub managed_policies: BTreeSet<String>,
    /// ARN of a policy.
    pub permissions_boundary: Option<String>,
    pub tags: Tags,
}

impl Role {
    /// The role between the two, which allows everything that either allows, so that neither the old nor the new
    /// release lacks a permission while `live` moves.
    pub fn widened_to(&self, target: &Role) -> Role {
        Role {
            statements: self.statements.union(&target.statements).cloned().collect(),
            other_policies: self.other_policies.union(&target.other_policies).cloned().collect(),
            managed_policies: self.managed_policies.union(&target.managed_policies).cloned().collect(),
            ..target.clone()
        }
    }
}

/// What IAM allows all inline policies of a role together, in characters without white space.
const INLINE_CHARACTERS: usize = 10_240;
/// How many managed policies a role may have, unless the account's quota was raised.
pub const MANAGED_POLICIES: usize = 10;

impl Role {
    /// The document of the inline policy: where it would be too long, with fewer statements that allow the same.
    pub fn document(&self) -> String {
        let document = Statement::document(&self.statements);
        if characters(&document) <= INLINE_CHARACTERS {
            return document;
        }
        Statement::document(&Statement::merged(&self.statements))
    }

    /// Which of IAM's limits this role is over, where `current` says how many managed policies the account is known to
    /// allow.
    pub fn excess(&self, current: Option<&Role>) -> Option<String> {
        let length = characters(&self.document());
        if length > INLINE_CHARACTERS {
            return Some(format!(
                "its inline policy would have {length} characters; IAM allows {INLINE_CHARACTERS}, not counting white space"
            ));
        }
        let allowed = current.map_or(0, |role| role.managed_policies.len()).max(MANAGED_POLICIES);
        let count = self.managed_policies.len();
        (current.is_some() && count > allowed)
            .then(|| format!("it would have {count} managed policies; IAM allows {allowed}"))
    }
}

/// As IAM counts them.
fn characters(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}

impl Noun for Role {
    const KIND: &'static str = "role";
    const TAGS: Option<fn(&Role) -> &Tags> = Some(|role| &role.tags);

    fn name(&self, names: &Names) -> String {
        names.role_name()
    }

    fn compare(&self, to: &Role, fields: &mut Fields) {
        fields.hidden("trust", &self.trust, &to.trust);
        fields.hidden("statements", &self.statements, &to.statements);
        fields.shown("inline_policies", &list(&self.other_policies), &list(&to.other_policies));
        fields.shown("managed_policies", &list(&self.managed_policies), &list(&to.managed_policies));
        let (was, will) = (optional(&self.permissions_boundary), optional(&to.permissions_boundary));
        fields.shown("permissions_boundary", &was, &will);
        fields.hidden("tags", &self.tags, &to.tags);
    }
}

/// One statement of an IAM policy, in a normal form in which two spellings of the same statement are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement(String);

impl Statement {
    /// Single strings become lists, and lists and keys are sorted: IAM reads all of these spellings in the same way.
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
        // A serde_json object keeps its keys sorted, so equal statements have equal texts.
        Statement(normal.to_string())
    }

    /// The statement that lets Lambda assume a function's role.
    pub fn lambda_may_assume() -> Statement {
        let lambda = json!({ "Service": "lambda.amazonaws.com" });
        Statement::new(&json!({ "Effect": "Allow", "Principal": lambda, "Action": "sts:AssumeRole" }))
    }

    /// The minimum that a function needs to write its logs. It may not create the log group, because a late invocation
    /// would recreate a deleted one. Its own group is among them even if the manifest names another: an older release may
    /// still write there.
    pub fn may_write_logs(names: &Names) -> Statement {
        let groups: Vec<String> = names.log_group_arns().iter().map(|arn| format!("{arn}:*")).collect();
        Statement::new(&json!({
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": groups,
        }))
    }

    /// Fewer statements that allow the same: those that differ in their resources alone become one.
    fn merged(statements: &BTreeSet<Statement>) -> BTreeSet<Statement> {
        let mut resources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut merged = BTreeSet::new();
        for statement in statements {
            let mut rest: Value = serde_json::from_str(&statement.0).unwrap_or_default();
            let own = rest.as_object_mut().and_then(|fields| fields.remove("Resource"));
            match own.as_ref().and_then(Value::as_array) {
                Some(own) if rest.get("Sid").is_none() => {
                    let own = own.iter().filter_map(Value::as_str).map(str::to_owned);
                    resources.entry(rest.to_string()).or_default().extend(own);
                }
                _ => {
                    merged.insert(statement.clone());
                }
            }
        }
        merged.extend(resources.into_iter().map(|(rest, resources)| {
            let mut statement: Value = serde_json::from_str(&rest).unwrap_or_default();
            statement["Resource"] = json!(resources);
            Statement::new(&statement)
        }));
        merged
    }

    /// A policy document of these statements.
    pub fn document<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> String {
        let statements: Vec<&str> = statements.into_iter().map(|statement| statement.0.as_str()).collect();
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    }

    /// The statements of a policy document. A text that is not a policy document becomes one statement, so that it
    /// differs from all wanted statements.
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
    fn a_role_that_is_too_large_says_so_and_a_longwinded_one_is_made_shorter() {
        let of = |buckets: std::ops::Range<usize>, length: usize| {
            let statement = |nth: usize| {
                let resource = format!("arn:aws:s3:::{}{nth}/*", "b".repeat(length));
                Statement::new(&json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource }))
            };
            Role {
                trust: BTreeSet::new(),
                statements: buckets.map(statement).collect(),
                other_policies: BTreeSet::new(),
                managed_policies: BTreeSet::new(),
                permissions_boundary: None,
                tags: Tags::default(),
            }
        };
        // Each fits, and both together do so only in fewer statements.
        let (old, new) = (of(0..60, 8), of(60..120, 8));
        let both = old.widened_to(&new);
        assert!(characters(&Statement::document(&both.statements)) > INLINE_CHARACTERS);
        assert_eq!(both.excess(Some(&old)), None);
        let statements = Statement::of_document(&both.document());
        assert_eq!(statements.len(), 1);
        assert!((0..120).all(|nth| both.document().contains(&format!("bbbbbbbb{nth}/*"))));
        let (old, new) = (of(0..60, 70), of(60..120, 70));
        assert!(old.excess(None).is_none() && new.excess(Some(&old)).is_none());
        assert!(old.widened_to(&new).excess(Some(&old)).is_some_and(|why| why.contains("10240")));
        let managed = |names: std::ops::Range<usize>| Role {
            managed_policies: names.map(|nth| nth.to_string()).collect(),
            ..of(0..1, 1)
        };
        let wide = managed(0..10).widened_to(&managed(5..15));
        assert!(wide.excess(Some(&managed(0..10))).is_some_and(|why| why.contains("15 managed policies")));
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
