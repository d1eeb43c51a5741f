//! The keys of a check that asks an MCP server.

use super::http::{PATH_FORM, is_path};
use super::keys::{self, CHECK};
use super::section::Section;
use crate::text::list;

/// The keys that an MCP server's check may have besides `mcp`.
const BESIDE: [&str; 3] = ["headers", "query", "ends_within"];

/// The headers that MCP's own requests have.
const OWN_HEADERS: [&str; 5] = ["accept", "content-type", "mcp-method", "mcp-protocol-version", "mcp-session-id"];

/// The path of the server; `None` if the check does not ask one.
pub(super) fn path<'a>(keys: &Section<'a>) -> Option<&'a str> {
    keys.matching("mcp", is_path, PATH_FORM)
}

/// Refuses the keys that only describe a single request, and headers that lamstream sets.
pub(super) fn refuse_others(keys: &Section<'_>) {
    let others = keys::names(CHECK).into_iter().filter(|name| *name != "mcp" && !BESIDE.contains(name));
    for entry in others.filter_map(|name| keys.entry(name)) {
        entry.problem_with_name(format!(
            "`{}` and `mcp` cannot be used together: lamstream sends MCP's own requests, expected only {} beside it",
            entry.name,
            list::quoted_and(BESIDE),
        ));
    }
    for entry in keys.peek_all("headers") {
        if OWN_HEADERS.contains(&entry.name.to_lowercase().as_str()) {
            let name = entry.name;
            entry.problem_with_name(format!("the header `{name}` is set by `mcp`; remove it from `headers`"));
        }
    }
}
