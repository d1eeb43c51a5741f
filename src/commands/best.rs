//! Which of several checks is reported.

use crate::manifest::Check;
use crate::verify::Seen;

/// The most informative check: the first that requires streaming, or else the first.
pub(super) fn leading(checks: &[Check]) -> Option<&Check> {
    checks.iter().find(|check| check.streams).or_else(|| checks.first())
}

/// The result to report of several checks that passed: that of the first that requires streaming, or else the first.
pub(super) struct Best {
    pub seen: Seen,
    streams: bool,
}

impl Best {
    /// What an MCP server said of itself is known only from the check that asked it.
    pub(super) fn of(before: Option<Best>, check: &Check, mut seen: Seen) -> Best {
        match before {
            Some(mut best) if best.streams || !check.streams => {
                best.seen.mcp = best.seen.mcp.or(seen.mcp);
                best
            }
            before => {
                seen.mcp = seen.mcp.or(before.and_then(|best| best.seen.mcp));
                Best { seen, streams: check.streams }
            }
        }
    }
}
