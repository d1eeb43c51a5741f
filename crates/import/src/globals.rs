//! `Globals`, merged into a function as SAM merges them: before any intrinsic function is looked at.

use super::node::{Content, Node};

/// Maps are merged, lists are concatenated, anything else is replaced.
pub(crate) fn merge(global: &Node, local: &Node) -> Node {
    // To SAM an intrinsic function such as `Fn::If` is a value, not a map.
    if global.intrinsic().is_some() || local.intrinsic().is_some() {
        return local.clone();
    }
    match (&global.content, &local.content) {
        (Content::Map(below), Content::Map(above)) => {
            let mut entries: Vec<(String, Node)> = Vec::new();
            for (name, value) in below {
                let over = local.get(name);
                entries.push((name.clone(), over.map_or_else(|| value.clone(), |over| merge(value, over))));
            }
            entries.extend(above.iter().filter(|(name, _)| global.get(name).is_none()).cloned());
            local.with(Content::Map(entries))
        }
        (Content::List(below), Content::List(above)) => {
            local.with(Content::List([below.clone(), above.clone()].concat()))
        }
        _ => local.clone(),
    }
}

/// `Globals` without the properties that a function ignores: `*`, or a list of names.
pub(crate) fn without(globals: &Node, ignored: Option<&Node>) -> Node {
    let names: Vec<&str> = ignored.map(Node::each).unwrap_or_default().into_iter().filter_map(Node::text).collect();
    let stays = |(name, _): &&(String, Node)| !names.contains(&"*") && !names.contains(&name.as_str());
    // Anything but a map is merged into nothing, and reported with the template's sections.
    match &globals.content {
        Content::Map(entries) => globals.with(Content::Map(entries.iter().filter(stays).cloned().collect())),
        _ => globals.clone(),
    }
}
