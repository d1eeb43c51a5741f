//! Stages: further deployments of the same app, with some keys changed.

use super::name::{NAME, is_name};
use super::problem::Problem;
use super::section::{Notes, Section};
use super::spelling::nearest;
use crate::text::list;
use toml::de::{DeTable, DeValue};

/// The table `[stages.NAME]`, with the structure of the manifest.
pub(super) struct Stage<'a> {
    pub name: &'a str,
    overrides: &'a DeTable<'a>,
}

impl<'a> Stage<'a> {
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
        if !is_name(entry.name) {
            entry.problem_with_name(format!("`{}` is not a valid stage name, expected {NAME}", entry.name));
        } else if let Some(section) = entry.section(entry.name.to_owned()) {
            read.push(Stage { name: entry.name, overrides: section.table() });
        }
    }
    read
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
