//! The result of an import.

use crate::draft::LeftOver;
use crate::input::Rules;
use crate::render;

#[derive(Clone, Debug)]
pub struct Imported {
    pub manifest: String,
    /// By file and line.
    pub left_over: Vec<LeftOver>,
}

/// The comment that begins a manifest. `command` has written it from `source`; a comment about
/// something that is left over begins with `of`.
pub(crate) fn heading(command: &str, source: &str, of: &str, left_over: usize, rules: &dyn Rules) -> String {
    let count = match left_over {
        0 => "Nothing was left over.".to_owned(),
        1 => format!("One item was left over: see the comment that begins with {of}."),
        count => format!("{count} items were left over: see the comments that begin with {of}."),
    };
    render::wrap(&format!("Written by {command} from {source}. {count}"), rules)
        + "# docs/manifest.md describes every key; `lamstream plan` shows what a deploy would change.\n\n"
}
