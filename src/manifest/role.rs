//! A function's permissions, or the role that grants them.

use super::name::is_name;
use super::section::{Entry, Section};
use crate::stack::{Arn, Statement};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const OWN_KEYS: [&str; 3] = ["managed_policies", "statements", "permissions_boundary"];

/// Which role a function has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSource {
    /// An existing role; lamstream neither creates nor changes it.
    Given { arn: String },
    /// A role of its own, which may write the function's logs and do what is listed here.
    Own {
        /// ARNs of policies.
        managed_policies: BTreeSet<String>,
        statements: BTreeSet<Statement>,
        /// ARN of a policy.
        permissions_boundary: Option<String>,
    },
}

impl RoleSource {
    pub(super) fn read(keys: &Section<'_>, account: Option<&str>) -> RoleSource {
        let Some(role) = keys.section("role") else { return RoleSource::own() };
        let arn = role.entry("arn");
        let own = OWN_KEYS.into_iter().filter_map(|key| role.entry(key)).map(|entry| entry.name).next();
        if let (Some(entry), Some(own)) = (&arn, own) {
            entry.problem_with_name(format!(
                "`arn` and `{own}` cannot be used together: lamstream never changes your own role, expected one of them"
            ));
        }
        match arn {
            Some(entry) => RoleSource::Given { arn: read_arn(&entry, account) },
            None => RoleSource::read_own(&role),
        }
    }

    fn own() -> RoleSource {
        RoleSource::Own { managed_policies: BTreeSet::new(), statements: BTreeSet::new(), permissions_boundary: None }
    }

    fn read_own(role: &Section<'_>) -> RoleSource {
        const POLICY: &str = "the ARN of a policy, such as `arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess`";
        let boundary = role.matching("permissions_boundary", is_policy, POLICY);
        let statements = role.entry("statements").map(|entry| entry.sections("a statement")).unwrap_or_default();
        let mut managed_policies = BTreeSet::new();
        if let Some(entry) = role.entry("managed_policies") {
            for policy in entry.strings("ARNs of policies") {
                let arn = policy.get_ref();
                if !is_policy(arn) {
                    entry.problem_at(policy.span(), format!("`managed_policies` contains `{arn}`, expected {POLICY}"));
                }
                managed_policies.insert((*arn).to_owned());
            }
        }
        RoleSource::Own {
            managed_policies,
            statements: statements.into_iter().map(read_statement).collect(),
            permissions_boundary: boundary.map(str::to_owned),
        }
    }
}

fn read_arn(entry: &Entry<'_>, account: Option<&str>) -> String {
    let expected = "the ARN of a role, such as `arn:aws:iam::123456789012:role/NAME`";
    let Some(arn) = entry.matching(|text| account_of(text, "role/").is_some(), expected) else { return String::new() };
    let arn = arn.into_inner();
    // Lambda accepts no roles of other accounts.
    if let (Some(owner), Some(account)) = (account_of(arn, "role/"), account)
        && owner != account
    {
        entry.problem(format!(
            "`arn` is a role of account `{owner}`, expected one of account `{account}`, which the manifest names"
        ));
    }
    arn.to_owned()
}

fn read_statement(statement: Section<'_>) -> Statement {
    let denies = statement.entry("effect").and_then(|entry| entry.word()) == Some("deny");
    let actions = "actions such as `s3:GetObject`, or `*`";
    let resources = "ARNs of what it is about, or `*`";
    let mut normal = json!({
        "Effect": if denies { "Deny" } else { "Allow" },
        "Action": read_list(&statement, "actions", actions, is_action),
        "Resource": read_list(&statement, "resources", resources, |text| text == "*" || text.starts_with("arn:")),
    });
    if let Some(condition) = statement.section("condition") {
        normal["Condition"] = read_condition(&condition);
    }
    Statement::new(&normal)
}

fn read_list(statement: &Section<'_>, key: &'static str, expected: &str, is_one: fn(&str) -> bool) -> Vec<String> {
    let Some(entry) = statement.required(key, expected) else { return Vec::new() };
    let items = entry.strings(expected);
    if entry.is_empty_array() {
        entry.problem(format!("`{key}` is empty, expected {expected}"));
    }
    for item in items.iter().filter(|item| !is_one(item.get_ref())) {
        entry.problem_at(item.span(), format!("`{key}` contains `{}`, expected {expected}", item.get_ref()));
    }
    items.into_iter().map(|item| item.into_inner().to_owned()).collect()
}

/// `{ Operator = { key = "value" } }`, as in IAM.
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
    text == "*" || text.split_once(':').is_some_and(|(owner, action)| is_name(owner) && !action.is_empty())
}

fn is_policy(arn: &str) -> bool {
    account_of(arn, "policy/").is_some()
}

/// The account of an IAM resource of this kind. AWS's own policies have the account `aws`.
fn account_of<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_empty())?;
    let name = arn.resource.strip_prefix(kind)?;
    let of_a_name = |character: char| character.is_ascii_alphanumeric() || "+=,.@-_/".contains(character);
    let right = !name.is_empty() && !name.ends_with('/') && name.chars().all(of_a_name);
    (right && (arn.has_account() || (arn.account == "aws" && kind == "policy/"))).then_some(arn.account)
}
