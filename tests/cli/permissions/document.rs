//! docs/permissions.md, read as a machine reads it.

use super::calls::{ACCOUNT, Need};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One policy, with what stands for names replaced by those of the tests.
#[derive(Debug)]
pub(super) struct Policy {
    statements: Vec<(BTreeSet<String>, Vec<String>)>,
    /// Characters without white space, of which IAM allows 6144 in a managed policy.
    pub size: usize,
}

pub(super) struct Document(String);

impl Document {
    pub(super) fn read() -> Document {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permissions.md");
        Document(std::fs::read_to_string(path).unwrap())
    }

    /// What stands under a heading, up to the next heading of any depth.
    fn section(&self, heading: &str) -> &str {
        let (_, section) =
            self.0.split_once(&format!("# {heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
        section.split("\n#").next().unwrap()
    }

    /// All that is written as JSON.
    pub(super) fn json(&self) -> Vec<Value> {
        blocks(&self.0)
            .map(|block| serde_json::from_str(block).unwrap_or_else(|why| panic!("{why}: {block}")))
            .collect()
    }

    pub(super) fn policy(&self, heading: &str, region: &str) -> Policy {
        let block = blocks(self.section(heading)).next().unwrap_or_else(|| panic!("no policy under `{heading}`"));
        let size = block.chars().filter(|letter| !letter.is_whitespace()).count();
        let names = [("REGION", region), ("ACCOUNT", ACCOUNT), ("APP", "shop")];
        let text = names.iter().fold(block.to_owned(), |text, (from, to)| text.replace(from, to));
        Policy::of(&serde_json::from_str(&text).unwrap(), size)
    }

    /// The rows of the table under a heading, without its head.
    pub(super) fn lines(&self, heading: &str) -> Vec<&str> {
        self.section(heading).lines().filter(|line| line.starts_with("| ")).skip(1).collect()
    }

    /// A table's rows by the code in their first cells: the code in their second ones, and what they link to.
    pub(super) fn rows(&self, heading: &str) -> BTreeMap<String, BTreeSet<String>> {
        let row = |line: &str| {
            let (name, said) = line.trim_matches('|').split_once(" | ").unwrap();
            let links = said.split('[').skip(1).map(|link| link.split(']').next().unwrap().to_owned());
            (code(name).remove(0), code(said).into_iter().chain(links).collect())
        };
        self.lines(heading).into_iter().map(row).collect()
    }
}

impl Policy {
    /// A policy document, which has `size` characters that count.
    pub(super) fn of(policy: &Value, size: usize) -> Policy {
        let strings = |value: &Value| match value {
            Value::String(one) => vec![one.clone()],
            many => many.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        };
        let statement = |statement: &Value| {
            assert_eq!(statement["Effect"], "Allow");
            (strings(&statement["Action"]).into_iter().collect(), strings(&statement["Resource"]))
        };
        Policy { statements: policy["Statement"].as_array().unwrap().iter().map(statement).collect(), size }
    }

    /// Every action with each of its resources.
    pub(super) fn grants(&self) -> BTreeSet<Need> {
        let grants = self.statements.iter().flat_map(|(actions, resources)| {
            actions.iter().flat_map(|action| resources.iter().map(move |resource| (action.clone(), resource.clone())))
        });
        grants.map(|(action, resource)| Need { action, resource }).collect()
    }

    /// The statements of which no call needed any action on any resource.
    pub(super) fn idle<'n>(&self, needs: impl IntoIterator<Item = &'n Need> + Clone) -> Vec<String> {
        let is_used = |actions: &BTreeSet<String>, resources: &[String]| {
            needs.clone().into_iter().any(|need| {
                actions.contains(&need.action) && resources.iter().any(|pattern| matches(pattern, &need.resource))
            })
        };
        let idle = self.statements.iter().filter(|(actions, resources)| !is_used(actions, resources));
        idle.map(|statement| format!("{statement:?}")).collect()
    }

    pub(super) fn actions(&self) -> BTreeSet<String> {
        self.statements.iter().flat_map(|(actions, _)| actions.clone()).collect()
    }

    pub(super) fn allows(&self, need: &Need) -> bool {
        let covers = |resources: &Vec<String>| resources.iter().any(|pattern| matches(pattern, &need.resource));
        self.statements.iter().any(|(actions, resources)| actions.contains(&need.action) && covers(resources))
    }
}

fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap())
}

/// What stands between backticks.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a resource is one that a policy's pattern means.
fn matches(pattern: &str, resource: &str) -> bool {
    match (pattern.chars().next(), resource.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            matches(&pattern[1..], resource)
                || resource.chars().next().is_some_and(|letter| matches(pattern, &resource[letter.len_utf8()..]))
        }
        (Some('?'), Some(letter)) => matches(&pattern[1..], &resource[letter.len_utf8()..]),
        (Some(one), Some(other)) if one == other => matches(&pattern[one.len_utf8()..], &resource[other.len_utf8()..]),
        _ => false,
    }
}
