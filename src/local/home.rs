//! A local cloud's data directory, and the process that serves it.

use super::adapter;
use super::lock::{Lock, PAUSE};
use crate::cli::Limits;
use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a local cloud may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// Locked by the process that serves a directory, until it exits.
const SERVING: &str = "daemon.lock";
/// Why the process that was to serve could not.
const FAILURE: &str = "daemon.error";
/// Locked by the same process while it uses the data.
const USING: &str = "lock";

/// A local cloud's data directory.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub data: PathBuf,
}

/// What a running local cloud writes about itself into its data directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Running {
    pub pid: i32,
    pub endpoint: String,
    /// The program that it runs; `start` replaces a local cloud of another build.
    pub build: String,
    /// The flags that it was started with.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Where it looks for Lambda Web Adapter, in this order.
    #[serde(default)]
    pub adapters: Vec<PathBuf>,
}

impl Running {
    /// Whether it is of this build, and runs web apps with the adapter that is wanted now.
    pub(crate) fn is_current(&self) -> bool {
        self.build == build() && self.has_adapter()
    }

    /// Whether it runs web apps with the adapter that is wanted now: `$LAMSTREAM_ADAPTER`, if it is set, or else the
    /// installed one or this program's own.
    fn has_adapter(&self) -> bool {
        match adapter::named() {
            Some(named) => self.adapters == [named],
            None => self.adapters.last().is_some_and(|program| *program == localcloud::this_program()),
        }
    }

    fn answers(&self) -> bool {
        let address = self.endpoint.trim_start_matches("http://").parse();
        address.is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
    }
}

