//! A local cloud's data directory, and the process that serves it.

use super::adapter;
use super::limits::Limits;
use super::lock::Lock;
use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a local cloud may take to come up or to go.
const PATIENCE: Duration = Duration::from_secs(20);
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// What a process that serves a directory holds locks on: for its life, and for as long as it uses the data.
const SERVED: [&str; 2] = ["daemon.lock", "lock"];

/// Where a local cloud lives.
#[derive(Clone, Debug)]
pub struct Home {
    pub data: PathBuf,
}

/// A local cloud that answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Running {
    pub pid: i32,
    pub endpoint: String,
    /// Which program it is; another one replaces it.
    pub build: String,
    /// How it was asked to behave, as flags.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Lambda Web Adapter, as it knows it.
    #[serde(default)]
    pub adapter: Option<PathBuf>,
}

impl Running {
    fn answers(&self) -> bool {
        let address = self.endpoint.trim_start_matches("http://").parse();
        address.is_ok_and(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
    }
}

impl Home {
    /// `data`, or `$XDG_STATE_HOME/lamstream/local`, or `~/.local/state/lamstream/local`.
    pub fn find(data: Option<&Path>) -> anyhow::Result<Home> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = data.map(Path::to_owned).or_else(|| {
            let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
            Some(state?.join("lamstream/local"))
        });
        let data =
            data.context("there is no home directory to keep the local cloud's state in: name one with `--data`")?;
        Ok(Home { data: std::path::absolute(data)? })
    }

    /// The credentials under which the local cloud is spoken to, once it has been started.
    ///
    /// # Errors
    /// When it has not, or has been reset since.
    pub fn credentials(&self) -> anyhow::Result<localcloud::Credentials> {
        localcloud::known_credentials(&self.data).context("the local cloud was reset meanwhile: rerun the command")
    }

    /// The same, made where there are none yet. Only who holds the lock may make something here.
    pub(super) fn make_credentials(&self) -> anyhow::Result<localcloud::Credentials> {
        localcloud::credentials(&self.data).with_context(|| format!("cannot use `{}`", self.data.display()))
    }

    /// Held by whoever serves this directory, for as long as it lives: the kernel lets go of it, however that ends.
    pub(super) fn serve(&self) -> anyhow::Result<Option<File>> {
        let path = self.data.join(SERVED[0]);
        let file = private().truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot open `{}`", path.display()))?;
        locked(file.try_lock(), &path).map(|ours| ours.then_some(file))
    }

    /// Whether some process serves this directory, or has not quite ended. Only who holds the lock may ask: one that is
    /// just coming up would take the question for another cloud.
    fn is_served(&self) -> anyhow::Result<bool> {
        Ok(self.is_held(SERVED[0])? || self.is_held(SERVED[1])?)
    }

    /// Whether some process holds a lock. Looking makes no file, and those who look are not in each other's way.
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
    pub fn running(&self) -> anyhow::Result<Option<Running>> {
        let running = if self.is_held(SERVED[0])? { self.announced()? } else { None };
        // One that is being killed may be there for a moment longer than it answers.
        Ok(running.filter(Running::answers))
    }

