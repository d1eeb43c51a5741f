//! What every command has at hand: the global options, the console, and the wish to stop.

use super::descendants::end_descendants;
use super::site::{Project, Site};
use super::stop::Stop;
use crate::apply::{Event, Observer};
use crate::aws::{Access, Account};
use crate::cli::{Again, Global, Output};
use crate::failure::{Failure, Kind};
use crate::local::Home;
use crate::manifest::{self, Manifest};
use crate::report::Console;
use futures_util::FutureExt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Where `build` puts zips unless it is told otherwise.
const ZIPS: &str = "target/lamstream";

/// One run of the program.
pub struct Session {
    pub global: Global,
    pub console: Console,
    pub stop: Stop,
    /// How long questions stood unanswered.
    asked: Mutex<Duration>,
}

impl Session {
    pub fn new(global: Global, again: Again) -> Session {
        let console = Console::new(global.output == Output::Json, global.quiet, again);
        Session { global, console, stop: Stop::listen(), asked: Mutex::default() }
    }

    /// The manifest, and of its functions those that were named; all of them if none was.
    pub fn project(&self, named: &[String]) -> Result<Project, Failure> {
        let (text, manifest) = self.manifest()?;
        let known: Vec<String> = manifest.functions.iter().map(|function| function.name.clone()).collect();
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            return Err(Failure::unknown_function(unknown, &known));
        }
        let chosen = |name: &String| named.is_empty() || named.contains(name);
        let functions = manifest.functions.iter().filter(|function| chosen(&function.name)).cloned().collect();
        let directory = self.global.manifest.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        let own = vec![self.global.manifest.clone(), PathBuf::from(ZIPS), directory.join(ZIPS)];
        let values = manifest::value_files(&text).iter().map(|file| directory.join(file)).collect();
        Ok(Project { directory, text, manifest, functions, own, values })
    }

    fn manifest(&self) -> Result<(String, Manifest), Failure> {
        let path = self.global.manifest.display().to_string();
        let text = std::fs::read_to_string(&self.global.manifest).map_err(|error| {
            Failure::new(Kind::Manifest, format!("cannot read the manifest `{path}`: {error}"))
                .hint("run this where the manifest is, or name it with `--manifest`")
        })?;
        // CI systems set variables that nobody gave a value to the empty string.
        let stage = self.global.stage.as_deref().filter(|stage| !stage.is_empty());
        match manifest::parse(&text, stage) {
            Ok(manifest) => Ok((text, manifest)),
            Err(problems) => Err(Failure::of_problems(Kind::Manifest, problems.render(&path, &text))),
        }
    }

    /// Opens the account that the options and the manifest name; makes no call to AWS.
    pub async fn open(&self, manifest: &Manifest) -> Result<Account, Failure> {
        let access = if self.global.local {
            self.local_access(manifest).await?
        } else {
            Access::Aws {
                profile: self.global.profile.clone(),
                region: self.global.region.clone(),
                manifest_region: manifest.region.clone(),
            }
        };
        let account = self.looking("the credentials", Account::open(access)).await??;
        self.console.hide(account.secrets.iter().cloned());
        if let Some(endpoint) = account.endpoint.as_ref().filter(|_| !self.global.local) {
            self.console.note(&format!("using the endpoint {endpoint} instead of AWS"));
        }
        Ok(account)
    }

    async fn local_access(&self, manifest: &Manifest) -> Result<Access, Failure> {
        let home = Session::home()?;
        let running = self.looking("the local cloud", home.start()).await?.map_err(local_failure)?;
        let credentials = home.credentials().map_err(local_failure)?;
        Ok(Access::Local {
            endpoint: running.endpoint,
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key,
            region: self.local_region(manifest),
        })
    }

    /// The local cloud that `--local` means.
    pub fn home() -> Result<Home, Failure> {
        let data = std::env::var_os("LAMSTREAM_LOCAL_DIR").filter(|data| !data.is_empty());
        Home::find(data.as_deref().map(Path::new)).map_err(local_failure)
    }

    /// The region that `--local` means.
    pub fn local_region(&self, manifest: &Manifest) -> String {
        let region = self.global.region.clone().or_else(|| manifest.region.clone());
        region.unwrap_or_else(|| localcloud::REGION.to_owned())
    }

    /// Opens the account and finds out which it is, before anything is read or written there.
    pub async fn connect(&self, manifest: &Manifest) -> Result<Site, Failure> {
        let account = self.open(manifest).await?;
        let id = self.looking("the account", account.id()).await??;
        if let Some(wrong) = account.wrong_clock() {
            self.console.note(&format!("this machine's clock is {wrong}: requests are signed by AWS's"));
        }
        match &manifest.account {
            // The local cloud is nobody's account, so that the guard has nothing to guard there.
            Some(expected) if *expected != id && !self.global.local => Err(Failure::wrong_account(expected, &id)),
            _ => Ok(Site { account, id }),
        }
    }

    /// Ends with the first signal: for what only reads, or can be dropped half done.
    pub async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let stopped = async {
            let signal = self.stop.wait().await;
            // Before what they belong to is dropped: it kills its own children alone, and theirs would live on.
            end_descendants();
            signal
        };
        tokio::select! {
            biased;
            signal = stopped => Err(Failure::interrupted(signal)),
            done = work => Ok(done),
        }
    }

    /// Ends with the second signal: for what must not be left half done by the first.
    pub async fn until_second_signal<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            signal = self.stop.insisted() => Err(Failure::interrupted(signal)),
            done = work => Ok(done),
        }
    }

    /// Ends with the first signal, and shows meanwhile what is being read.
    pub async fn looking<T>(&self, at: &'static str, work: impl Future<Output = T>) -> Result<T, Failure> {
        self.console.tell(&Event::Looking { at });
        let done = self.until_stopped(work).await;
        self.console.tell(&Event::Looked { at });
        done
    }

    /// Whether nobody needs to be asked: `--yes` was given, or all that changes is on this machine.
    ///
    /// # Errors
    /// Where somebody has to be asked and nobody can be.
    pub fn agreed(&self, yes: bool, command: &str) -> Result<bool, Failure> {
        let agreed = yes || self.global.local;
        if !agreed && !self.console.can_ask() {
            return Err(Failure::needs_yes(command));
        }
        Ok(agreed)
    }

    /// Shows what is going to happen and asks whether it may.
    pub async fn consent(&self, lines: &[String], question: &str) -> Result<(), Failure> {
        let began = Instant::now();
        let answer = self.until_stopped(self.console.ask(lines, question)).await;
        *self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += began.elapsed();
        match answer? {
            true => Ok(()),
            false => Err(Failure::declined()),
        }
    }

    /// How long work took that began at `began`, without the time in which a question stood.
    pub fn took(&self, began: Instant) -> Duration {
        let asked = *self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        began.elapsed().saturating_sub(asked)
    }

    /// Calls `work` with an observer that ends it at the first signal.
    pub async fn watched<T>(&self, work: impl AsyncFnOnce(&Observer<'_>) -> T) -> T {
        let stopped = || self.stop.requested().is_some();
        self.listening(&stopped, work).await
    }

    /// The same for what must not be left half done: only the second signal ends it, and that at once.
    pub async fn watched_to_the_end<T>(&self, work: impl AsyncFnOnce(&Observer<'_>) -> T) -> Result<T, Failure> {
        let stopped = || self.stop.has_insisted();
        self.until_second_signal(self.listening(&stopped, work)).await
    }

    async fn listening<T>(&self, stopped: &dyn Fn() -> bool, work: impl AsyncFnOnce(&Observer<'_>) -> T) -> T {
        let tell = |event: &Event| self.console.tell(event);
        let insisted = || {
            let stop = self.stop.clone();
            async move {
                stop.insisted().await;
            }
            .boxed_local()
        };
        work(&Observer { tell: &tell, stopped, insisted: &insisted }).await
    }
}

pub(super) fn local_failure(error: anyhow::Error) -> Failure {
    Failure::new(Kind::Cloud, format!("{error:#}"))
}
