//! `Globals`, merged into a function as SAM merges them: before any intrinsic function is looked at.

use super::node::{Node, What};

/// Maps merge, lists are put together, anything else is replaced.
pub fn merged(global: &Node, local: &Node) -> Node {
    // A function such as `Fn::If` is a value to SAM, and no map.
    if global.intrinsic().is_some() || local.intrinsic().is_some() {
        return local.clone();
    }
    match (&global.what, &local.what) {
        (What::Map(below), What::Map(above)) => {
            let mut entries: Vec<(String, Node)> = Vec::new();
            for (name, value) in below {
                let over = above.iter().find(|(known, _)| known == name).map(|(_, over)| over);
                entries.push((name.clone(), over.map_or_else(|| value.clone(), |over| merged(value, over))));
            }
            let new = above.iter().filter(|(name, _)| !below.iter().any(|(known, _)| known == name));
            entries.extend(new.cloned());
            local.with(What::Map(entries))
        }
        (What::List(below), What::List(above)) => local.with(What::List([below.clone(), above.clone()].concat())),
        _ => local.clone(),
    }
}
