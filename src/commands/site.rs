//! The account and region in which functions are deployed, and each function's place there.

use super::foresight::{Foresight, Purpose};
use super::local::{self, local_failure};
use super::prepared::{Buildable, Prepared};
use super::project::{Project, platform};
use super::session::Session;
use crate::apply::{Cloud, Event, Observed};
use crate::aws::{Access, Account, Ahead, Current, Place, observe_all};
use crate::failure::Failure;
use crate::manifest::{Check, Function, Manifest};
use crate::report::{FunctionAnswer, Functions, State};
use crate::stack::{Live, Names, Platform, Stack, secrets_of};

/// An account and its number.
pub(super) struct Site {
    pub account: Account,
    pub id: String,
}

/// One function and its place.
pub(super) struct Job<'a> {
    pub function: Function,
    pub place: Place<'a>,
    /// The platform that the code must fit: the manifest's, or this machine's if the function runs here.
    pub platform: Platform,
    /// The function's checks without the values that come from outside.
    pub checks_as_written: &'a [Check],
    /// The bucket for a large package; `None` if lamstream creates one for it.
    pub bucket: Option<&'a str>,
}

impl Site {
    /// Opens the account and finds out its number, before anything is read or written there.
    ///
    /// # Errors
    /// Those of [`open`], and when the account is not the one in the manifest.
    pub(super) async fn connect(session: &Session, manifest: &Manifest) -> Result<Site, Failure> {
        let account = open(session, manifest).await?;
        let id = session.read("the account", account.id()).await??;
        Site { account, id }.accepted(session, manifest)
    }

    /// The same, and in the meantime reads what a command needs, in the account that the credentials name.
    ///
    /// # Errors
    /// As [`Site::connect`].
    pub(super) async fn connect_to(
        session: &Session,
        project: &Project,
        purpose: Purpose,
    ) -> Result<(Site, Foresight), Failure> {
        let account = open(session, &project.manifest).await?;
        let foresight = Box::pin(Foresight::of(&account, project, purpose));
        let reading = async { tokio::join!(account.id(), foresight) };
        let (id, foresight) = session.read("the account", reading).await?;
        let id = id?;
        let foresight = if account.named.as_ref() == Some(&id) { foresight } else { Foresight::default() };
        Ok((Site { account, id }.accepted(session, &project.manifest)?, foresight))
    }

    fn accepted(self, session: &Session, manifest: &Manifest) -> Result<Site, Failure> {
        note_wrong_clock(session, &self.account);
        self.refuse_other_account(session, manifest)?;
        Ok(self)
    }

    /// Refuses a manifest that is for another account.
    ///
    /// # Errors
    /// If it is. The local cloud is not an AWS account, so there is nothing to guard.
    pub(super) fn refuse_other_account(&self, session: &Session, manifest: &Manifest) -> Result<(), Failure> {
        match &manifest.account {
            Some(expected) if *expected != self.id && !session.global.local => {
                Err(Failure::wrong_account(expected, &self.id))
            }
            _ => Ok(()),
        }
    }

    /// Refuses web apps whose adapter AWS does not publish here. The local cloud has an adapter of its own.
    ///
    /// # Errors
    /// With the first of them.
    pub(super) fn refuse_missing_adapter(&self, session: &Session, project: &Project) -> Result<(), Failure> {
        let region = &self.account.region;
        let is_missing = |function: &&Function| function.web.as_ref().is_some_and(|web| !web.is_published_in(region));
        match project.functions.iter().find(is_missing).filter(|_| !session.global.local) {
            Some(function) => Err(Failure::no_adapter_layer(&function.name, region)),
            None => Ok(()),
        }
    }

    pub(super) fn names(&self, project: &Project, function: &Function) -> Names {
        project.manifest.names(function, &self.account.region, &self.id)
    }

    /// The chosen functions, each with its place.
    pub(super) fn jobs<'a>(&'a self, project: &'a Project, local: bool) -> Vec<Job<'a>> {
        let job = |function: &Function| self.job(project, function.clone(), platform(function, local));
        project.functions.iter().map(job).collect()
    }

    /// Functions with their code, each with its place.
    pub(super) fn prepared_jobs<'a>(
        &'a self,
        project: &'a Project,
        prepared: Vec<Prepared>,
    ) -> Vec<(Job<'a>, Buildable)> {
        let job = |Prepared { function, platform, code }| (self.job(project, function, platform), code);
        prepared.into_iter().map(job).collect()
    }

    fn job<'a>(&'a self, project: &'a Project, function: Function, platform: Platform) -> Job<'a> {
        let written = project.manifest.functions.iter().find(|written| written.name == function.name);
        Job {
            place: Place::new(&self.account, self.names(project, &function)),
            platform,
            checks_as_written: written.map_or(&[], |written| &written.checks),
            bucket: project.manifest.artifact_bucket.as_deref(),
            function,
        }
    }

    /// The account and the region, as a question names them.
    pub(super) fn words(&self) -> String {
        format!("account {} in {}", self.id, self.account.region)
    }

    /// The results for functions, with their account, region, endpoint and stage.
    pub(super) fn functions(&self, project: &Project, functions: Vec<FunctionAnswer>) -> Functions {
        Functions {
            account: Some(self.id.clone()),
            region: Some(self.account.region.clone()),
            endpoint: self.account.endpoint.clone(),
            stage: project.manifest.stage.clone(),
            functions,
        }
    }
}

