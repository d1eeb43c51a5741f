//! Finds and runs the tools that install packages, and keeps what they installed.

use std::cell::RefCell;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::error::BuildError;
use crate::{address, digest, said};

/// Receives a tool's output, line by line.
pub(crate) type Tell<'a> = &'a (dyn Fn(&str) + Sync);

/// How many of a failed tool's last lines its error shows.
const LAST_LINES: usize = 12;

/// The program of this name in `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// The directory that a file is in.
pub(crate) fn around(file: &Path) -> PathBuf {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// A canonical directory and those above it, the nearest first, up to the first that is the last. The home directory,
/// and directories that other users can write to, are not part of a project.
pub(crate) fn upwards(directory: &Path, is_last: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
    let me = rustix::process::getuid().as_raw();
    let is_ours = |directory: &Path| directory.metadata().is_ok_and(|found| found.uid() == me || found.uid() == 0);
    let is_open = |directory: &Path| directory.metadata().is_ok_and(|found| found.mode() & 0o002 != 0);
    let mut found = Vec::new();
    for directory in directory.ancestors() {
        let is_first = found.is_empty();
        if !is_first && (home.as_deref() == Some(directory) || !is_ours(directory) || is_open(directory)) {
            break;
        }
        found.push(directory.to_owned());
        if is_last(directory) {
            break;
        }
    }
    found
}

/// The path from one directory to another, as in `./libs/x` or `../libs/x`.
pub(crate) fn relative(path: &Path, from: &Path) -> PathBuf {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| absolute(path));
    let (path, from) = (canonical(path), canonical(from));
    let common = path.components().zip(from.components()).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..", from.components().count() - common);
    let start = if common == from.components().count() { Some(".") } else { None };
    start.into_iter().chain(up).map(PathBuf::from).chain([path.components().skip(common).collect()]).collect()
}

/// Whether two paths are the same directory.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| absolute(path));
    one == other || canonical(one) == canonical(other)
}

/// The directory of the whole project around a directory: its repository, or the directory itself.
pub(crate) fn project(directory: &Path) -> PathBuf {
    let directory = directory.canonicalize().unwrap_or_else(|_| absolute(directory));
    upwards(&directory, is_repository).into_iter().rfind(|found| is_repository(found)).unwrap_or(directory)
}

/// Whether a directory is the root of a repository of Git.
pub(crate) fn is_repository(directory: &Path) -> bool {
    directory.join(".git").exists()
}

/// The text of a list, without the byte order mark that Windows editors write.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub(crate) fn text(file: &Path) -> Result<String, BuildError> {
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unreadable(file, &"it is UTF-16").hint("save it as UTF-8"));
    }
    let text = String::from_utf8(bytes).map_err(|error| unreadable(file, &error).hint("save it as UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

/// The TOML of a file with this text.
///
/// # Errors
/// When it is not valid.
pub(crate) fn table(file: &Path, text: &str) -> Result<toml::Table, BuildError> {
    let invalid =
        |error: toml::de::Error| BuildError::new(format!("cannot read `{}`", file.display())).because(error.message());
    text.parse().map_err(invalid)
}

/// A TOML file.
///
/// # Errors
/// When it cannot be read or is not valid.
pub(crate) fn read_table(file: &Path) -> Result<toml::Table, BuildError> {
    let unreadable = |error| BuildError::new(format!("cannot read `{}`", file.display())).because(error);
    table(file, &std::fs::read_to_string(file).map_err(unreadable)?)
}

/// The absolute path, without resolving links.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

pub(crate) fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> BuildError {
    BuildError::new(format!("cannot read the dependencies `{}`", file.display())).because(error)
}

/// A file's SHA-256, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn digest(file: &Path) -> Result<String, BuildError> {
    digest::of_file(file).map_err(|error| unreadable(file, &error))
}

/// A temporary directory that other users cannot read: URLs in its files may have passwords.
///
/// # Errors
/// When it cannot be created.
pub(crate) fn scratch() -> Result<tempfile::TempDir, BuildError> {
    let make = || tempfile::Builder::new().prefix("lamstream-").tempdir();
    make().map_err(|error| BuildError::new("cannot make a temporary directory").because(error))
}

/// # Errors
/// When the file cannot be written.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), BuildError> {
    let unwritable = |error| BuildError::new(format!("cannot write `{}`", file.display())).because(error);
    std::fs::write(file, text).map_err(unwritable)
}

/// Runs a tool to completion. Dropping the future kills it.
///
/// # Errors
/// Everything that it wrote, and how it ended, if it failed. `name` is the tool's name.
pub(crate) async fn run(name: &str, mut command: Command, tell: Tell<'_>) -> Result<(), Vec<String>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| vec![error.to_string()])?;
    let heard = RefCell::new(Vec::new());
    let hear = |line: &str| {
        let line = &*address::without_credentials(line);
        tell(line);
        heard.borrow_mut().push(line.to_owned());
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, err, status) = tokio::join!(lines(stdout, hear), lines(stderr, hear), child.wait());
    let mut heard = heard.into_inner();
    match out.and(err).and(status) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            heard.push(format!("{name} {}", said::ending(status)));
            Err(heard)
        }
        Err(error) => Err(vec![error.to_string()]),
    }
}

/// Forwards each line of a stream, with invalid UTF-8 replaced: compilers quote source files.
pub(crate) async fn lines<R: AsyncRead + Unpin>(
    stream: Option<R>,
    mut on_line: impl FnMut(&str),
) -> std::io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        on_line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
    Ok(())
}

/// A tool's stdout; its output is not forwarded.
///
/// # Errors
/// Its stderr, and how it ended, if it failed. `name` is the tool's name.
pub(crate) async fn output(name: &str, mut command: Command) -> Result<String, Vec<String>> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| vec![error.to_string()])?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = address::without_credentials(&stderr);
    Err(lines.lines().map(str::to_owned).chain([format!("{name} {}", said::ending(output.status))]).collect())
}

/// An error with the tool's last lines.
pub(crate) fn failed(message: String, said: &[String]) -> BuildError {
    let words = said::worth_saying(said);
    let last = &words[words.len().saturating_sub(LAST_LINES)..];
    last.iter().fold(BuildError::new(message), |error, line| error.because(line))
}

/// The name of a directory of the cache, from everything that decides its content.
pub(crate) fn key(of: &str) -> String {
    digest::sha256(of)[..24].to_owned()
}

/// Fills a directory of the cache exactly once: it exists completely or not at all, even if processes race or are killed.
///
/// # Errors
/// Those of `fill`, and when the cache cannot be written.
pub(crate) async fn cached(
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
        // The directory has been moved, so there is nothing to remove.
        Ok(()) => drop(making.keep()),
        // Another process was faster.
        Err(_) if place.is_dir() => {}
        Err(error) => return Err(unwritable(error)),
    }
    Ok(place)
}
