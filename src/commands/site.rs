//! Which functions a command is about, and where they live.

use super::session::Session;
use crate::apply::{Cloud, Observed};
use crate::aws::{Account, Place};
use crate::failure::Failure;
use crate::manifest::{Check, Function, Manifest};
use crate::plan::{self, Kind, Plan};
use crate::report::{Answer, FunctionAnswer, State};
use crate::stack::{Names, Platform, Stack};
use futures_util::future::try_join_all;
use std::path::{Path, PathBuf};

/// A manifest, and the functions of it that were chosen.
pub struct Project {
    /// Where the manifest lies: its paths begin there.
    pub directory: PathBuf,
    /// The text of the manifest.
    pub text: String,
    pub manifest: Manifest,
    pub functions: Vec<Function>,
    /// The manifest, and what `build` writes: no part of any package.
    pub own: Vec<PathBuf>,
    /// The files that values come from, in any stage and for any function.
    pub values: Vec<PathBuf>,
}

impl Project {
    /// Where something is that the manifest names.
    pub fn path(&self, named: &Path) -> PathBuf {
        if self.directory == Path::new(".") { named.to_owned() } else { self.directory.join(named) }
    }
}

impl Project {
    /// What the functions belong to, as questions have it.
    pub fn app(&self) -> String {
        match &self.manifest.stage {
            Some(stage) => format!("app `{}`, stage `{stage}`,", self.manifest.app),
            None => format!("app `{}`", self.manifest.app),
        }
    }
}

/// An account and its number.
pub struct Site {
    pub account: Account,
    pub id: String,
}

/// One function and its place.
pub struct Job<'a> {
    pub function: &'a Function,
    pub place: Place<'a>,
    /// What the code has to fit: the manifest's, or this machine's where it runs here.
    pub platform: Platform,
    /// Its checks without the values that come from outside.
    pub checks_as_written: &'a [Check],
    /// By which a large package goes; `None` for one that is made for it.
    pub bucket: Option<&'a str>,
}

impl Site {
    pub fn names(&self, project: &Project, function: &Function) -> Names {
        project.manifest.names(function, &self.account.region, &self.id)
    }

    /// The chosen functions in their places.
    pub fn jobs<'a>(&'a self, project: &'a Project, local: bool) -> Vec<Job<'a>> {
        let written =
            |function: &Function| project.manifest.functions.iter().find(|written| written.name == function.name);
        let job = |function: &'a Function| Job {
            function,
            place: Place::new(&self.account, self.names(project, function)),
            platform: platform(function, local),
            checks_as_written: written(function).map_or(&[], |written| &written.checks),
            bucket: project.manifest.artifact_bucket.as_deref(),
        };
        project.functions.iter().map(job).collect()
    }

    /// Where something is going to happen, as questions have it.
    pub fn words(&self) -> String {
        format!("account {} in {}", self.id, self.account.region)
    }

    /// An answer that says where we are.
    pub fn answer(&self, command: &'static str, project: &Project) -> Answer {
        Answer {
            account: Some(self.id.clone()),
            region: Some(self.account.region.clone()),
            endpoint: self.account.endpoint.clone(),
            stage: project.manifest.stage.clone(),
            ..Answer::new(command)
        }
    }
}

/// The manifest with one function of it: the named one, or the only one.
pub fn single(session: &Session, function: Option<&str>) -> Result<Project, Failure> {
    let named: Vec<String> = function.map(str::to_owned).into_iter().collect();
    let project = session.project(&named)?;
    if project.functions.len() != 1 {
        let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
        return Err(Failure::which_function(&known));
    }
    Ok(project)
}

/// The local cloud runs functions on this very machine, with what interpreters there are.
pub fn platform(function: &Function, local: bool) -> Platform {
    let wanted = Platform { runtime: function.runtime.clone(), architecture: function.architecture };
    if local { packaging::platform_here(&wanted) } else { wanted }
}

/// Observes all functions, side by side.
pub async fn observe_all(jobs: &[Job<'_>]) -> Result<Vec<Observed>, Failure> {
    Ok(try_join_all(jobs.iter().map(|job| job.place.observe())).await?)
}

impl Job<'_> {
    pub fn names(&self) -> &Names {
        self.place.names()
    }

    /// The stack that the manifest wants, with this code.
    pub fn target(&self, code: &str) -> Stack {
        self.function.target(self.names(), &self.platform, code)
    }

    /// What can be said of the function as it was observed.
    pub fn answer(&self, observed: &Observed) -> FunctionAnswer {
        FunctionAnswer {
            name: self.function.name.clone(),
            names: Some(self.names().clone()),
            state: if observed.stack.live.is_some() { State::Deployed } else { State::Absent },
            url: observed.stack.url.clone(),
            release: observed.stack.live.as_ref().map(|live| live.release.clone()),
            shift: observed.stack.live.as_ref().and_then(|live| live.shift.as_ref()).map(|shift| shift.weight),
            verdict: (observed.stack.live.is_some() && observed.stack.url.is_some())
                .then_some(observed.outputs.remembered.verdict),
            outputs: observed.outputs.clone(),
            ..FunctionAnswer::default()
        }
    }

    /// # Errors
    /// When the plan would change what is not ours, and nobody said that it may.
    pub fn refuse_strangers(&self, plan: &Plan, adopt: bool) -> Result<(), Failure> {
        match plan.strangers.first().filter(|_| !adopt) {
            Some(kind) => Err(Failure::stranger(kind.in_words(), &stranger_name(*kind, self.names()))),
            None => Ok(()),
        }
    }
}

fn stranger_name(kind: plan::Kind, names: &Names) -> String {
    match kind {
        Kind::LogGroup => names.log_group(),
        Kind::Role => names.role_name(),
        Kind::Function | Kind::Release | Kind::Url | Kind::Provisioned | Kind::Permission => names.function_name(),
    }
}
