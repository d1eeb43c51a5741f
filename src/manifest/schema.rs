//! The JSON schema of the manifest, from the table of keys.

use super::keys::{Absent, Key, Keys, ROOT, Value};
use serde_json::{Map, json};
use std::ops::RangeInclusive;

/// What a schema can know of a manifest: which keys exist, their types, ranges, words and defaults, in draft 7.
pub fn schema() -> serde_json::Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "deploy.toml",
        "description": "What lamstream deploys. The reference is docs/manifest.md.",
        "definitions": { "manifest": object(ROOT, true), "stage": object(ROOT, false) },
        "$ref": "#/definitions/manifest",
    })
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
    let number =
        |range: &RangeInclusive<u32>| json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() });
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
        Value::Conditions => named(json!({ "type": "object", "additionalProperties": true })),
        Value::Stages => named(json!({ "$ref": "#/definitions/stage" })),
    };
    property["description"] = json!(without_links(&key.described()));
    if let Absent::Default(default) = key.absent {
        property["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
    }
    property
}

/// Markdown in which `[text](target)` is its text.
fn without_links(markdown: &str) -> String {
    let (mut plain, mut rest) = (String::new(), markdown);
    while let Some((before, link)) = rest.split_once('[') {
        plain += before;
        let label = link.split_once("](").filter(|(label, _)| !label.contains(']'));
        rest = match label.and_then(|(label, after)| Some((label, after.split_once(')')?.1))) {
            Some((label, after)) => {
                plain += label;
                after
            }
            None => {
                plain.push('[');
                link
            }
        };
    }
    plain + rest
}
