//! `lamstream dev`: deploys to the local cloud again whenever a file changes.

mod page;
mod relay;
mod sources;
mod watch;

use super::deploy::deploy;
use super::local::serve_during;
use super::logs::Follower;
use super::project::Project;
use super::session::Session;
use crate::aws::LogEvent;
use crate::cli::Dev;
use crate::failure::Failure;
use crate::report::Answer;
use crate::text::list;
use page::Page;
use relay::Relay;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use watch::{Roots, Watch};

/// How often to look whether only trials are in progress.
const LOOK: Duration = Duration::from_millis(20);
/// How many changed files a line names.
const NAMED: usize = 3;

pub(super) async fn dev(session: &Session, arguments: &Dev) -> Result<Answer, Failure> {
    if session.console.is_document() {
        return Err(Failure::usage("`dev` prints no JSON document, because it does not end by itself"));
    }
    if session.global.profile.is_some() {
        let failure = Failure::usage("`dev` uses the local cloud, which has no profiles");
        return Err(failure.hint("to give the functions credentials of AWS, use `--with-credentials PROFILE`"));
    }
    // A wrong name will not become right by an edit.
    refuse_unknown(session, arguments)?;
    let relay = match arguments.port {
        Some(port) => {
            if let Ok(project) = Project::read(&session.global, &arguments.functions) {
                relay::refuse_several(&project)?;
            }
            Some(Relay::listen(port).await?)
        }
        None => None,
    };
    let page = if arguments.open { Some(Page::open(session).await?) } else { None };
    // The future of a deploy is large.
    serve_during(session, Box::pin(rounds(session, arguments, relay.as_ref(), page.as_ref()))).await?;
    Ok(Answer::default())
}

/// Refuses a stage and names that the manifest does not have, if it can be read.
fn refuse_unknown(session: &Session, arguments: &Dev) -> Result<(), Failure> {
    match (Project::of_any_stage(&session.global), Project::read(&session.global, &arguments.functions)) {
        (Ok(_), Err(unknown)) => Err(unknown),
        _ => Ok(()),
    }
}

/// Deploys, waits for a change, and deploys again, until a signal arrives.
async fn rounds(session: &Session, arguments: &Dev, relay: Option<&Relay>, page: Option<&Page>) -> Result<(), Failure> {
    let log = |function: &str, event: &LogEvent| {
        page.into_iter().for_each(|page| page.log(function, event.timestamp, &event.message));
    };
    let follower = Follower::new(session, &log);
    let mut watch = Watch::new()?;
    let mut served = Served::default();
    let mut why = String::new();
    let looping = async {
        loop {
            // Before the files are read, so that no later change is missed.
            let roots = roots(session, arguments).await;
            watch.follow(&roots)?;
            if let Some(page) = page {
                let project = Project::read(&session.global, &arguments.functions).ok();
                page.begin_round(project.as_ref(), &served.urls, &why);
            }
            let wanted = arguments.deploy();
            let result = tokio::select! {
                biased;
                result = Box::pin(deploy(session, &wanted)) => Some(result),
                edited = superseded(session, &mut watch, &roots) => edited.map(|()| None)?,
            };
            if session.stop.requested().is_some() {
                return Ok(());
            }
            if let Some(result) = result {
                let is_good = served.show(session, &result)?;
                let project = Project::read(&session.global, &arguments.functions).ok();
                if let Some(project) = &project {
                    follower.follow(project);
                    relay.into_iter().try_for_each(|relay| relay.towards(project, &served.urls))?;
                }
                if let Some(page) = page {
                    page.end_round(session, project.as_ref(), &served.urls, is_good).await;
                }
                session.console.note(waiting(is_good, served.urls.is_empty()));
            } else {
                session.console.forget_round();
                session.console.note("the checks end early: an edit replaces this release");
            }
            let Ok(changed) = session.until_stopped(watch.changed(&roots)).await else { return Ok(()) };
            why = format!("changed: {}", named(&changed?, &roots.directory));
            session.console.note(&why);
        }
    };
    tokio::select! {
        done = looping => done,
        failed = follower.run() => failed,
        failed = Relay::serve(relay) => failed,
    }
}

/// Waits until an edit replaces a release that is still being tried: what it answers does not matter any more. A version
/// gets no traffic before its trial, so nothing has to be taken back. Every other step ends first.
async fn superseded(session: &Session, watch: &mut Watch, roots: &Roots) -> Result<(), Failure> {
    watch.change_begins(roots).await?;
    let mut looks = tokio::time::interval(LOOK);
    while !session.console.is_only_trying() {
        looks.tick().await;
    }
    Ok(())
}

fn waiting(is_good: bool, is_empty: bool) -> &'static str {
    match (is_good, is_empty) {
        (true, _) => "waiting for changes; Ctrl-C ends everything",
        (false, true) => "nothing is served yet; waiting for changes",
        (false, false) => "the last good release keeps serving; waiting for changes",
    }
}

/// The functions' URLs, as they were printed last.
#[derive(Default)]
struct Served {
    urls: BTreeMap<String, String>,
}

impl Served {
    /// Prints URLs that are new, and failures. Returns whether there were none.
    ///
    /// # Errors
    /// If stdout cannot be written.
    fn show(&mut self, session: &Session, result: &Result<Answer, Failure>) -> Result<bool, Failure> {
        let functions = match result {
            Ok(answer) => &answer.found.functions,
            Err(_) => &Vec::new(),
        };
        let is_single = functions.len() == 1;
        for function in functions {
            let (name, Some(url)) = (&function.name, function.url()) else { continue };
            if self.urls.insert(name.clone(), url.clone()).as_ref() != Some(url) {
                session.console.print(&if is_single { url.clone() } else { format!("{name}\t{url}") })?;
            }
        }
        Ok(session.console.show_failures(result.as_ref().ok(), result.as_ref().err()))
    }
}

/// What a change of leads to another deploy. A manifest that cannot be read leaves its own directory.
async fn roots(session: &Session, arguments: &Dev) -> Roots {
    let manifest = &session.global.manifest;
    let directory = manifest.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut roots = Roots::new(directory, manifest);
    let Ok(project) = Project::read(&session.global, &arguments.functions) else { return roots };
    roots.files.extend(project.values.iter().map(|file| watch::absolute(file)));
    for function in &project.functions {
        roots.trees.extend(sources::of(&project, function).await.iter().map(|source| watch::absolute(source)));
    }
    roots
}

fn named(changed: &[PathBuf], directory: &Path) -> String {
    let short = |path: &&PathBuf| path.strip_prefix(directory).unwrap_or(path).display().to_string();
    // Programs that edit files write a new one first, which is then gone.
    let there: Vec<&PathBuf> = changed.iter().filter(|path| path.exists()).collect();
    let changed = if there.is_empty() { changed.iter().collect() } else { there };
    let names: Vec<String> = changed.iter().take(NAMED).map(short).collect();
    let more = changed.len().saturating_sub(NAMED);
    let names = list::quoted(names.iter().map(String::as_str));
    if more == 0 { names } else { format!("{names} and {more} more") }
}
