//! A local cloud's data directory, and the process that serves it.

use super::adapter;
use super::limits::Limits;
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

    /// The credentials under which the local cloud is spoken to; made where there are none yet.
    pub fn credentials(&self) -> anyhow::Result<localcloud::Credentials> {
        localcloud::credentials(&self.data).with_context(|| format!("cannot use `{}`", self.data.display()))
    }

    /// Held by whoever serves this directory, for as long as it lives: the kernel lets go of it, however that ends.
    pub(super) fn lock(&self) -> anyhow::Result<Option<File>> {
        let path = self.data.join("daemon.lock");
        let file = private().truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("cannot open `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock `{}`", path.display())),
        }
    }

    pub(super) fn announce(&self, running: &Running) -> anyhow::Result<()> {
        let path = self.data.join("daemon.json");
        let text = serde_json::to_string(running)?;
        let fresh = path.with_extension("json.new");
        private().truncate(true).write(true).open(&fresh)?.write_all(text.as_bytes())?;
        fs::rename(&fresh, &path)?;
        Ok(())
    }

    /// The local cloud that serves this directory now.
    pub fn running(&self) -> anyhow::Result<Option<Running>> {
        if !localcloud::is_data_directory(&self.data) || self.lock()?.is_some() {
            return Ok(None);
        }
        match fs::read(self.data.join("daemon.json")) {
            // One that is just coming up has the lock, and nothing to say yet.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
            // One that is being killed may hold the lock for a moment longer than it answers.
            Ok(text) => Ok(serde_json::from_slice(&text).ok().filter(Running::answers)),
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
        let flags = match self.running()? {
            Some(running) => {
                let wanted = wanted.unwrap_or_else(|| running.limits.clone());
                let knows_adapter = adapter::named().is_none_or(|named| running.adapter == Some(named));
                if running.build == build() && running.limits == wanted && knows_adapter {
                    return Ok(running);
                }
                self.stop().await?;
                wanted
            }
            None => wanted.unwrap_or_default(),
        };
        self.credentials()?;
        // What an earlier one said of itself is not true any more.
        if let Some(_held) = self.lock()? {
            let _ = fs::remove_file(self.data.join("daemon.json"));
        }
        let mut child = self.spawn(&flags)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(running) = self.running()? {
                return Ok(running);
            }
            if child.try_wait()?.is_some() && self.lock()?.is_some() {
                bail!("the local cloud ended at once; it says why in `{}`", self.log().display());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the local cloud did not come up in {} s; see `{}`", PATIENCE.as_secs(), self.log().display())
    }

    fn log(&self) -> PathBuf {
        self.data.join("daemon.log")
    }

    /// In a process group of its own, so that Ctrl-C in this terminal does not end it.
    fn spawn(&self, flags: &[String]) -> anyhow::Result<Child> {
        let log = private().append(true).open(self.log())?;
        let program = std::env::current_exe().context("cannot find the lamstream program itself")?;
        let mut command = Command::new(program);
        command.args(["local", "run", "--port", "0", "--data"]).arg(&self.data).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0).current_dir("/");
        command.spawn().context("cannot start the local cloud")
    }

    /// Ends the local cloud and waits until it has gone. Gives whether there was one.
    pub async fn stop(&self) -> anyhow::Result<bool> {
        let Some(running) = self.running()? else { return Ok(false) };
        let pid = rustix::process::Pid::from_raw(running.pid).context("the local cloud has no process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).context("cannot stop the local cloud")?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.lock()?.is_some() {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the local cloud (process {}) does not end", running.pid)
    }

    /// Stops the local cloud and deletes all that it knew.
    pub async fn reset(&self) -> anyhow::Result<()> {
        if !self.data.exists() {
            return Ok(());
        }
        let ours = localcloud::is_data_directory(&self.data);
        ensure!(ours, "`{}` is not a local cloud's directory: nothing was deleted", self.data.display());
        self.stop().await?;
        fs::remove_dir_all(&self.data).with_context(|| format!("cannot delete `{}`", self.data.display()))
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
