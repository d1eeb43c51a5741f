//! Renders events, plans and failures as lines. Pure.

use super::style::{Line, seconds};
use crate::apply::{Event, McpServer, McpSessions, Step, Verified};
use crate::failure::{Failure, Row};
use crate::plan::{Action, Change, Plan, ResourceKind};
use crate::stack::Names;
use crate::text::list;
use crate::text::palette::{CYAN, GREEN, RED, YELLOW};
use std::fmt::Display;
use std::time::Duration;

const UPLOADING: &str = "Uploading";
pub(super) const WAITING: &str = "Waiting";
/// The width of an upload's progress bar, in characters.
const BAR: usize = 20;

/// The line for a completed event; `None` for events that only start or continue a step.
pub(crate) fn told(event: &Event) -> Option<Line> {
    match event {
        Event::BuildLine { line } => Some(Line::coloured(line)),
        Event::BuildWaits { for_what, .. } => Some(Line::verb(CYAN, WAITING, &format!("for {for_what}"))),
        Event::Packaged { function, architecture, size, sha256 } => {
            let digest: String = sha256.chars().take(8).collect();
            let rest = format!("{function} ({architecture}, {} KB, digest {digest}…)", size.div_ceil(1000));
            Some(Line::verb(GREEN, "Packaged", &rest))
        }
        Event::Done { step, took, .. } => Some(Line::verb(GREEN, done(step.action), &named(step)).took(*took)),
        Event::Failed { step, .. } => Some(Line::verb(RED, "Failed", &format!("to {}", attempted(step)))),
        Event::Verified { function, what, verified } => {
            let line = Line::verb(GREEN, "Verified", &of(what, function));
            Some(line.took(verified.duration).detail(&seen(verified)))
        }
        Event::NotVerified { function, what } => {
            Some(Line::verb(RED, "Failed", &format!("to verify {}", of(what, function))))
        }
        Event::Held { function, what, took, seen } => {
            Some(Line::verb(GREEN, "Held", &of(what, function)).took(*took).detail(seen))
        }
        Event::NotHeld { function, what } => Some(Line::verb(RED, "Stopped", &of(what, function))),
        Event::MovedBack { function, version } => {
            Some(Line::verb(CYAN, "Moved back", &format!("{function} to version {version}")))
        }
        Event::Pruned { function, versions } => {
            let mut versions: Vec<&str> = versions.iter().map(String::as_str).collect();
            versions.sort_by_key(|version| version.parse::<u64>().unwrap_or_default());
            let s = if versions.len() == 1 { "" } else { "s" };
            Some(Line::verb(GREEN, "Pruned", &of(format!("version{s} {}", list::and(versions)), function)))
        }
        Event::Finished { function, took, changed: true } => {
            Some(Line::verb(GREEN, "Deployed", &format!("{function} in {}", seconds(*took))))
        }
        Event::Finished { function, changed: false, .. } => {
            Some(Line::verb(GREEN, "Unchanged", &format!("{function}: already up to date")))
        }
        Event::Stays { function, why } => Some(Line::verb(CYAN, "Left behind", &format!("({function}): {why}"))),
        Event::Reading { .. } | Event::Read { .. } | Event::Building { .. } | Event::BuildGoesOn { .. } => None,
        Event::Uploading { function, sent, total } if sent == total => {
            Some(Line::verb(GREEN, "Uploaded", &format!("the package of {function} ({} MB)", megabytes(*total))))
        }
        Event::Uploading { .. } => None,
        Event::Started { .. } | Event::Waiting { .. } | Event::RateLimited { .. } => None,
        Event::Verifying { .. } | Event::Holding { .. } => None,
    }
}

/// How an event changes the running steps.
pub(super) enum Turn<'a> {
    /// A step on `about` starts; `verb` names it.
    Begins {
        function: &'a str,
        verb: &'static str,
        about: String,
    },
    /// A wait; it is reported at least once a second.
    Waits {
        function: &'a str,
        about: String,
        elapsed: Duration,
    },
    /// Calls to a service wait for at least this long.
    Throttled {
        service: &'static str,
        about: String,
        wait: Duration,
    },
    /// Verification starts, so any wait is over.
    Verifies {
        function: &'a str,
        about: String,
    },
    /// The running step continues.
    Goes {
        function: &'a str,
        verb: &'static str,
        about: String,
    },
    /// A step ends.
    Stops {
        function: &'a str,
        verb: &'static str,
    },
    Ends {
        function: &'a str,
        about: String,
    },
    /// All of the function's steps end.
    EndsAll {
        function: &'a str,
    },
    Nothing,
}

