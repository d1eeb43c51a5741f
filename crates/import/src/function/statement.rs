//! Statements of IAM, which become `statements` of the role.

use crate::draft::{STILL_NEEDED, UNSUPPORTED, table};
use crate::node::{Content, Node};
use crate::writer::Writer;
use toml::{Table, Value};

/// Keys of a statement that the manifest does not have.
const OTHER_KINDS: [&str; 4] = ["NotAction", "NotResource", "Principal", "NotPrincipal"];

/// A policy document.
pub(super) fn read_policy(writer: &mut Writer<'_>, policy: &Node) {
    for (name, node) in policy.entries() {
        match name.as_str() {
            "Statement" => node.each().into_iter().for_each(|node| read(writer, node)),
            "Version" => {}
            "Id" => writer.comment(unnamed("Id", node)),
            _ => writer.left(node, name, UNSUPPORTED, STILL_NEEDED),
        }
    }
}

fn read(writer: &mut Writer<'_>, node: &Node) {
    if let Some((key, found)) = OTHER_KINDS.iter().find_map(|key| Some((key, node.get(key)?))) {
        let what = format!("statements in the manifest do not support `{key}`");
        writer.block(found, &format!("Statement.{key}"), what, "express it with `actions` and `resources`");
        return;
    }
    for (key, other) in writer.map(node, "Statement").unwrap_or_default() {
        match key.as_str() {
            "Action" | "Resource" | "Effect" | "Condition" => {}
            "Sid" => writer.comment(unnamed("Sid", other)),
            _ => writer.block(other, &format!("Statement.{key}"), UNSUPPORTED, STILL_NEEDED),
        }
    }
    if !node.is_map() {
        return;
    }
    let effect = match node.get("Effect").and_then(Node::partial_text) {
        Some(("Deny", _)) => Some("deny"),
        Some((text, unknown)) if text == "Allow" || !unknown.is_empty() => None,
        _ => {
            writer.block(node, "Statement.Effect", "is neither `Allow` nor `Deny`", "add the statement here");
            return;
        }
    };
    let each = |key: &str| node.get(key).map(Node::each).unwrap_or_default();
    let texts = |key: &str| each(key).into_iter().filter_map(Node::partial_text).map(|(text, _)| text.to_owned());
    let (actions, resources): (Vec<String>, Vec<String>) = (texts("Action").collect(), texts("Resource").collect());
    let is_valid = each("Action").iter().chain(&each("Resource")).all(|node| node.is_text())
        && node.get("Condition").is_none_or(is_condition)
        && !actions.is_empty()
        && !resources.is_empty()
        && actions.iter().all(|action| action == "*" || action.contains(':'))
        && resources.iter().all(|resource| resource == "*" || resource.starts_with("arn:") || resource.contains("${"));
    let is_known = node.unknown().is_empty();
    if !is_known {
        writer.left_unknown(node, "Statement");
    } else if !is_valid {
        let what = "expected actions like `s3:GetObject`, resources that are ARNs, and a condition as IAM has it";
        writer.block(node, "Statement", what, "correct it, and uncomment it");
    }
    let mut statement = written(effect, actions, resources);
    statement.extend(node.get("Condition").map(|condition| ("condition".to_owned(), value(condition))));
    writer.element("statements", statement, is_known && is_valid);
}

/// A statement as the manifest has it.
pub(super) fn written(
    effect: Option<&str>,
    actions: impl IntoIterator<Item = String>,
    resources: impl IntoIterator<Item = String>,
) -> Table {
    let effect = effect.map(|effect| ("effect", effect.into()));
    let actions = actions.into_iter().map(Value::from).collect();
    let resources = resources.into_iter().map(Value::from).collect();
    table(effect.into_iter().chain([("actions", Value::Array(actions)), ("resources", Value::Array(resources))]))
}

fn unnamed(key: &str, name: &Node) -> String {
    format!("`{key}: {}`: such names do not exist in the manifest.", name.text().unwrap_or_default())
}

/// Operators, each of which compares keys with one value or several.
fn is_condition(node: &Node) -> bool {
    let is_compared = |node: &Node| !node.each().is_empty() && node.each().iter().all(|node| node.is_text());
    let is_operator = |node: &Node| node.is_map() && node.entries().iter().all(|(_, node)| is_compared(node));
    node.is_map() && node.entries().iter().all(|(_, node)| is_operator(node))
}

/// A condition as it is.
fn value(node: &Node) -> Value {
    match &node.content {
        Content::Map(entries) => Value::Table(table(entries.iter().map(|(name, node)| (name.as_str(), value(node))))),
        Content::List(items) => Value::Array(items.iter().map(value).collect()),
        Content::Text { text, .. } => Value::from(text.as_str()),
        Content::Absent | Content::Null => Value::from(""),
    }
}
