//! The logs of the functions, as they are written.

use super::page::Page;
use crate::apply::CloudError;
use crate::aws::{Account, LogEvent, LogReader};
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::commands::site::open_in;
use crate::failure::Failure;
use crate::logs::{Selection, Selector, Since};
use crate::report::Line;
use crate::stack;
use futures_util::future::join_all;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Prints what functions write to their logs.
pub(super) struct Follower<'a> {
    session: &'a Session,
    /// Shows them, too.
    page: Option<&'a Page>,
    /// Milliseconds since 1970: what was written before is not printed.
    since: i64,
    followed: watch::Sender<Following>,
}

/// The functions whose logs are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Following {
    region: Option<String>,
    functions: Vec<Followed>,
}

/// A function whose log is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Followed {
    name: String,
    log_group: String,
    /// Its name on AWS, if other functions may write to the same log group.
    selected: Option<String>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(session: &'a Session, page: Option<&'a Page>) -> Follower<'a> {
        Follower { session, page, since: now(), followed: watch::Sender::default() }
    }

    /// From now on, prints the logs of the project's functions.
    pub(super) fn follow(&self, project: &Project) {
        let stage = project.manifest.stage.as_deref();
        let followed = project.functions.iter().map(|function| {
            let name = stack::function_name(&project.manifest.app, stage, &function.name);
            let own = stack::log_group(&name);
            let shared = function.log_group.clone().filter(|group| *group != own);
            Followed {
                name: function.name.clone(),
                selected: shared.as_ref().map(|_| name),
                log_group: shared.unwrap_or(own),
            }
        });
        let followed = Following { region: project.manifest.region.clone(), functions: followed.collect() };
        self.followed.send_if_modified(|now| {
            let is_new = *now != followed;
            *now = followed;
            is_new
        });
    }

    /// Never ends by itself.
    ///
    /// # Errors
    /// If the local cloud cannot be reached at all.
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
                join_all(functions.iter().map(|one| self.print(&account, one, several, since))).await;
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

    async fn print(&self, account: &Account, one: &Followed, several: bool, since: i64) {
        let mut reader = LogReader::new(account, one.log_group.clone(), one.selected.clone(), Since::At(since));
        let no_platform = !self.session.global.verbose;
        let mut selector = Selector::new(Selection { no_platform, ..Selection::default() });
        loop {
            let page = reader.page().await;
            for event in events(page.map(|page| page.map(|page| page.events))) {
                if selector.read(&event.stream, &event.message).0 {
                    let name = if several { format!("{} | ", one.name) } else { "| ".to_owned() };
                    let lines = event.message.trim_end().lines();
                    let lines: Vec<Line> = lines.map(|line| Line::coloured(&format!("{name}{line}"))).collect();
                    self.session.console.show(&lines);
                    self.page.into_iter().for_each(|page| page.log(&one.name, event.timestamp, &event.message));
                }
            }
            // A local cloud may be asked often.
            reader.rest(true).await;
        }
    }
}

/// None while the log group does not exist yet, and while the local cloud cannot answer: the next deploy says why.
fn events(page: Result<Option<Vec<LogEvent>>, CloudError>) -> Vec<LogEvent> {
    page.ok().flatten().unwrap_or_default()
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(now).unwrap_or(i64::MAX)
}