impl Home {
    /// `data`, or `$XDG_STATE_HOME/lamstream/local`, or `~/.local/state/lamstream/local`.
    ///
    /// # Errors
    /// When `data` is not given and there is no home directory.
    pub(crate) fn find(data: Option<&Path>) -> anyhow::Result<Home> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = data.map(Path::to_owned).or_else(|| {
            let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
            Some(state?.join("lamstream/local"))
        });
        let data = data.context("cannot find a home directory for the local cloud's state: set one with `--data`")?;
        Ok(Home { data: std::path::absolute(data)? })
    }

    /// The credentials for calls to the local cloud, which the first start creates.
    ///
    /// # Errors
    /// When it was never started, or was reset in the meantime.
    pub(crate) fn credentials(&self) -> anyhow::Result<localcloud::Credentials> {
        localcloud::known_credentials(&self.data).map_err(|error| match error.is::<localcloud::UnusableState>() {
            true => error,
            false => error.context("the local cloud was reset in the meantime: rerun the command"),
        })
    }

    /// The same, created if there are none yet. Call it under the lock.
    pub(super) fn make_credentials(&self) -> anyhow::Result<localcloud::Credentials> {
        localcloud::credentials(&self.data).with_context(|| format!("cannot use `{}`", self.data.display()))
    }

    /// Locks the directory for serving, until the file is dropped or the process exits; `None` if another process serves
    /// it.
    pub(super) fn serve(&self) -> anyhow::Result<Option<File>> {
        let path = self.data.join(SERVING);
        let file = private().truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot open `{}`", path.display()))?;
        locked(file.try_lock(), &path).map(|ours| ours.then_some(file))
    }

    /// Whether a process serves this directory or is still exiting. Call it under the lock: to a local cloud that is just
    /// starting, this look would seem to be another one.
    fn is_served(&self) -> anyhow::Result<bool> {
        Ok(self.is_held(SERVING)? || self.is_held(USING)?)
    }

    /// Whether a process holds a lock. Looking creates no file, and several processes can look at once.
    fn is_held(&self, name: &str) -> anyhow::Result<bool> {
        let path = self.data.join(name);
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot open `{}`", path.display())),
            Ok(file) => Ok(!locked(file.try_lock_shared(), &path)?),
        }
    }

    pub(super) fn announce(&self, running: &Running) -> anyhow::Result<()> {
        let path = self.data.join("daemon.json");
        let text = serde_json::to_string(running)?;
        let fresh = path.with_extension("json.new");
        let write = || {
            private().truncate(true).write(true).open(&fresh)?.write_all(text.as_bytes())?;
            fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// The local cloud that serves this directory now.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn running(&self) -> anyhow::Result<Option<Running>> {
        let running = if self.is_held(SERVING)? { self.announced()? } else { None };
        // A process that is being killed may keep its lock a moment longer than it answers.
        Ok(running.filter(Running::answers))
    }

    /// What the local cloud that serves this directory, or the last one that did, wrote about itself.
    fn announced(&self) -> anyhow::Result<Option<Running>> {
        match fs::read(self.data.join("daemon.json")) {
            // A local cloud that is just starting has not written it yet.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // What is not a file does not describe one; `start` replaces it.
            Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("cannot read `{}`", self.data.join("daemon.json").display()))
            }
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        }
    }

    /// The running local cloud, started now if necessary. A local cloud of another build is replaced; its state is kept.
    ///
    /// # Errors
    /// When it cannot be started, or the old one cannot be stopped; [`localcloud::UnusableState`] when its state is
    /// damaged or too new.
    pub(crate) async fn start(&self) -> anyhow::Result<Running> {
        self.start_as(None).await
    }

    /// The same; a local cloud with other limits is replaced, too. Without any limits, a running one is taken as it is.
    ///
    /// # Errors
    /// As [`Home::start`].
    pub(crate) async fn start_with(&self, limits: &Limits) -> anyhow::Result<Running> {
        let flags = limits.flags();
        self.start_as(Some(flags).filter(|flags| !flags.is_empty())).await
    }

    async fn start_as(&self, wanted: Option<Vec<String>>) -> anyhow::Result<Running> {
        let lock = Lock::take(&self.data).await?;
        let mut flags = wanted.clone().unwrap_or_default();
        let is_served = self.is_served()?;
        if is_served && let Some(running) = self.announced()? {
            flags = wanted.unwrap_or_else(|| running.limits.clone());
            if running.is_current() && running.limits == flags && running.answers() {
                return Ok(running);
            }
        }
        // The local cloud checks it too, but could only log the error. One that runs is not stopped in vain.
        localcloud::check_state(&self.data)?;
        if is_served {
            self.end(&lock).await?;
        }
        self.make_credentials()?;
        // It describes a local cloud that is gone.
        self.clear("daemon.json")?;
        self.clear(FAILURE)?;
        let mut child = self.spawn(&flags, &lock)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(running) = self.running()? {
                return Ok(running);
            }
            if child.try_wait()?.is_some() {
                let why = self.failure();
                bail!("the local cloud exited at once: {why}; see `{}`", self.log().display());
            }
            tokio::time::sleep(PAUSE).await;
        }
        // Otherwise it might start after this command has reported that it did not.
        child.kill().and_then(|()| child.wait()).context("cannot stop the local cloud, which does not start")?;
        bail!("the local cloud did not start within {} s; see `{}`", PATIENCE.as_secs(), self.log().display())
    }

    /// Removes what is left of an earlier local cloud, whatever it is.
    fn clear(&self, name: &str) -> anyhow::Result<()> {
        let path = self.data.join(name);
        let removed = match path.symlink_metadata() {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Why the local cloud that was started last could not serve.
    fn failure(&self) -> String {
        fs::read_to_string(self.data.join(FAILURE)).unwrap_or_else(|_| "it gave no reason".to_owned())
    }

    /// Keeps why this process cannot serve for the one that started it. Without it, the log still has the reason.
    pub(crate) fn keep_failure(&self, error: &anyhow::Error) {
        let file = private().write(true).truncate(true).open(self.data.join(FAILURE));
        let _ = file.and_then(|mut file| write!(file, "{error:#}"));
    }

    fn log(&self) -> PathBuf {
        self.data.join("daemon.log")
    }

    /// Starts it in its own process group, so that Ctrl-C in this terminal does not stop it. It shares the lock until it
    /// answers, because this process may be killed before that.
    fn spawn(&self, flags: &[String], lock: &Lock) -> anyhow::Result<Child> {
        let log = private().append(true).open(self.log());
        let log = log.with_context(|| format!("cannot open `{}`", self.log().display()))?;
        let program = std::env::current_exe().context("cannot find the lamstream executable")?;
        let mut command = Command::new(program);
        command.args(["local", "run", "--port", "0", "--data"]).arg(&self.data).args(flags);
        // It has another working directory.
        command.envs(adapter::named().map(|named| ("LAMSTREAM_ADAPTER", named)));
        command.stdin(lock.to_stdin()?).stdout(Stdio::null()).stderr(log).process_group(0).current_dir("/");
        command.spawn().context("cannot start the local cloud")
    }

    /// Stops the local cloud and waits until it has exited. Returns whether there was one.
    ///
    /// # Errors
    /// When it does not stop.
    pub(crate) async fn stop(&self) -> anyhow::Result<bool> {
        match Lock::take_existing(&self.data).await? {
            Some(lock) => self.end(&lock).await,
            None => Ok(false),
        }
    }

    /// The same, under the lock, so that no other local cloud can start in the meantime.
    async fn end(&self, _: &Lock) -> anyhow::Result<bool> {
        if !self.is_served()? {
            return Ok(false);
        }
        let pid = self.announced()?.and_then(|running| rustix::process::Pid::from_raw(running.pid));
        let pid = pid.with_context(|| {
            format!(
                "a process serves `{}`, but `daemon.json` does not say which: stop it and rerun the command",
                self.data.display()
            )
        })?;
        match rustix::process::kill_process(pid, rustix::process::Signal::TERM) {
            // It has just exited by itself.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error).context("cannot stop the local cloud"),
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if !self.is_served()? {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the local cloud (process {}) does not stop", pid.as_raw_nonzero())
    }

    /// Stops the local cloud and deletes its state.
    ///
    /// # Errors
    /// When it does not stop, or the directory does not belong to a local cloud.
    pub(crate) async fn reset(&self) -> anyhow::Result<()> {
        match Lock::take_existing(&self.data).await? {
            Some(lock) => {
                self.end(&lock).await?;
                localcloud::erase(&self.data)
            }
            None => {
                let foreign = localcloud::is_foreign(&self.data);
                ensure!(!foreign, "`{}` is not a local cloud's directory: nothing was deleted", self.data.display());
                Ok(())
            }
        }
    }
}

/// Whether the lock was free.
fn locked(taken: Result<(), TryLockError>, path: &Path) -> anyhow::Result<bool> {
    match taken {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
    }
}

/// Creates files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

/// Identifies this executable: its version, and when it was built. A process stays what it was when its file is replaced.
pub(super) fn build() -> String {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(read_build).clone()
}

fn read_build() -> String {
    let built = std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified()).ok();
    let built = built.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}", env!("CARGO_PKG_VERSION"), built.as_millis())
}