pub(super) fn turn(event: &Event) -> Turn<'_> {
    match event {
        Event::Reading { what } => Turn::Begins { function: "", verb: "Reading", about: (*what).to_owned() },
        Event::Read { what } => Turn::Ends { function: "", about: (*what).to_owned() },
        Event::Building { function } => Turn::Begins { function, verb: "Building", about: function.clone() },
        Event::BuildWaits { function, for_what } => {
            Turn::Begins { function, verb: WAITING, about: format!("for {for_what}") }
        }
        Event::BuildGoesOn { function } => Turn::Stops { function, verb: WAITING },
        Event::Packaged { function, .. } => Turn::Ends { function, about: function.clone() },
        Event::Started { function, step } => Turn::Begins { function, verb: doing(step.action), about: named(step) },
        Event::Uploading { function, sent, total } if sent == total => Turn::Stops { function, verb: UPLOADING },
        Event::Uploading { function, sent, total } => {
            Turn::Goes { function, verb: UPLOADING, about: upload(function, *sent, *total) }
        }
        Event::Waiting { function, for_what, elapsed } => {
            Turn::Waits { function, about: format!("for {for_what}"), elapsed: *elapsed }
        }
        Event::RateLimited { service, wait } => {
            Turn::Throttled { service, about: format!("for AWS's rate limit of {service}"), wait: *wait }
        }
        // These two may run during other steps, and nothing ever waits for them.
        Event::Done { function, step, .. } | Event::Failed { function, step }
            if matches!(step.kind, ResourceKind::LogGroup | ResourceKind::Role) =>
        {
            Turn::Ends { function, about: named(step) }
        }
        Event::Done { function, .. } | Event::Failed { function, .. } => Turn::EndsAll { function },
        Event::Holding { function, what } => Turn::Begins { function, verb: "Holding", about: of(what, function) },
        Event::Verifying { function, what } => Turn::Verifies { function, about: of(what, function) },
        Event::Verified { function, .. }
        | Event::NotVerified { function, .. }
        | Event::Held { function, .. }
        | Event::NotHeld { function, .. }
        | Event::MovedBack { function, .. }
        | Event::Pruned { function, .. }
        | Event::Finished { function, .. } => Turn::EndsAll { function },
        Event::BuildLine { .. } | Event::Stays { .. } => Turn::Nothing,
    }
}

/// An upload's progress, as a bar and in numbers.
fn upload(function: &str, sent: usize, total: usize) -> String {
    let full = sent * BAR / total.max(1);
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(BAR - full.min(BAR)));
    format!("the package of {function} [{bar}] {} of {} MB", megabytes(sent), megabytes(total))
}

fn megabytes(bytes: usize) -> usize {
    bytes / 1_000_000
}

fn of(what: impl Display, function: &str) -> String {
    format!("{what} of {function}")
}

fn named(step: &Step) -> String {
    format!("{} {}", step.kind.in_words(), step.name)
}

/// Such as `create role app-chat`. A release is named by its function: what failed may be any part of it.
fn attempted(step: &Step) -> String {
    let verb = match step.action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    };
    match step.kind {
        ResourceKind::Release => format!("release {}", step.name.split(':').next().unwrap_or(&step.name)),
        _ => format!("{verb} {}", named(step)),
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "Creating",
        Action::Update => "Updating",
        Action::Delete => "Deleting",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "Created",
        Action::Update => "Updated",
        Action::Delete => "Deleted",
    }
}

/// What was seen of a response, in words.
pub(super) fn seen(verified: &Verified) -> String {
    let first_byte = format!("first byte after {:.0} ms", verified.first_byte.as_secs_f64() * 1000.0);
    let chunks = match verified.chunks {
        0 => "no body".to_owned(),
        1 => "1 chunk".to_owned(),
        chunks => format!("{chunks} chunks over {}", seconds(verified.duration)),
    };
    let streamed = if verified.streamed == Some(true) { ": it streams" } else { "" };
    // A check may accept any status; one that is not a success is worth a look.
    let status =
        if (200..300).contains(&verified.status) { String::new() } else { format!("status {}, ", verified.status) };
    let mcp = verified.mcp.as_ref().map(|mcp| format!("; {}", mcp_words(mcp)));
    format!("{status}{first_byte}, {chunks}{streamed}{}", mcp.unwrap_or_default())
}

/// What is known of an MCP server.
fn mcp_words(mcp: &McpServer) -> String {
    let tools = match mcp.tools {
        None => String::new(),
        Some(1) => "1 tool, ".to_owned(),
        Some(count) => format!("{count} tools, "),
    };
    let sessions = match mcp.sessions {
        McpSessions::Stateless => "stateless",
        McpSessions::Shared => "a second instance knows the session",
        McpSessions::InMemory => "sessions end with the only instance",
        McpSessions::Unknown => "sessions not proven: the same instance may have answered",
    };
    format!("MCP {}, {}, {tools}{sessions}", mcp.protocol, mcp.server)
}

