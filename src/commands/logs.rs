//! `lamstream logs`: prints what a function wrote to its log.

use super::session::Session;
use super::single::SingleFunction;
use super::site::note_wrong_clock;
use crate::apply::Reason;
use crate::aws::{LogEvent, LogReader};
use crate::cli::Logs;
use crate::failure::Failure;
use crate::report::{Answer, Extra, LogLine, Outlet};
use crate::stack;
use std::time::Duration;

pub(super) async fn logs(session: &Session, arguments: &Logs) -> Result<Answer, Failure> {
    let one = SingleFunction::find(session, Some(&arguments.function)).await?;
    let events = print(session, &one, arguments.since, arguments.follow).await?;
    Ok(Answer { found: one.functions(one.unknown()), extra: Extra::Events(events) })
}

/// Prints a function's log until it ends; with `follow`, until the reader of stdout is gone. The events are returned
/// instead if stdout gets one document.
///
/// # Errors
/// If the log does not exist or cannot be read, or if a signal stops this.
pub(super) async fn print(
    session: &Session,
    one: &SingleFunction,
    since: Duration,
    follow: bool,
) -> Result<Option<Vec<LogLine>>, Failure> {
    let own = stack::log_group(&one.name);
    let shared = one.function.log_group.clone().filter(|group| *group != own);
    let function = shared.as_ref().map(|_| one.name.clone());
    let log_group = shared.unwrap_or(own);
    let mut reader = LogReader::new(&one.account, log_group.clone(), function, since);
    let keeps = session.console.is_document() && !follow;
    let outlet = if keeps { None } else { Some(Outlet::open()?) };
    let (mut events, mut news) = (Vec::new(), false);
    let mut page = session.read("the log", reader.page()).await?;
    note_wrong_clock(session, &one.account);
    loop {
        let more = match page {
            Ok(None) => return Err(Failure::no_logs(&one.function.name, &log_group)),
            Ok(Some(page)) => {
                let lines: Vec<LogLine> = page.events.into_iter().map(line).collect();
                news |= !lines.is_empty();
                match &outlet {
                    None => events.extend(lines),
                    Some(outlet) => {
                        let text = session.console.log_lines(&lines);
                        if outlet.is_closed() || !session.until_stopped(outlet.write(text)).await?? {
                            break;
                        }
                    }
                }
                page.more
            }
            // All clients share the account's rate limit, and a command that waits for lines can also wait for its
            // turn.
            Err(error) if follow && error.reason == Reason::Throttled => {
                session.console.note(&format!("{error}; retrying"));
                false
            }
            Err(error) => return Err(error.into()),
        };
        match (more, follow) {
            (true, _) => {}
            (false, true) => session.until_stopped(reader.rest(std::mem::take(&mut news))).await?,
            (false, false) => break,
        }
        page = session.until_stopped(reader.page()).await?;
    }
    Ok(keeps.then_some(events))
}

fn line(event: LogEvent) -> LogLine {
    let LogEvent { id, timestamp, stream, message } = event;
    LogLine { id, timestamp, stream, message }
}
