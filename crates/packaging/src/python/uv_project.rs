//! A lock of another tool as a project for uv.

use toml::{Table, Value};

use super::dependency::{self, Dependency};
use super::sources::Source;
use crate::tool;

/// A project that depends on these packages and nothing else. The index of a package is used for that
/// package alone.
pub(super) fn of(packages: &[Dependency], version: &str) -> Table {
    let (mut sources, mut indexes, mut dependencies) = (Table::new(), Vec::new(), Vec::new());
    for package in packages {
        let is_of_index = matches!(package.source, Source::Default | Source::Index { .. });
        let specifier = if is_of_index { &*package.specifier } else { "" };
        let (name, extras) = (&package.name, &package.extras);
        dependencies.push(Value::String(format!("{name}{extras}{specifier}{}", package.condition())));
        let mut source = source(&package.source, &mut indexes);
        if source.is_empty() {
            continue;
        }
        if !package.condition.is_empty() {
            source.insert("marker".to_owned(), text(&package.condition));
        }
        let entries = sources.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
        entries.as_array_mut().into_iter().for_each(|entries| entries.push(Value::Table(source.clone())));
    }
    let indexes = indexes.iter().enumerate().map(|(at, address)| {
        Value::Table(table([("name", text(&name(at))), ("url", text(address)), ("explicit", Value::Boolean(true))]))
    });
    let uv = table([("sources", Value::Table(sources)), ("index", Value::Array(indexes.collect()))]);
    let project = table([
        ("name", text("lamstream-packages")),
        ("version", text("0")),
        ("requires-python", text(&format!(">={version}"))),
        ("dependencies", Value::Array(dependencies)),
    ]);
    table([("project", Value::Table(project)), ("tool", Value::Table(table([("uv", Value::Table(uv))])))])
}

fn source(source: &Source, indexes: &mut Vec<String>) -> Table {
    let optional = |key: &'static str, value: &Option<String>| value.as_deref().map(|value| (key, text(value)));
    match source {
        Source::Default | Source::Workspace => Table::new(),
        Source::Index { address, .. } => {
            let address = address.clone().unwrap_or_default();
            let at = indexes.iter().position(|known| *known == address).unwrap_or_else(|| {
                indexes.push(address);
                indexes.len() - 1
            });
            table([("index", text(&name(at)))])
        }
        Source::Directory(path) | Source::File(path) => {
            table([("path", text(&tool::absolute(path).display().to_string()))])
        }
        Source::Git { address, revision, subdirectory } => {
            let address = dependency::git(address, None, None);
            let git = [("git", text(address.trim_start_matches("git+")))];
            let others = [optional("rev", revision), optional("subdirectory", subdirectory)];
            table(git.into_iter().chain(others.into_iter().flatten()))
        }
        Source::Archive { address, subdirectory } => {
            table([("url", text(address))].into_iter().chain(optional("subdirectory", subdirectory)))
        }
    }
}

fn name(index: usize) -> String {
    format!("index-{index}")
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn table(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Table {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
