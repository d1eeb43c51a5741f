//! `lamstream logs`: prints what a function wrote to its log. Other commands use what it knows of logs: where a function's
//! log is ([`LogSource`]), and how to follow several ([`Follower`]).

use super::project::Project;
use super::session::Session;
use super::single::SingleFunction;
use super::site::{note_wrong_clock, open_in};
use crate::apply::Reason;
use crate::aws::{Account, LogEvent, LogReader};
use crate::cli::Logs;
use crate::failure::Failure;
use crate::logs::{Selection, Selector, Since, version_of};
use crate::manifest::Function;
use crate::report::{Answer, Extra, Line, LogLine, Outlet};
use crate::stack;
use futures_util::future::join_all;
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Where the lines of a function are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogSource {
    pub group: String,
    /// Its name on AWS, if other functions may write to the same log group.
    function: Option<String>,
}

impl LogSource {
    /// `name` is the function's name on AWS.
    pub(super) fn of(function: &Function, name: &str) -> LogSource {
        let own = stack::log_group(name);
        let shared = function.log_group.clone().filter(|group| *group != own);
        LogSource { function: shared.as_ref().map(|_| name.to_owned()), group: shared.unwrap_or(own) }
    }

    pub(super) fn reader<'a>(&self, account: &'a Account, since: Since) -> LogReader<'a> {
        LogReader::new(account, self.group.clone(), self.function.clone(), since)
    }
}

/// Prints what functions write to their logs, as they write it, for a command that does something else meanwhile.
pub(super) struct Follower<'a> {
    session: &'a Session,
    /// Gets each function's name and each event that is printed.
    listener: &'a dyn Fn(&str, &LogEvent),
    /// Milliseconds since 1970: what was written before is not printed.
    since: i64,
    followed: watch::Sender<Following>,
}

/// The functions whose logs are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Following {
    region: Option<String>,
    functions: Vec<(String, LogSource)>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(session: &'a Session, listener: &'a dyn Fn(&str, &LogEvent)) -> Follower<'a> {
        Follower { session, listener, since: now(), followed: watch::Sender::default() }
    }

    /// From now on, prints the logs of the project's functions.
    pub(super) fn follow(&self, project: &Project) {
        let stage = project.manifest.stage.as_deref();
        let source = |function: &Function| {
            LogSource::of(function, &stack::function_name(&project.manifest.app, stage, &function.name))
        };
        let functions = project.functions.iter().map(|function| (function.name.clone(), source(function))).collect();
        let followed = Following { region: project.manifest.region.clone(), functions };
        self.followed.send_if_modified(|now| {
            let is_new = *now != followed;
            *now = followed;
            is_new
        });
    }

    /// Never ends by itself.
    ///
    /// # Errors
    /// If the cloud cannot be reached at all.
    pub(super) async fn run(&self) -> Result<(), Failure> {
        let mut followed = self.followed.subscribe();
        let mut since = self.since;
        loop {
            let Following { region, functions } = followed.borrow_and_update().clone();
            let following = async {
                if functions.is_empty() {
                    std::future::pending::<()>().await;
                }
                let account = open_in(self.session, region.as_deref()).await?;
                let several = functions.len() > 1;
                let prints = functions
                    .iter()
                    .map(|(name, source)| self.print(name, several, source.reader(&account, Since::At(since))));
                join_all(prints).await;
                Ok::<(), Failure>(())
            };
            tokio::select! {
                failed = following => failed?,
                _ = followed.changed() => {}
            }
            // The first round writes lines before it is known which logs to follow.
            if !functions.is_empty() {
                since = now();
            }
        }
    }

    async fn print(&self, name: &str, several: bool, mut reader: LogReader<'_>) {
        let no_platform = !self.session.global.verbose;
        let mut selector = Selector::new(Selection { no_platform, ..Selection::default() });
        loop {
            // None while the log group does not exist yet, and while the cloud cannot answer: the next deploy says why.
            let page = reader.page().await.ok().flatten();
            for event in page.into_iter().flat_map(|page| page.events) {
                if selector.read(&event.stream, &event.message).0 {
                    let start = if several { format!("{name} | ") } else { "| ".to_owned() };
                    let lines = event.message.trim_end().lines();
                    let lines: Vec<Line> = lines.map(|line| Line::coloured(&format!("{start}{line}"))).collect();
                    self.session.console.show(&lines);
                    (self.listener)(name, &event);
                }
            }
            // A local cloud may be asked often.
            reader.rest(true).await;
        }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(now).unwrap_or(i64::MAX)
}

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
    let source = LogSource::of(&one.function, &one.name);
    let mut reader = source.reader(&one.account, arguments.since);
    let mut printer = Printer::new(session, arguments)?;
    let mut page = session.read("the log", reader.page()).await?;
    note_wrong_clock(session, &one.account);
    loop {
        let more = match page {
            Ok(None) => return Err(Failure::no_logs(&one.function.name, &source.group)),
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
