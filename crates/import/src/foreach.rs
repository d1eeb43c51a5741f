//! `Fn::ForEach`: the loops of a template, written out where their values are in the template itself.

use super::node::{Content, Node};

/// The prefix of a loop's key; the loop's own name follows.
pub(crate) const LOOP: &str = "Fn::ForEach::";
/// Loops within loops grow fast: a template with more copies than this keeps the loop as it is.
const MOST_COPIES: usize = 1_000;

/// The tree with a copy of each loop's body for each of its values. A loop over values that are not in the template
/// stays as it is.
pub(crate) fn expand(node: &Node) -> Node {
    let mut copies = 0;
    expand_within(node, &mut copies)
}

fn expand_within(node: &Node, copies: &mut usize) -> Node {
    node.with(match &node.content {
        Content::List(items) => Content::List(items.iter().map(|item| expand_within(item, copies)).collect()),
        Content::Map(entries) => {
            let mut all: Vec<(String, Node)> = Vec::new();
            for (name, value) in entries {
                match body(name, value) {
                    Some((variable, values, body)) if *copies + values.len() <= MOST_COPIES => {
                        *copies += values.len();
                        let copy = |value: &&str| replaced(body, variable, value);
                        let bodies: Vec<Node> = values.iter().map(copy).collect();
                        let expanded = bodies.iter().map(|body| expand_within(body, copies));
                        all.extend(expanded.flat_map(|body| body.entries().to_vec()));
                    }
                    _ => all.push((name.clone(), expand_within(value, copies))),
                }
            }
            Content::Map(all)
        }
        other => other.clone(),
    })
}

/// The variable, the values and the body of a loop whose values are texts.
fn body<'n>(name: &str, value: &'n Node) -> Option<(&'n str, Vec<&'n str>, &'n Node)> {
    let [variable, values, body] = name.strip_prefix(LOOP).map(|_| value.items())? else { return None };
    let Content::List(values) = &values.content else { return None };
    let values: Option<Vec<&str>> = values.iter().map(Node::text).collect();
    Some((variable.text()?, values?, body)).filter(|(_, _, body)| body.is_map())
}

/// The body with the variable's value in its keys and texts.
fn replaced(node: &Node, variable: &str, value: &str) -> Node {
    let text =
        |text: &str| text.replace(&format!("${{{variable}}}"), value).replace(&format!("&{{{variable}}}"), value);
    node.with(match &node.content {
        _ if node.get("Ref").and_then(Node::text) == Some(variable) => Content::text(value),
        Content::Text { text: own, unknown } => Content::Text { text: text(own), unknown: unknown.clone() },
        Content::List(items) => Content::List(items.iter().map(|item| replaced(item, variable, value)).collect()),
        Content::Map(entries) => {
            Content::Map(entries.iter().map(|(name, node)| (text(name), replaced(node, variable, value))).collect())
        }
        other => other.clone(),
    })
}
