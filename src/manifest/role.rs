//! What a function may do, or the role that says so.

use super::section::{Entry, Section};
use crate::stack::Statement;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const OWN_KEYS: [&str; 3] = ["managed_policies", "statements", "permissions_boundary"];

/// Where a function's role comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSource {
    /// The user brings one; lamstream neither makes nor changes it.
    Given { arn: String },
    /// One of its own, which may write its logs and what is said here.
    Own {
        /// ARNs of policies.
        managed_policies: BTreeSet<String>,
        statements: BTreeSet<Statement>,
        /// ARN of a policy.
        permissions_boundary: Option<String>,
    },
}

impl RoleSource {
    pub(super) fn read(keys: &mut Section<'_>, account: Option<&str>) -> RoleSource {
        let Some(mut role) = keys.section("role") else { return RoleSource::own() };
        let arn = role.entry("arn");
        let own = OWN_KEYS.into_iter().filter_map(|key| role.entry(key)).map(|entry| entry.name).next();
        if let (Some(entry), Some(own)) = (&arn, own) {
            entry.problem_with_name(format!(
                "`arn` and `{own}` exclude each other: a role that you bring is never changed, expected one of them"
            ));
        }
        let source = match arn {
            Some(entry) => RoleSource::Given { arn: read_arn(&entry, account) },
            None => RoleSource::read_own(&mut role),
        };
        role.finish();
        source
    }

    fn own() -> RoleSource {
        RoleSource::Own { managed_policies: BTreeSet::new(), statements: BTreeSet::new(), permissions_boundary: None }
    }

    fn read_own(role: &mut Section<'_>) -> RoleSource {
        const POLICY: &str = "the ARN of a policy, such as `arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess`";
        let boundary = role.entry("permissions_boundary").and_then(|entry| entry.matching(is_policy, POLICY));
        let statements = role.entry("statements").map(|entry| entry.sections("a statement")).unwrap_or_default();
        let mut managed_policies = BTreeSet::new();
        if let Some(entry) = role.entry("managed_policies") {
            for policy in entry.strings("ARNs of policies") {
                let arn = policy.get_ref();
                if !is_policy(arn) {
                    entry.problem_at(policy.span(), format!("`managed_policies` holds `{arn}`, expected {POLICY}"));
                }
                managed_policies.insert((*arn).to_owned());
            }
        }
        RoleSource::Own {
            managed_policies,
            statements: statements.into_iter().map(read_statement).collect(),
            permissions_boundary: boundary.map(|boundary| boundary.into_inner().to_owned()),
        }
    }
}

fn read_arn(entry: &Entry<'_>, account: Option<&str>) -> String {
    let expected = "the ARN of a role, such as `arn:aws:iam::123456789012:role/NAME`";
    let Some(arn) = entry.matching(|text| account_of(text, "role/").is_some(), expected) else { return String::new() };
    let arn = arn.into_inner();
    // Lambda takes no role of another account.
    if let (Some(owner), Some(account)) = (account_of(arn, "role/"), account)
        && owner != account
    {
        entry.problem(format!("`arn` is a role of account `{owner}`, expected one of `account = \"{account}\"`"));
    }
    arn.to_owned()
}

fn read_statement(mut statement: Section<'_>) -> Statement {
    let effect = statement.entry("effect").and_then(|entry| entry.one_of(&[("allow", "Allow"), ("deny", "Deny")]));
    let actions = "actions such as `s3:GetObject`, or `*`";
    let resources = "ARNs of what it is about, or `*`";
    let mut normal = json!({
        "Effect": effect.map_or("Allow", |effect| effect.into_inner()),
        "Action": read_list(&mut statement, "actions", actions, is_action),
        "Resource": read_list(&mut statement, "resources", resources, |text| text == "*" || text.starts_with("arn:")),
    });
    if let Some(condition) = statement.section("condition") {
        normal["Condition"] = read_condition(&condition);
    }
    statement.finish();
    Statement::new(&normal)
}

fn read_list(statement: &mut Section<'_>, key: &'static str, expected: &str, is_one: fn(&str) -> bool) -> Vec<String> {
    let Some(entry) = statement.required(key, expected) else { return Vec::new() };
    let items = entry.strings(expected);
    if entry.is_empty_array() {
        entry.problem(format!("`{key}` is empty, expected {expected}"));
    }
    for item in items.iter().filter(|item| !is_one(item.get_ref())) {
        entry.problem_at(item.span(), format!("`{key}` holds `{}`, expected {expected}", item.get_ref()));
    }
    items.into_iter().map(|item| item.into_inner().to_owned()).collect()
}

/// `{ Operator = { key = "value" } }`, as IAM has it.
fn read_condition(condition: &Section<'_>) -> Value {
    let mut operators = Map::new();
    for operator in condition.all() {
        let Some(keys) = operator.section(format!("`{}`", operator.name)) else { continue };
        let compared = keys.all().into_iter().map(|key| (key.name.to_owned(), json!(key.scalars()))).collect();
        operators.insert(operator.name.to_owned(), Value::Object(compared));
    }
    Value::Object(operators)
}

fn is_action(text: &str) -> bool {
    text == "*"
        || text.split_once(':').is_some_and(|(owner, action)| super::function::is_name(owner) && !action.is_empty())
}

fn is_policy(arn: &str) -> bool {
    account_of(arn, "policy/").is_some()
}

/// The account of an IAM resource of this kind; AWS's own policies belong to `aws`.
fn account_of<'a>(arn: &'a str, kind: &str) -> Option<&'a str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return None };
    let name = resource.strip_prefix(kind)?;
    let of_a_name = |character: char| character.is_ascii_alphanumeric() || "+=,.@-_/".contains(character);
    let owned = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let right = partition.starts_with("aws") && !name.is_empty() && !name.ends_with('/') && name.chars().all(of_a_name);
    (right && (owned || (account == "aws" && kind == "policy/"))).then_some(account)
}
