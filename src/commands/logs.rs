//! `lamstream logs`: what a function wrote.

use super::one::One;
use super::session::Session;
use crate::apply::Reason;
use crate::aws::{LogEvent, LogReader};
use crate::cli::Logs;
use crate::failure::Failure;
use crate::report::{Answer, LogLine, Outlet};
use crate::stack;

pub async fn logs(session: &Session, arguments: &Logs) -> Result<Answer, Failure> {
    let one = One::find(session, Some(&arguments.function)).await?;
    let log_group = stack::log_group(&one.name);
    let mut reader = LogReader::new(&one.account, log_group.clone(), arguments.since);
    let keeps = session.console.is_document() && !arguments.follow;
    let outlet = if keeps { None } else { Some(Outlet::open()?) };
    let (mut events, mut news) = (Vec::new(), false);
    let mut page = session.read("the log", reader.page()).await?;
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
            // The account's calls are shared by everybody: one who waits for lines can wait for his turn too.
            Err(error) if arguments.follow && error.reason == Reason::Throttled => {
                session.console.note(&format!("{error}; retrying"));
                false
            }
            Err(error) => return Err(error.into()),
        };
        match (more, arguments.follow) {
            (true, _) => {}
            (false, true) => session.until_stopped(reader.rest(std::mem::take(&mut news))).await?,
            (false, false) => break,
        }
        page = session.until_stopped(reader.page()).await?;
    }
    Ok(Answer::Logs(one.functions(one.unknown()), keeps.then_some(events)))
}

fn line(event: LogEvent) -> LogLine {
    let LogEvent { id, timestamp, stream, message } = event;
    LogLine { id, timestamp, stream, message }
}
