//! The smallest IAM policy with which commands work on a manifest's functions. Pure.
//!
//! `table.rs` says which action each command needs and when, and `resources.rs` which resources an action is about.

mod resources;
mod scope;
mod table;

pub use scope::Scope;
pub use table::COMMANDS;

use resources::resources;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use table::ROWS;

/// The most characters of a managed policy, not counting white space.
pub const MANAGED_CHARACTERS: usize = 6144;

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// One statement, which allows something.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    actions: Vec<&'static str>,
    resources: BTreeSet<String>,
    condition: Option<Condition>,
}

/// A restriction of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// A role may be passed to Lambda only.
    ToLambda,
}

impl Policy {
    /// The smallest policy for these commands, each of which is one of [`COMMANDS`].
    pub fn of(scope: &Scope<'_>, commands: &[&str]) -> Policy {
        let mut grants: Vec<Statement> = Vec::new();
        for row in ROWS.iter().filter(|row| row.commands.iter().any(|command| commands.contains(command))) {
            let resources = resources(row, scope);
            if resources.is_empty() {
                continue;
            }
            match grants.iter_mut().find(|grant| grant.actions == [row.action]) {
                Some(grant) => grant.resources.extend(resources),
                None => {
                    let condition = (row.action == table::PASS_ROLE).then_some(Condition::ToLambda);
                    grants.push(Statement { actions: vec![row.action], resources, condition });
                }
            }
        }
        let mut statements: Vec<Statement> = Vec::new();
        for mut grant in grants {
            grant.resources = resources::fewest(&grant.resources);
            let same =
                |other: &&mut Statement| (&other.resources, other.condition) == (&grant.resources, grant.condition);
            match statements.iter_mut().find(same) {
                Some(other) => other.actions.extend(grant.actions),
                None => statements.push(grant),
            }
        }
        Policy { statements }
    }

    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// All actions that it allows, with the resources.
    pub fn actions(&self) -> impl Iterator<Item = (&'static str, &BTreeSet<String>)> {
        self.statements.iter().flat_map(|one| one.actions.iter().map(|action| (*action, &one.resources)))
    }

    /// The characters that count against AWS's limit.
    pub fn size(&self) -> usize {
        self.text().chars().filter(|letter| !letter.is_whitespace()).count()
    }

    pub fn json(&self) -> Value {
        json!({ "Version": VERSION, "Statement": self.statements.iter().map(Statement::json).collect::<Vec<_>>() })
    }

    /// The document as people write it: the version first, and in a statement the effect.
    pub fn text(&self) -> String {
        let statements: Vec<String> = self.statements.iter().map(Statement::text).collect();
        format!("{{\n  \"Version\": \"{VERSION}\",\n  \"Statement\": [\n{}\n  ]\n}}\n", statements.join(",\n"))
    }
}

/// The version of the language of policies.
const VERSION: &str = "2012-10-17";

impl Statement {
    fn json(&self) -> Value {
        let mut statement = json!({ "Effect": "Allow", "Action": self.actions, "Resource": self.resources });
        if let Some(condition) = self.condition {
            statement["Condition"] = condition.json();
        }
        statement
    }

    fn text(&self) -> String {
        let condition = self.condition.map(|condition| format!(",\n      \"Condition\": {}", condition.json()));
        format!(
            "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}{}\n    }}",
            listed(self.actions.iter().copied()),
            listed(self.resources.iter().map(String::as_str)),
            condition.unwrap_or_default(),
        )
    }
}

impl Condition {
    fn json(self) -> Value {
        match self {
            Condition::ToLambda => json!({ "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } }),
        }
    }
}

/// A single string, or an array with one string a line.
fn listed<'s>(items: impl Iterator<Item = &'s str>) -> String {
    let items: Vec<String> = items.map(|item| Value::from(item).to_string()).collect();
    match &items[..] {
        [one] => one.clone(),
        items => format!("[\n        {}\n      ]", items.join(",\n        ")),
    }
}
