//! A command that makes what is packaged. It runs again only if something that it may depend on has changed.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use walkdir::{DirEntry, WalkDir};

use crate::error::BuildError;
use crate::exclude::{self, Unwanted};
use crate::said::{self, signal};
use crate::tool::{self, Tell, failed, find};
use crate::{address, lock};

/// Increase it when commands run differently than before.
const WAY: &str = "1";
/// A process that the command left behind may keep its output open forever.
const LATE_OUTPUT: Duration = Duration::from_millis(500);
/// Directories that other tools fill from files that count.
const FILLED: [&str; 2] = ["node_modules", "target"];
/// Beginnings of the names of variables that differ between two runs in one place.
const UNSTEADY: [&str; 25] = [
    "_",
    "AWS_",
    "COLUMNS",
    "DBUS_",
    "DISPLAY",
    "GITHUB_",
    "GPG_",
    "HISTFILE",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LAMSTREAM_",
    "LINES",
    "OLDPWD",
    "PWD",
    "RUNNER_",
    "SHLVL",
    "SSH_",
    "TERM",
    "TERM_",
    "TMPDIR",
    "TMUX",
    "VSCODE_",
    "WAYLAND_",
    "WINDOWID",
    "XDG_",
];

/// A command of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildCommand {
    /// For `sh`.
    pub text: String,
    /// Where it runs.
    pub directory: PathBuf,
    /// What it makes, or the crate that it prepares.
    pub makes: PathBuf,
    /// A directory of the project, whose files count as the command's input.
    pub project: PathBuf,
    /// Files and directories in it that do not count, such as the manifest and what other commands make.
    pub ignored: Vec<PathBuf>,
    /// Variables for it, beside this process's own.
    pub variables: Vec<(&'static str, String)>,
    /// Where it is noted what the last run left.
    pub cache: Option<PathBuf>,
}

/// Whether a command ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    Now,
    /// Nothing has changed since it ran.
    Before,
}

impl BuildCommand {
    /// # Errors
    /// When it could not be started.
    pub fn check(&self) -> Result<(), BuildError> {
        if find("sh").is_none() {
            return Err(BuildError::new("cannot run `build.command`: `sh` is not in `PATH`").hint("install a shell"));
        }
        if !self.directory.is_dir() {
            let message =
                format!("cannot run `build.command` in `{}`: the directory does not exist", self.directory.display());
            let hint = "set `build.directory` to the directory, relative to the manifest, in which it can run";
            return Err(BuildError::new(message).at(&["build"]).hint(hint));
        }
        Ok(())
    }

