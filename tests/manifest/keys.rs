//! The table of keys: what the parser, docs/manifest.md and docs/deploy.schema.json have in common.

use super::fixtures::{manifests, root};
use super::python::python;
use lamstream::manifest::keys::{Absent, Group, Key, Keys, ROOT, Value};
use lamstream::manifest::parse;
use serde_json::{Map, json};
use std::fs;
use std::process::{Command, Stdio};

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
    let code = |value: &str| match &key.value {
        Value::Number(..) | Value::NumberOrText(..) => value.to_owned(),
        Value::Switch => format!("`{value}`"),
        _ => format!("`\"{value}\"`"),
    };
    let value = match &key.value {
        Value::Number(range, "") => format!("{} to {}", range.start(), range.end()),
        Value::Number(range, unit) | Value::Numbers(range, unit) => {
            format!("{} to {} {unit}", range.start(), range.end())
        }
        Value::Word(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    };
    let default = match &key.absent {
        Absent::Required => "required".to_owned(),
        Absent::Default(value) => code(value),
        Absent::Means(words) => (*words).to_owned(),
    };
    format!("| `{prefix}{name}` | {} | {default} |", key.about.replace("{}", &value)).replace("|  |", "| |")
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
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "deploy.toml",
        "description": "What lamstream deploys. The reference is docs/manifest.md.",
        "definitions": { "manifest": object(ROOT, true), "stage": object(ROOT, false) },
        "$ref": "#/definitions/manifest",
    });
    held_to("docs/deploy.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
}

/// A table with these keys. In a stage none is required: it says what is different.
fn object(keys: Keys, whole: bool) -> serde_json::Value {
    let all = || keys.iter().flat_map(|group| group.keys);
    let properties: Map<_, _> = all().map(|key| (key.name.to_owned(), property(key, whole))).collect();
    let required: Vec<&str> =
        all().filter(|key| whole && matches!(key.absent, Absent::Required)).map(|key| key.name).collect();
    let mut object = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

fn property(key: &Key, whole: bool) -> serde_json::Value {
    let named = |value: serde_json::Value| json!({ "type": "object", "additionalProperties": value });
    let text = json!({ "type": "string" });
    let number = |range: &std::ops::RangeInclusive<u32>| json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() });
    let mut property = match &key.value {
        Value::Text => text,
        Value::Number(range, _) => number(range),
        Value::Numbers(range, _) => json!({ "type": "array", "items": number(range) }),
        Value::Word(words) => json!({ "enum": words }),
        Value::Switch => json!({ "type": "boolean" }),
        Value::Texts => json!({ "type": "array", "items": text }),
        Value::NumberOrText(range) => json!({ "anyOf": [number(range), text] }),
        Value::Table(keys) => object(keys, whole),
        Value::Tables(keys) => json!({ "type": "array", "items": object(keys, true) }),
        Value::TableOrTables(keys) => {
            json!({ "anyOf": [object(keys, whole), { "type": "array", "items": object(keys, true) }] })
        }
        Value::Named(keys) => named(object(keys, whole)),
        Value::Pairs => named(text),
        Value::Values(keys) => named(json!({ "anyOf": [text, object(keys, true)] })),
        Value::Conditions => named(json!({ "type": "object" })),
        Value::Stages => named(json!({ "$ref": "#/definitions/stage" })),
    };
    property["description"] = json!(described(key));
    if let Absent::Default(default) = key.absent {
        property["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
    }
    property
}

/// What the documentation says of a key, as plain text.
fn described(key: &Key) -> String {
    let row = row("", key);
    let about = row.split(" | ").nth(1).unwrap_or_default();
    let mut plain = String::new();
    let mut rest = about;
    // `[text](target)` is its text.
    while let Some((before, link)) = rest.split_once('[') {
        plain += before;
        rest = match link.split_once("](").filter(|(label, _)| !label.contains(']')) {
            Some((label, after)) => {
                plain += label;
                after.split_once(')').unwrap().1
            }
            None => {
                plain.push('[');
                link
            }
        };
    }
    plain + rest
}

/// An independent validator accepts the sample and every good manifest, and refuses an unknown key.
#[test]
fn the_schema_takes_what_the_parser_takes() {
    let Some(bin) = python() else { return };
    let check = "import json, sys, jsonschema\n\
                 schema, manifests = json.load(open(sys.argv[1])), json.load(sys.stdin)\n\
                 validator = jsonschema.Draft7Validator(schema)\n\
                 jsonschema.Draft7Validator.check_schema(schema)\n\
                 print(json.dumps([[error.message for error in validator.iter_errors(one)] for one in manifests]))";
    let mut texts: Vec<String> = manifests("good").into_iter().map(|(_, text)| text).collect();
    texts.push(fs::read_to_string(root().join("deploy.toml")).unwrap());
    texts.push("app = 'a'\n[functions.f]\ncrate = 'c'\nmemroy = 1\n".to_owned());
    let trees: Vec<serde_json::Value> = texts.iter().map(|text| toml::from_str(text).unwrap()).collect();
    let mut command = Command::new(bin.join("python"));
    command.args(["-c", check]).arg(root().join("docs/deploy.schema.json"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), &trees).unwrap();
    let output = child.wait_with_output().unwrap();
    let mut errors: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
    let unknown = errors.pop().unwrap();
    assert!(unknown.len() == 1 && unknown[0].contains("memroy"), "{unknown:?}");
    for (text, errors) in texts.iter().zip(errors) {
        assert!(errors.is_empty(), "{errors:?}\n{text}");
    }
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
fn places(table: &str, keys: Keys) -> Vec<(String, &'static Key)> {
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
fn with(table: &str, key: &str) -> String {
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