    /// What the local cloud that serves this directory, or the last one that did, said of itself.
    fn announced(&self) -> anyhow::Result<Option<Running>> {
        match fs::read(self.data.join("daemon.json")) {
            // One that is just coming up has nothing to say yet.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        }
    }

    /// The running local cloud, started now if need be; one of another build is replaced, its state kept.
    pub async fn start(&self) -> anyhow::Result<Running> {
        self.start_as(None).await
    }

    /// The same, with one that behaves otherwise replaced, too. Where nothing is asked for, all are welcome.
    pub async fn start_with(&self, limits: &Limits) -> anyhow::Result<Running> {
        let flags = limits.flags();
        self.start_as(Some(flags).filter(|flags| !flags.is_empty())).await
    }

    async fn start_as(&self, wanted: Option<Vec<String>>) -> anyhow::Result<Running> {
        let lock = Lock::take(&self.data).await?;
        let mut flags = wanted.clone().unwrap_or_default();
        if self.is_served()? {
            if let Some(running) = self.announced()? {
                flags = wanted.unwrap_or_else(|| running.limits.clone());
                let knows_adapter = adapter::named().is_none_or(|named| running.adapter == Some(named));
                if running.build == build() && running.limits == flags && knows_adapter && running.answers() {
                    return Ok(running);
                }
            }
            self.end(&lock).await?;
        }
        self.make_credentials()?;
        // What an earlier one said of itself is not true any more.
        let _ = fs::remove_file(self.data.join("daemon.json"));
        let said_before = fs::metadata(self.log()).map_or(0, |log| log.len());
        let mut child = self.spawn(&flags, &lock)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(running) = self.running()? {
                return Ok(running);
            }
            if child.try_wait()?.is_some() {
                bail!(
                    "the local cloud ended at once: {}; see `{}`",
                    self.last_words(said_before),
                    self.log().display()
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
        // It must not come up when nobody looks any more.
        child.kill().and_then(|()| child.wait()).context("cannot end the local cloud, which does not come up")?;
        bail!("the local cloud did not come up in {} s; see `{}`", PATIENCE.as_secs(), self.log().display())
    }

    /// Why the local cloud ended, by what it has written to its log behind the bytes that were there before.
    fn last_words(&self, before: u64) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        let new = log.get(usize::try_from(before).unwrap_or_default()..).unwrap_or_default();
        let new = String::from_utf8_lossy(new);
        let lines = || new.lines().map(str::trim).filter(|line| !line.is_empty());
        // Hints may follow an error.
        let error = lines().rev().find_map(|line| line.strip_prefix("error: "));
        error.or_else(|| lines().next_back()).unwrap_or("it does not say why").to_owned()
    }

    fn log(&self) -> PathBuf {
        self.data.join("daemon.log")
    }

    /// In a process group of its own, so that Ctrl-C in this terminal does not end it.
    /// It holds the lock, too, until it answers: this process may be killed meanwhile.
    fn spawn(&self, flags: &[String], lock: &Lock) -> anyhow::Result<Child> {
        let log = private().append(true).open(self.log())?;
        let program = std::env::current_exe().context("cannot find the lamstream program itself")?;
        let mut command = Command::new(program);
        command.args(["local", "run", "--port", "0", "--data"]).arg(&self.data).args(flags);
        command.stdin(lock.to_stdin()?).stdout(Stdio::null()).stderr(log).process_group(0).current_dir("/");
        command.spawn().context("cannot start the local cloud")
    }

    /// Ends the local cloud and waits until it has gone. Gives whether there was one.
    pub async fn stop(&self) -> anyhow::Result<bool> {
        match Lock::take_existing(&self.data).await? {
            Some(lock) => self.end(&lock).await,
            None => Ok(false),
        }
    }

    /// The same, under the lock: no other one can come up meanwhile.
    async fn end(&self, _: &Lock) -> anyhow::Result<bool> {
        if !self.is_served()? {
            return Ok(false);
        }
        let pid = self.announced()?.and_then(|running| rustix::process::Pid::from_raw(running.pid));
        let pid = pid.with_context(|| {
            format!(
                "some process serves `{}`, but `daemon.json` does not say which: end it, and rerun the command",
                self.data.display()
            )
        })?;
        match rustix::process::kill_process(pid, rustix::process::Signal::TERM) {
            // It is ending as it is.
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
        bail!("the local cloud (process {}) does not end", pid.as_raw_nonzero())
    }

    /// Stops the local cloud and deletes all that it knew.
    pub async fn reset(&self) -> anyhow::Result<()> {
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

/// Whether a lock was there to be taken.
fn locked(taken: Result<(), TryLockError>, path: &Path) -> anyhow::Result<bool> {
    match taken {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
    }
}

/// Makes files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

/// This program, exactly: its version, and when it was built.
pub(super) fn build() -> String {
    let built = std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified()).ok();
    let built = built.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}", env!("CARGO_PKG_VERSION"), built.as_millis())
}
