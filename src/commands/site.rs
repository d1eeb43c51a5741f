//! Where functions live: an account in a region, and each function's place there.

use super::local::{self, local_failure};
use super::project::{Project, platform};
use super::session::Session;
use crate::apply::{Cloud, Observed};
use crate::aws::{Access, Account, Current, Place};
use crate::failure::Failure;
use crate::manifest::{Check, Function, Manifest};
use crate::report::{FunctionAnswer, Functions, State};
use crate::stack::{Live, Names, Platform, Stack};
use futures_util::future::try_join_all;

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
    /// The bucket for a large package; `None` for one that is made for it.
    pub bucket: Option<&'a str>,
}

impl Site {
    /// Opens the account and finds out which it is, before anything is read or written there.
    ///
    /// # Errors
    /// Those of [`open`], and another account than the manifest's.
    pub async fn connect(session: &Session, manifest: &Manifest) -> Result<Site, Failure> {
        let account = open(session, manifest).await?;
        let id = session.read("the account", account.id()).await??;
        if let Some(wrong) = account.wrong_clock() {
            session.console.note(&format!("this machine's clock is {wrong}: requests are signed by AWS's"));
        }
        match &manifest.account {
            // The local cloud is no AWS account, so there is nothing to guard.
            Some(expected) if *expected != id && !session.global.local => Err(Failure::wrong_account(expected, &id)),
            _ => Ok(Site { account, id }),
        }
    }

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

    /// Where something is going to happen, for a question.
    pub fn words(&self) -> String {
        format!("account {} in {}", self.id, self.account.region)
    }

    /// What was found out of functions, and where they are.
    pub fn functions(&self, project: &Project, functions: Vec<FunctionAnswer>) -> Functions {
        Functions {
            account: Some(self.id.clone()),
            region: Some(self.account.region.clone()),
            endpoint: self.account.endpoint.clone(),
            stage: project.manifest.stage.clone(),
            functions,
        }
    }
}

/// Opens the account that the options and the manifest name; makes no call to AWS.
pub async fn open(session: &Session, manifest: &Manifest) -> Result<Account, Failure> {
    let global = &session.global;
    let access = if global.local {
        local_access(session, manifest).await?
    } else {
        Access::Aws {
            profile: global.profile.clone(),
            region: global.region.clone(),
            manifest_region: manifest.region.clone(),
        }
    };
    let account = session.read("the credentials", Account::open(access)).await??;
    session.console.hide(account.secrets.iter().cloned());
    session.console.set_region(&account.region);
    if let Some(endpoint) = account.endpoint.as_ref().filter(|_| !global.local) {
        session.console.note(&format!("using the endpoint {endpoint} instead of AWS"));
    }
    Ok(account)
}

async fn local_access(session: &Session, manifest: &Manifest) -> Result<Access, Failure> {
    let home = local::home()?;
    let running = session.read("the local cloud", home.start()).await?.map_err(local_failure)?;
    let credentials = home.credentials().map_err(local_failure)?;
    Ok(Access::Local {
        endpoint: running.endpoint,
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        region: local::region(&session.global, manifest),
    })
}

/// Observes all functions, side by side.
pub async fn observe_all<'a>(
    session: &Session,
    jobs: &'a [Job<'a>],
) -> Result<Vec<(&'a Job<'a>, Current<'a>)>, Failure> {
    let observe = async |job: &'a Job<'a>| Ok((job, job.place.observe().await?));
    session.read("what is deployed", try_join_all(jobs.iter().map(observe))).await?
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
        let live = observed.stack.live.as_ref();
        FunctionAnswer {
            state: if live.is_some() { State::Deployed } else { State::Absent },
            url: observed.stack.url.clone(),
            release: live.map(|live| live.release.clone()),
            shift: live.and_then(Live::weight),
            verdict: (live.is_some() && observed.stack.url.is_some()).then_some(observed.outputs.remembered.verdict),
            outputs: observed.outputs.clone(),
            ..FunctionAnswer::of(self.names().clone())
        }
    }
}
