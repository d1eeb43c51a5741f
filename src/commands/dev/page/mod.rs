//! `dev --open`: a page on this machine that sends requests, draws when each chunk of a response arrived, and shows what
//! `dev` does.

mod body;
mod browser;
mod exchange;
mod feed;
mod guard;
mod server;
mod targets;

use crate::aws::Signer;
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::commands::site::Site;
use crate::commands::values::connect_for_checks;
use crate::failure::{Failure, FailureKind};
use crate::manifest::Function;
use crate::report::Shown;
use crate::stack::Auth;
use feed::{Feed, FunctionState};
use guard::Guard;
use serde_json::Value;
use server::Server;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use targets::{Target, Targets};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The ports of pages. A project's page has the same one each time if it is free, because a browser remembers requests by
/// port; systems do not use these ports for outgoing connections.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The page while `dev` runs; it ends when this is dropped.
pub(super) struct Page {
    feed: Arc<Feed>,
    targets: Arc<Targets>,
    _serving: JoinSet<()>,
}

impl Page {
    /// Serves the page, prints its address, and opens it in a browser if this session has a screen.
    ///
    /// # Errors
    /// If no port can be listened on.
    pub(super) async fn open(session: &Session) -> Result<Page, Failure> {
        let listener = listen(&session.global.manifest).await.map_err(|error| unserved(&error))?;
        let port = listener.local_addr().map_err(|error| unserved(&error))?.port();
        let guard = Guard::new(port).map_err(|error| unserved(&error))?;
        let address = guard.address();
        let (feed, targets) = (Arc::<Feed>::default(), Arc::<Targets>::default());
        let server =
            Server { guard, feed: Arc::clone(&feed), targets: Arc::clone(&targets), console: session.console.clone() };
        let mut serving = JoinSet::new();
        serving.spawn(server.serve(listener));
        session.console.insist(&format!("page: {address}"));
        let collecting = Arc::clone(&feed);
        session.console.listen(move |shown| match shown {
            Shown::Event(event) => collecting.tell(event),
            Shown::Failures(failures) => collecting.fail(failures),
        });
        browser::open_address(&address);
        Ok(Page { feed, targets, _serving: serving })
    }

    /// A round begins; `why` says which files have changed.
    pub(super) fn begin_round(&self, project: Option<&Project>, urls: &BTreeMap<String, String>, why: &str) {
        self.feed.begin_round(why);
        if let Some(project) = project {
            self.show(project, urls, BTreeMap::new());
        }
    }

    /// A round has ended. The releases and what requests need are read from the local cloud.
    pub(super) async fn end_round(
        &self,
        session: &Session,
        project: Option<&Project>,
        urls: &BTreeMap<String, String>,
        is_good: bool,
    ) {
        if let Some(project) = project {
            self.read(session, project, urls, is_good).await;
        }
        self.feed.end_round(is_good);
    }

    async fn read(&self, session: &Session, project: &Project, urls: &BTreeMap<String, String>, is_good: bool) {
        let Ok(again) = Project::read(&session.global, &named(project)) else { return };
        // The deploy has reported a value that is missing.
        let Ok((filled, site)) = connect_for_checks(session, again, is_good).await else { return };
        let releases = releases(session, &site, &filled).await;
        self.targets.update(found_targets(&site, project, &filled, urls).await, is_good);
        self.show(project, urls, releases);
    }

    /// An event of a function's log, at a time in milliseconds since 1970.
    pub(super) fn log(&self, function: &str, at: i64, message: &str) {
        self.feed.log(function, at, message);
    }

    fn show(&self, project: &Project, urls: &BTreeMap<String, String>, mut releases: BTreeMap<String, Vec<Value>>) {
        let shown = |function: &Function| FunctionState {
            name: function.name.clone(),
            url: urls.get(&function.name).cloned(),
            signed: is_signed(function),
            requests: targets::ready_requests(function),
            releases: releases.remove(&function.name).unwrap_or_default(),
            check: None,
        };
        self.feed.show_functions(&project.manifest.app, project.functions.iter().map(shown).collect());
    }
}

async fn listen(manifest: &Path) -> std::io::Result<TcpListener> {
    let manifest = super::watch::absolute(manifest);
    // FNV-1a: the same in every build, unlike the standard library's hashes.
    let hash = manifest
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let port = PORTS.start + u16::try_from(hash % PORTS.len() as u64).unwrap_or_default();
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await,
    }
}

fn unserved(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Usage, format!("cannot serve the page of `--open`: {error}"))
}

fn named(project: &Project) -> Vec<String> {
    project.functions.iter().map(|function| function.name.clone()).collect()
}

fn is_signed(function: &Function) -> bool {
    function.url.as_ref().is_some_and(|url| url.auth == Auth::AwsIam)
}

/// The releases of each function that can be read.
async fn releases(session: &Session, site: &Site, project: &Project) -> BTreeMap<String, Vec<Value>> {
    let mut releases = BTreeMap::new();
    for job in site.jobs(project, session.global.local) {
        if let Ok(Ok(published)) = session.until_stopped(job.place.published()).await {
            releases.insert(job.function.name.clone(), published.iter().map(feed::release).collect());
        }
    }
    releases
}

/// The functions that have a URL. `filled` is the project with the values of its checks.
async fn found_targets(
    site: &Site,
    project: &Project,
    filled: &Project,
    urls: &BTreeMap<String, String>,
) -> Vec<Target> {
    let signer: Option<Arc<Signer>> = match project.functions.iter().any(is_signed) {
        // A request without a signature says what is wrong.
        true => site.account.signer().await.ok().map(Arc::new),
        false => None,
    };
    let target = |(written, function): (&Function, &Function)| {
        Some(Target {
            url: urls.get(&function.name)?.clone(),
            signer: signer.clone().filter(|_| is_signed(function)),
            kept: targets::kept(written, function),
            function: function.clone(),
        })
    };
    project.functions.iter().zip(&filled.functions).filter_map(target).collect()
}
