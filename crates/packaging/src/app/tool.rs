//! Running the tools that install packages, and looking for them.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::address;
use crate::cargo::lines;
use crate::error::BuildError;

/// Gets what a tool writes, line by line.
pub type Tell<'a> = &'a (dyn Fn(&str) + Sync);

/// What a tool that failed has said at its end, for its error.
const LAST_LINES: usize = 12;

/// The program of this name on the path.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// The directory that a file is in.
pub fn around(file: &Path) -> PathBuf {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// What a list holds. Editors of Windows put a mark before it, which is no part of it.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn text(file: &Path) -> Result<String, BuildError> {
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unreadable(file, &"it is UTF-16").hint("save it as UTF-8"));
    }
    let text = String::from_utf8(bytes).map_err(|error| unreadable(file, &error).hint("save it as UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

pub fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> BuildError {
    BuildError::new(format!("cannot read the dependencies `{}`", file.display())).because(error)
}

/// A directory for what is needed only now, which nobody else may read: addresses in it may have passwords.
///
/// # Errors
/// When it cannot be made.
pub fn scratch() -> Result<tempfile::TempDir, BuildError> {
    let make = || tempfile::Builder::new().prefix("lamstream-").tempdir();
    make().map_err(|error| BuildError::new("cannot make a temporary directory").because(error))
}

/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, text: &str) -> Result<(), BuildError> {
    let unwritable = |error| BuildError::new(format!("cannot write `{}`", file.display())).because(error);
    std::fs::write(file, text).map_err(unwritable)
}

/// Runs a tool to its end. Dropping the future kills it.
///
/// # Errors
/// All that it wrote, where it failed.
pub async fn run(mut command: Command, tell: Tell<'_>) -> Result<(), Vec<String>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| vec![error.to_string()])?;
    let said = RefCell::new(Vec::new());
    let hear = |line: &str| {
        let line = &*address::without_credentials(line);
        tell(line);
        said.borrow_mut().push(line.to_owned());
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, err, status) = tokio::join!(lines(stdout, hear), lines(stderr, hear), child.wait());
    let mut said = said.into_inner();
    match out.and(err).and(status) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            said.push(format!("it ended with {status}"));
            Err(said)
        }
        Err(error) => Err(vec![error.to_string()]),
    }
}

/// What a tool wrote to stdout, and nothing told.
pub async fn output(mut command: Command) -> Result<String, Vec<String>> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| vec![error.to_string()])?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(address::without_credentials(&said).lines().map(str::to_owned).collect())
}

/// An error with the tool's own last words.
pub fn failed(message: String, said: &[String]) -> BuildError {
    let words = said.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    let words: Vec<&str> = words.collect();
    let last = &words[words.len().saturating_sub(LAST_LINES)..];
    last.iter().fold(BuildError::new(message), |error, line| error.because(line))
}

/// Fills a directory of the cache exactly once: it is there whole, or not at all, whoever is killed or races.
///
/// # Errors
/// Those of `fill`, and when the cache cannot be written.
pub async fn cached(
    cache: &Path,
    key: &str,
    fill: impl AsyncFnOnce(&Path) -> Result<(), BuildError>,
) -> Result<PathBuf, BuildError> {
    let place = cache.join(key);
    if place.is_dir() {
        return Ok(place);
    }
    let unwritable =
        |error: std::io::Error| BuildError::new(format!("cannot write the cache `{}`", cache.display())).because(error);
    std::fs::create_dir_all(cache).map_err(unwritable)?;
    let making = tempfile::Builder::new().prefix(".making-").tempdir_in(cache).map_err(unwritable)?;
    fill(making.path()).await?;
    match std::fs::rename(making.path(), &place) {
        // The directory has moved: there is nothing left to remove.
        Ok(()) => drop(making.keep()),
        // Somebody else was faster with the same.
        Err(_) if place.is_dir() => {}
        Err(error) => return Err(unwritable(error)),
    }
    Ok(place)
}
