//! Stages: further deployments of the same app, with some keys changed. The name of a stage may be a pattern, such as `pr-*`,
//! for stages that come and go.

use super::name::{NAME, is_name};
use super::problem::Problem;
use super::section::{Notes, Section};
use super::spelling::nearest;
use crate::text::list;
use toml::de::{DeTable, DeValue};

/// What a pattern's `*` stands for in the checks of the manifest.
const EXAMPLE: &str = "x";

/// The table `[stages.NAME]`, with the structure of the manifest.
pub(super) struct Stage<'a> {
    /// As written: a name, or a pattern.
    pub name: &'a str,
    overrides: &'a DeTable<'a>,
}

impl<'a> Stage<'a> {
    /// The stage's name, or that of one which its pattern stands for.
    pub(super) fn example(&self) -> String {
        self.name.replace('*', EXAMPLE)
    }

    /// How many characters of a name are the pattern's own, if it matches the name. A stage of exactly this name comes before
    /// all patterns.
    fn likeness(&self, name: &str) -> Option<usize> {
        match self.name == name {
            true => Some(usize::MAX),
            false => matches(self.name, name).then(|| self.name.replace('*', "").len()),
        }
    }

    /// The manifest's tree with this stage applied.
    pub(super) fn applied_to(&self, root: &DeTable<'a>) -> DeTable<'a> {
        let mut table = root.clone();
        table.remove("stages");
        lay_over(&mut table, self.overrides, &[]);
        table
    }
}

/// All stages, in the order of the text.
pub(super) fn read<'a>(root: &'a DeTable<'a>, notes: &'a Notes) -> Vec<Stage<'a>> {
    let Some(stages) = Section::whole(root, notes).section("stages") else { return Vec::new() };
    let mut read = Vec::new();
    for entry in stages.all() {
        if !is_name(&entry.name.replace('*', EXAMPLE)) {
            let name = entry.name;
            entry.problem_with_name(format!(
                "`{name}` is not a valid stage name, expected {NAME}, or `*` for any of them"
            ));
        } else if let Some(section) = entry.section(entry.name.to_owned()) {
            read.push(Stage { name: entry.name, overrides: section.table() });
        }
    }
    read
}

/// The stage of this name, or the one whose pattern matches it with most characters of its own.
pub(super) fn chosen<'s, 'a>(stages: &'s [Stage<'a>], name: &str) -> Option<&'s Stage<'a>> {
    // The first of several that are equally good.
    stages.iter().rev().max_by_key(|stage| stage.likeness(name)).filter(|stage| stage.likeness(name).is_some())
}

/// Whether a pattern stands for a name. Each `*` stands for at least one character.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().skip(1).map(|(at, _)| at).chain([rest.len()]).filter(|at| *at > 0);
            ends.into_iter().any(|at| matches(after, &rest[at..]))
        }),
    }
}

/// The problem of a stage that does not exist.
pub(super) fn unknown(stage: &str, known: &[&str]) -> Problem {
    let message = match nearest(stage, known) {
        _ if known.is_empty() => {
            format!("no stage `{stage}`: the manifest has no stages, expected a table `[stages.{stage}]`")
        }
        Some(meant) => {
            format!("no stage `{stage}`; did you mean `{meant}`? (the stages are {})", list::quoted_and(known))
        }
        None => format!("no stage `{stage}`, expected one of {}", list::quoted(known)),
    };
    Problem::new(None, message)
}

/// Whether the entries of this table are values. A value may be written as a table that names its source, and two such
/// tables must not be merged.
fn holds_values(path: &[&str]) -> bool {
    matches!(path, ["functions", _, "environment"] | ["functions", _, "check", "headers"])
}

/// Tables are merged, all other values are replaced. `path` is the table's path.
fn lay_over<'a>(table: &mut DeTable<'a>, over: &DeTable<'a>, path: &[&str]) {
    for (key, value) in over {
        let merged = match (table.get_mut(key.get_ref().as_ref()).map(|below| below.get_mut()), value.get_ref()) {
            (Some(DeValue::Table(below)), DeValue::Table(above)) if !holds_values(path) => {
                lay_over(below, above, &[path, &[key.get_ref().as_ref()]].concat());
                true
            }
            _ => false,
        };
        if !merged {
            // The key is replaced, too, so that problems point to the stage's line.
            table.remove(key.get_ref().as_ref());
            table.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_before_patterns_and_the_longest_pattern_first() {
        let table = DeTable::new();
        let stages = ["*", "pr-*", "pr-1", "pr-*-eu"].map(|name| Stage { name, overrides: &table });
        let chosen = |name| chosen(&stages, name).map(|stage| stage.name);
        for (name, expected) in [
            ("pr-1", "pr-1"),
            ("pr-12", "pr-*"),
            ("pr-1-eu", "pr-*-eu"),
            ("pr-", "*"),
            ("prod", "*"),
            ("pr--eu", "pr-*"),
        ] {
            assert_eq!(chosen(name), Some(expected), "{name}");
        }
        assert_eq!(super::chosen(&stages[1..], "prod").map(|stage| stage.name), None);
    }

    #[test]
    fn a_star_stands_for_at_least_one_character() {
        for (pattern, name) in [("a*", "ab"), ("*a", "ba"), ("a*c*e", "abcde"), ("*", "x"), ("a*", "aé"), ("ab", "ab")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a*", "a"), ("*a", "a"), ("a*c", "abcd"), ("a**", "ab"), ("*", ""), ("ab", "abc")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