/// The summary of a response, for `invoke -v`.
pub(crate) fn seen_line(seen: &Verified) -> String {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let Verified { status, first_byte, chunks, duration, .. } = seen;
    let (first_byte, duration) = (milliseconds(*first_byte), milliseconds(*duration));
    let s = if *chunks == 1 { "" } else { "s" };
    format!("status {status}, first byte after {first_byte:.1} ms, {chunks} chunk{s}, {duration:.1} ms in all")
}

/// One line per change: `+|~|- KIND NAME: FIELD a -> b`.
pub(crate) fn plan_lines(names: &Names, plan: &Plan) -> Vec<Line> {
    plan.changes.iter().map(|change| change_line(names, change)).collect()
}

fn change_line(names: &Names, change: &Change) -> Line {
    let (style, sign) = match change.action() {
        Action::Create => (GREEN, "+"),
        Action::Update => (YELLOW, "~"),
        Action::Delete => (RED, "-"),
    };
    Line::marked(style, sign, &change_text(names, change))
}

/// A line of a plan without its sign.
pub(super) fn change_text(names: &Names, change: &Change) -> String {
    let head = format!("{} {}", change.kind().as_str(), change.name(names));
    let fields: Vec<String> = change
        .fields()
        .into_iter()
        .map(|field| match field.values {
            Some((from, to)) => format!("{} {from} -> {to}", field.name),
            None => format!("{} changed", field.name),
        })
        .collect();
    if fields.is_empty() { head } else { format!("{head}: {}", fields.join(", ")) }
}

/// An error as users see it: what failed, why, what the function wrote, which steps were completed, and hints.
pub(crate) fn failure_lines(failure: &Failure) -> Vec<Line> {
    let line = |(nth, row): (usize, Row)| match row {
        Row::Text(text) if nth == 0 => Line::marked(RED, "error:", &text),
        Row::Text(text) => Line::plain(&text),
        Row::Excerpt([line, underline]) => Line::excerpt(&line, &underline),
    };
    let mut lines: Vec<Line> = failure.message.rows().into_iter().enumerate().map(line).collect();
    for (nth, cause) in failure.caused_by.iter().enumerate() {
        let request = failure.request_id.iter().filter(|_| nth == 0).map(|id| format!(" (request {id})"));
        lines.push(Line::plain(&format!("  caused by: {cause}{}", request.collect::<String>())));
    }
    if !failure.log.is_empty() {
        lines.push(Line::plain("  the function's last log lines:"));
        lines.extend(failure.log.iter().map(|line| Line::plain(&format!("    {line}"))));
    }
    if !failure.done.is_empty() || !failure.left.is_empty() {
        lines.push(Line::plain(&format!("  done: {}   left: {}", kinds(&failure.done), kinds(&failure.left))));
    }
    let hints = failure.hints.iter().filter(|_| !failure.message.has_hints());
    // The lines after the first are an example.
    let example = |line: &str| Line::plain(&format!("    {line}"));
    lines.extend(hints.flat_map(|hint| {
        let mut rows = hint.split('\n');
        let first = Line::marked(YELLOW, "hint:", rows.next().unwrap_or_default());
        std::iter::once(first).chain(rows.map(example)).collect::<Vec<_>>()
    }));
    lines
}

fn kinds(steps: &[Step]) -> String {
    let mut kinds: Vec<&str> = steps.iter().map(|step| step.kind.in_words()).collect();
    kinds.dedup();
    if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_says_what_was_attempted() {
        let failed = |kind, action, name: &str| {
            let step = Step { kind, action, name: name.to_owned() };
            told(&Event::Failed { function: "chat".into(), step }).map(|line| line.to_string()).unwrap_or_default()
        };
        assert!(failed(ResourceKind::Release, Action::Update, "app-chat:live").ends_with(" to release app-chat"));
        assert!(failed(ResourceKind::Role, Action::Create, "app-chat").ends_with(" to create role app-chat"));
    }

    #[test]
    fn pruned_versions_are_in_order() {
        let pruned = |versions: &[&str]| {
            let versions = versions.iter().map(|version| (*version).to_owned()).collect();
            told(&Event::Pruned { function: "chat".into(), versions }).map(|line| line.to_string()).unwrap_or_default()
        };
        assert!(pruned(&["10", "9", "8"]).ends_with(" versions 8, 9 and 10 of chat"));
        assert!(pruned(&["8"]).ends_with(" version 8 of chat"));
    }
}