    /// Runs it, unless nothing has changed since the last run. `tell` receives its output line by line. `waits` is called
    /// if another lamstream is running it.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(&self, tell: Tell<'_>, waits: &(dyn Fn() + Sync)) -> Result<Ran, BuildError> {
        let Some(cache) = &self.cache else { return self.run_now(tell).await.map(|()| Ran::Now) };
        let unwritable = |error: std::io::Error| {
            BuildError::new(format!("cannot write the cache `{}`", cache.display())).because(error)
        };
        std::fs::create_dir_all(cache).map_err(unwritable)?;
        let name = tool::key(&format!("{:?}", (absolute(&self.directory), &self.text, absolute(&self.makes))));
        let (note, lock) = (cache.join(&name), cache.join(format!("{name}.lock")));
        let _lock = lock::take(&lock, waits).await.map_err(unwritable)?;
        let before = std::fs::read_to_string(&note).ok();
        if before.is_some() && before == self.state() {
            return Ok(Ran::Before);
        }
        // An interrupted command does not count: it runs again next time.
        let _ = std::fs::remove_file(&note);
        self.run_now(tell).await?;
        if let Some(state) = self.state() {
            std::fs::write(&note, state).map_err(unwritable)?;
        }
        Ok(Ran::Now)
    }

    async fn run_now(&self, tell: Tell<'_>) -> Result<(), BuildError> {
        let mut command = Command::new("sh");
        command.args(["-c", &self.text]).current_dir(&self.directory).envs(self.variables.clone());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let cannot =
            |error: std::io::Error| BuildError::new("cannot run `build.command`").because(error).at(&["build"]);
        let mut child = command.spawn().map_err(cannot)?;
        let said = std::cell::RefCell::new(Vec::new());
        let hear = |line: &str| {
            let line = &*address::without_credentials(line);
            tell(line);
            said.borrow_mut().push(line.to_owned());
        };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let output = async { tokio::join!(tool::lines(stdout, hear), tool::lines(stderr, hear)) };
        tokio::pin!(output);
        let status = tokio::select! {
            (..) = &mut output => child.wait().await.map_err(cannot)?,
            status = child.wait() => {
                let _ = tokio::time::timeout(LATE_OUTPUT, &mut output).await;
                status.map_err(cannot)?
            }
        };
        if status.success() { Ok(()) } else { Err(self.failure(status, &said.borrow())) }
    }

    fn failure(&self, status: ExitStatus, said: &[String]) -> BuildError {
        let first = self.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let directory = self.directory.display();
        let error = |what: String| failed(format!("the build command `{first}` in `{directory}` {what}"), said);
        match (status.code(), status.signal()) {
            (Some(127), _) => error("failed: the shell did not find a program (exit code 127)".to_owned())
                .hint("install the program, or add it to `PATH`; npm's packages have theirs in `node_modules/.bin`: `npx NAME`"),
            (Some(126), _) => error("failed: a file cannot be executed (exit code 126)".to_owned())
                .hint("make it executable with `chmod +x`, or name its interpreter"),
            // The shell reports a program that a signal ended as 128 and the signal's number.
            (Some(code), _) if code > 128 => signalled(error(format!("failed: a program was ended by {}", signal(code - 128))), code - 128),
            (None, Some(number)) => signalled(error(said::ending(status)), number),
            _ => error(said::ending(status)),
        }
    }

    /// A digest of everything that may decide what the command makes, and of what it made. `None` if something cannot be
    /// read: then the command runs.
    fn state(&self) -> Option<String> {
        let mut digest = Sha256::new();
        digest.update(format!("{WAY}\0{}\0{:?}\0", self.text, self.variables));
        let mut variables: Vec<_> =
            std::env::vars_os().filter(|(name, _)| is_steady(&name.to_string_lossy())).collect();
        variables.sort();
        digest.update(format!("{variables:?}"));
        let ignored: Vec<PathBuf> = self.ignored.iter().filter_map(|path| path.canonicalize().ok()).collect();
        for root in [&tool::project(&self.project), &self.directory, &self.makes] {
            // What is to be made may be missing.
            let root = root.canonicalize().ok()?;
            let counts = |entry: &DirEntry| entry.path() == root || counts(entry, &ignored);
            for entry in WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(counts) {
                let entry = entry.ok()?;
                digest.update(entry.path().as_os_str().as_encoded_bytes());
                digest.update(content(&entry)?);
            }
        }
        Some(hex::encode(digest.finalize()))
    }
}

fn counts(entry: &DirEntry, ignored: &[PathBuf]) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_directory = entry.file_type().is_dir();
    let is_filled = is_directory && (FILLED.contains(&&*name) || entry.path().join("CACHEDIR.TAG").is_file());
    let is_clutter = exclude::by_name(entry.path()) == Some(Unwanted::Clutter);
    !is_filled && !is_clutter && !ignored.iter().any(|ignored| ignored == entry.path())
}

/// What identifies an entry's content.
fn content(entry: &DirEntry) -> Option<Vec<u8>> {
    let kind = entry.file_type();
    if kind.is_symlink() {
        return Some(std::fs::read_link(entry.path()).ok()?.into_os_string().into_encoded_bytes());
    }
    if !kind.is_file() {
        return Some(Vec::new());
    }
    let mode = entry.metadata().ok()?.permissions().mode() & 0o111;
    let mut content = Sha256::digest(std::fs::read(entry.path()).ok()?).to_vec();
    content.push(u8::from(mode != 0));
    Some(content)
}

fn is_steady(name: &str) -> bool {
    !UNSTEADY.iter().any(|beginning| match beginning.ends_with('_') && beginning.len() > 1 {
        true => name.starts_with(beginning),
        false => name == *beginning,
    })
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| tool::absolute(path))
}

fn signalled(error: BuildError, number: i32) -> BuildError {
    if number == 9 { error.hint("the system kills programs that need too much memory: see its log") } else { error }
}