/// Opens the account that the options and the manifest name. This makes no call to AWS.
pub(super) async fn open(session: &Session, manifest: &Manifest) -> Result<Account, Failure> {
    open_in(session, manifest.region.as_deref()).await
}

/// The region that the options and the manifest name, without credentials.
pub(super) async fn region(session: &Session, manifest: &Manifest) -> Result<String, Failure> {
    let access = Access::Aws {
        profile: session.global.profile.clone(),
        region: session.global.region.clone(),
        manifest_region: manifest.region.clone(),
    };
    Ok(session.until_stopped(Account::region_of(access)).await??)
}

/// The same for a command without a manifest, or with this region in it.
pub(super) async fn open_in(session: &Session, region: Option<&str>) -> Result<Account, Failure> {
    let global = &session.global;
    let access = if global.local {
        local_access(session, region).await?
    } else {
        Access::Aws {
            profile: global.profile.clone(),
            region: global.region.clone(),
            manifest_region: region.map(str::to_owned),
        }
    };
    let account = session.read("the credentials", Account::open(access)).await??;
    session.console.hide(account.secrets.iter().cloned());
    let console = session.console.clone();
    account.report_rate_limits(move |service, wait| console.tell(&Event::RateLimited { service, wait }));
    session.console.set_region(&account.region);
    if let Some(endpoint) = account.endpoint.as_ref().filter(|_| !global.local) {
        session.console.note(&format!("using the endpoint {endpoint} instead of AWS"));
    }
    Ok(account)
}

async fn local_access(session: &Session, region: Option<&str>) -> Result<Access, Failure> {
    let home = local::home()?;
    let running = session.read("the local cloud", home.start()).await?.map_err(local_failure)?;
    let credentials = home.credentials().map_err(local_failure)?;
    Ok(Access::Local {
        endpoint: running.endpoint,
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        region: local::region(&session.global, region),
    })
}

pub(super) fn note_wrong_clock(session: &Session, account: &Account) {
    if let Some(wrong) = account.wrong_clock() {
        session.console.note(&format!("this machine's clock is {wrong}; lamstream uses AWS's time"));
    }
}

/// Observes all functions concurrently.
pub(super) async fn observe<'a>(session: &Session, jobs: Vec<Job<'a>>) -> Result<Vec<(Job<'a>, Current<'a>)>, Failure> {
    let observing = observe_all(jobs, |job| &job.place, Ahead::default());
    Ok(session.read("what is deployed", observing).await??)
}

/// Hides environment values, because a function may write them to its log. A command that deploys no values only knows
/// them from AWS.
pub(super) fn hide_environments<'s>(session: &Session, job: &Job<'_>, stacks: impl IntoIterator<Item = &'s Stack>) {
    let live = stacks.into_iter().filter_map(|stack| stack.live.as_ref());
    let releases = live.flat_map(|live| [&live.release, live.newest()]);
    let secrets = releases.flat_map(|release| secrets_of(&release.configuration.environment));
    session.console.hide(secrets.filter(|secret| !job.names().have(secret.reveal())));
}

impl Job<'_> {
    pub(super) fn names(&self) -> &Names {
        self.place.names()
    }

    /// The stack that the manifest describes, with this code.
    pub(super) fn target(&self, code: Option<&str>) -> Stack {
        self.function.target(self.names(), &self.platform, code)
    }

    /// The stack that the manifest describes if the code does not change, because nothing is built yet.
    pub(super) fn target_with_live_code(&self, deployed: &Stack) -> Stack {
        self.target(deployed.live.as_ref().and_then(|live| live.newest().code.as_deref()))
    }

    /// The answer for the function as it was observed.
    pub(super) fn answer(&self, observed: &Observed) -> FunctionAnswer {
        let live = observed.stack.live.as_ref();
        let addresses = observed.addresses();
        FunctionAnswer {
            state: if live.is_some() { State::Deployed } else { State::Absent },
            is_begun: live.is_none() && observed.stack.function.is_some(),
            url: observed.stack.url.clone(),
            release: live.map(|live| live.release.clone()),
            shift: live.and_then(Live::weight),
            verdict: (live.is_some() && !addresses.is_empty()).then_some(observed.outputs.remembered.verdict),
            addresses,
            outputs: observed.outputs.clone(),
            set_outside: observed.outside.all(self.function.settings.snap_start),
            ..FunctionAnswer::of(self.names().clone())
        }
    }
}
