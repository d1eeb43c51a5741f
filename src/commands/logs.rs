//! `lamstream logs`: prints what a function wrote to its log.

use super::session::Session;
use super::single::SingleFunction;
use super::site::note_wrong_clock;
use crate::apply::Reason;
use crate::aws::{LogEvent, LogReader};
use crate::cli::Logs;
use crate::failure::Failure;
use crate::logs::{Selector, version_of};
use crate::report::{Answer, Extra, LogLine, Outlet};
use crate::stack;
use std::collections::VecDeque;

pub(super) async fn logs(session: &Session, arguments: &Logs) -> Result<Answer, Failure> {
    let one = SingleFunction::find(session, arguments.function.as_ref()).await?;
    let printed = print(session, &one, arguments).await;
    let (events, result) = match printed {
        Ok(events) => (events, Ok(one.unknown())),
        Err(failure) => (None, Err(failure)),
    };
    Ok(Answer {
        found: one.functions(one.unknown().or_refused(result)?),
        extra: Extra::Events(events),
        ..Answer::default()
    })
}

/// Prints a function's log until it ends; with `--follow`, until the reader of stdout is gone. The events are returned
/// instead if stdout gets one document.
///
/// # Errors
/// If the log does not exist or cannot be read, or if a signal stops this.
async fn print(session: &Session, one: &SingleFunction, arguments: &Logs) -> Result<Option<Vec<LogLine>>, Failure> {
    let own = stack::log_group(&one.name);
    let shared = one.function.log_group.clone().filter(|group| *group != own);
    let function = shared.as_ref().map(|_| one.name.clone());
    let log_group = shared.unwrap_or(own);
    let mut reader = LogReader::new(&one.account, log_group.clone(), function, arguments.since);
    let mut printer = Printer::new(session, arguments)?;
    let mut page = session.read("the log", reader.page()).await?;
    note_wrong_clock(session, &one.account);
    loop {
        let more = match page {
            Ok(None) => return Err(Failure::no_logs(&one.function.name, &log_group)),
            Ok(Some(page)) => {
                printer.add(page.events);
                if !page.more {
                    printer.release();
                }
                if !printer.print().await? {
                    break;
                }
                page.more
            }
            // All clients share the account's rate limit, and a command that waits for lines can also wait for its
            // turn.
            Err(error) if arguments.follow && error.reason == Reason::Throttled => {
                session.console.note(&format!("{error}; retrying"));
                false
            }
            Err(error) => return Err(error.into()),
        };
        match (more, arguments.follow) {
            (true, _) => {}
            (false, true) => session.until_stopped(reader.rest(std::mem::take(&mut printer.news))).await?,
            (false, false) => break,
        }
        page = session.until_stopped(reader.page()).await?;
    }
    Ok(printer.outlet.is_none().then_some(printer.ready))
}

/// Prints the events that are wanted.
struct Printer<'a> {
    session: &'a Session,
    times: Option<bool>,
    /// `None` if stdout gets one document, and the events are kept.
    outlet: Option<Outlet>,
    selector: Selector,
    /// The last events so far, and how many of them are wanted; `None` once all are.
    last: Option<(VecDeque<LogLine>, usize)>,
    /// The events to be printed.
    ready: Vec<LogLine>,
    /// Whether any event was read since the last rest.
    news: bool,
}

impl<'a> Printer<'a> {
    fn new(session: &'a Session, arguments: &Logs) -> Result<Printer<'a>, Failure> {
        let keeps = session.console.is_document() && !arguments.follow;
        Ok(Printer {
            session,
            times: arguments.times(),
            outlet: if keeps { None } else { Some(Outlet::open()?) },
            selector: Selector::new(arguments.selection()),
            last: arguments.lines.map(|count| (VecDeque::new(), count)),
            ready: Vec::new(),
            news: false,
        })
    }

    fn add(&mut self, events: Vec<LogEvent>) {
        self.news |= !events.is_empty();
        for event in events {
            let (shown, request) = self.selector.read(&event.stream, &event.message);
            if !shown {
                continue;
            }
            let line = line(event, request);
            match &mut self.last {
                None => self.ready.push(line),
                Some((last, count)) => {
                    last.push_back(line);
                    if last.len() > *count {
                        last.pop_front();
                    }
                }
            }
        }
    }

    /// All events until now were read, so the last ones are known.
    fn release(&mut self) {
        let last = self.last.take().map(|(last, _)| last);
        self.ready.extend(last.into_iter().flatten());
    }

    /// Returns false once the reader of stdout is gone.
    async fn print(&mut self) -> Result<bool, Failure> {
        let Some(outlet) = &self.outlet else { return Ok(true) };
        let text = self.session.console.log_lines(&std::mem::take(&mut self.ready), self.times);
        Ok(!outlet.is_closed() && self.session.until_stopped(outlet.write(text)).await??)
    }
}

fn line(event: LogEvent, request: Option<String>) -> LogLine {
    let LogEvent { id, timestamp, stream, message } = event;
    LogLine { id, timestamp, version: version_of(&stream).map(str::to_owned), stream, request, message }
}
