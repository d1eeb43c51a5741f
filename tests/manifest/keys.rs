//! The table of keys: what the parser, docs/manifest.md and docs/deploy.schema.json have in common.

use super::fixtures::root;
use lamstream::manifest::keys::{Absent, Group, Key, Keys, ROOT, Value};
use lamstream::manifest::{parse, schema};
use serde_json::json;
use std::fs;

/// All tables that a manifest may have, the outermost first.
fn groups(keys: Keys) -> Vec<&'static Group> {
    let mut groups: Vec<&Group> = keys.iter().collect();
    for key in keys.iter().flat_map(|group| group.keys) {
        groups.extend(self::groups(key.value.keys()));
    }
    let mut seen = Vec::new();
    groups.retain(|group| {
        let name = (group.heading, group.prefix);
        let is_new = !seen.contains(&name);
        seen.push(name);
        is_new
    });
    groups
}

/// Writes what is expected where `UPDATE_SNAPSHOTS=1`, and else compares.
fn held_to(file: &str, expected: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{file} is not what the table of keys says; UPDATE_SNAPSHOTS=1 rewrites it");
}

#[test]
fn the_documentation_shows_every_key() {
    let mut text = fs::read_to_string(root().join("docs/manifest.md")).unwrap();
    for heading in groups(ROOT).iter().map(|group| group.heading).collect::<std::collections::BTreeSet<_>>() {
        let rows: Vec<String> =
            groups(ROOT).iter().filter(|group| group.heading == heading).flat_map(|group| rows(group)).collect();
        let section = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`")) + 1;
        let begin = section + text[section..].find("|\n|---").unwrap() + "|\n".len();
        let begin = begin + text[begin..].find('\n').unwrap() + 1;
        let end = begin + text[begin..].find("\n\n").unwrap() + 1;
        text.replace_range(begin..end, &(rows.join("\n") + "\n"));
    }
    held_to("docs/manifest.md", &text);
}

fn row(prefix: &str, key: &Key) -> String {
    let name = match &key.value {
        Value::Named(_) | Value::Stages => format!("{}.NAME", key.name),
        _ => key.name.to_owned(),
    };
    let default = match &key.absent {
        Absent::Required => "required".to_owned(),
        Absent::Default(value) => key.code(value),
        Absent::Means(words) => (*words).to_owned(),
    };
    format!("| `{prefix}{name}` | {} | {default} |", key.described()).replace("|  |", "| |")
}

/// A table without defaults has no column for them.
fn rows(group: &Group) -> Vec<String> {
    let without = group.keys.iter().all(|key| matches!(key.absent, Absent::Means("")));
    let row = |key| match row(group.prefix, key) {
        row if without => row.trim_end_matches(" |").to_owned() + " |",
        row => row,
    };
    group.keys.iter().map(row).collect()
}

#[test]
fn the_schema_knows_every_key() {
    held_to("docs/deploy.schema.json", &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"));
}

/// A key that is not read would be accepted and ignored.
#[test]
fn every_key_is_read() {
    let mut unread = Vec::new();
    for (place, key) in places("", ROOT) {
        let text = with(&place, key.name);
        let problems = parse(&text, None).expect_err(&text);
        let named = problems.iter().any(|problem| problem.message.starts_with(&format!("`{}` ", key.name)));
        // What is no table at all is reported without the name.
        if !named {
            unread.push(format!("{place}{}: {problems}", key.name));
        }
    }
    assert!(unread.is_empty(), "{}", unread.join("\n"));
}

/// Every key with the path of its table.
pub(crate) fn places(table: &str, keys: Keys) -> Vec<(String, &'static Key)> {
    let mut places = Vec::new();
    for key in keys.iter().flat_map(|group| group.keys) {
        places.push((table.to_owned(), key));
        let name = key.name;
        let below = match &key.value {
            Value::Named(_) => format!("{table}{name}.f."),
            Value::Values(_) => format!("{table}{name}.KEY."),
            Value::Tables(_) => format!("{table}{name}.0."),
            _ => format!("{table}{name}."),
        };
        places.extend(self::places(&below, key.value.keys()));
    }
    places
}

/// A manifest that is right except for this key, whose value is a date, which no key takes.
pub(crate) fn with(table: &str, key: &str) -> String {
    let mut tree = json!({ "app": "a", "functions": { "f": { "crate": "c", "url": { "auth": "none" } } } });
    let mut place = &mut tree;
    for step in table.split('.').filter(|step| !step.is_empty()) {
        place = match step {
            "0" => {
                *place = json!([{}]);
                &mut place[0]
            }
            step => &mut place[step],
        };
    }
    place[key] = json!("DATE");
    let text = toml::to_string(&tree).unwrap();
    text.replace("\"DATE\"", "2026-01-01")
}
