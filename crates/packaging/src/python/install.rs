//! Installs packages of Python for the target's version and processor: with uv if it is installed, otherwise with pip.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use super::installed::Installed;
use super::list::List;
use super::settings::Settings;
use super::{pip, select, slim, strip, uv, wheel};
use crate::error::BuildError;
use crate::interpreter::{Interpreter, minor};
use crate::machine::OperatingSystem;
use crate::runtime::Platform;
use crate::tool::{self, Tell, find};

/// Increase it when the same list is installed differently than before.
const WAY: &str = "4";

/// What to install, and for what.
pub(crate) struct Request<'a> {
    pub(crate) file: &'a Path,
    /// The app's.
    pub(crate) directory: &'a Path,
    pub(crate) platform: &'a Platform,
    /// Whether the manifest names the file.
    pub(crate) is_named: bool,
    /// Whether the packages' tests are removed.
    pub(crate) slim: bool,
}

impl Request<'_> {
    async fn read(&self, notes: &mut Vec<String>) -> Result<Option<List>, BuildError> {
        let list = List::read(self.file, self.directory, self.platform, notes).await?;
        if let Some(list) = list.as_ref().filter(|_| !self.is_named) {
            select::compare(list, self.platform, notes)?;
        }
        Ok(list)
    }
}

/// Installs what a file lists, once; returns the directory with the packages, if there are any.
///
/// # Errors
/// When the list cannot be read, or a package cannot be installed from its declared source.
pub(crate) async fn install(
    request: &Request<'_>,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, BuildError> {
    let Some(list) = request.read(notes).await? else { return Ok(None) };
    let platform = request.platform;
    let list = &list;
    let installer = Installer::find(platform, notes)?;
    let importer = if request.slim { slim::importer(platform, notes) } else { None };
    let content = list.key()?;
    let machine = Settings::of(&list.directory)?;
    // Packages built from local directories are installed again each time.
    let unique = content.is_none().then(|| format!("{:?}", std::time::SystemTime::now()));
    let (of, runtime, on) = (content.or(unique).unwrap_or_default(), &platform.runtime, platform.machine());
    // With other settings the same packages come from another index.
    let settings = match &installer {
        Installer::Uv(_) => machine.key(),
        Installer::Pip(python) => {
            format!("{}\n{:?}", machine.key(), pip::known_settings(&python.program, &machine).await)
        }
    };
    let (name, slim) = (installer.name(), importer.is_some());
    let key = tool::key(&format!("{WAY}\n{runtime}\n{on}\n{name}\n{slim}\n{settings}\n{of}"));
    let installed =
        tool::cached(&cache.join("python"), &format!("{runtime}-{}-{key}", platform.architecture), async |place| {
            let built = match &installer {
                Installer::Uv(program) => uv::install(program, list, &machine, platform, place, tell).await?,
                Installer::Pip(python) => pip::install(python, list, &machine, platform, place, tell).await?,
            };
            for package in Installed::read(place).iter() {
                if package.is_built || built.contains(&package.name) {
                    wheel::refuse_tags(&package.name, &package.tags, platform, "its source")?;
                    wheel::refuse_libraries(&package.name, &package.libraries(place), platform)?;
                }
            }
            strip::strip(place).map_err(|error| unwritable(place, &error))?;
            match &importer {
                Some(importer) => slim::slim(place, importer, notes).await,
                None => Ok(()),
            }
        })
        .await?;
    Ok(Some(installed))
}

/// Whether a file lists anything, and a tool can install it. Installs nothing.
///
/// # Errors
/// When the list cannot be read, or no tool can install it.
pub(crate) async fn check(request: &Request<'_>) -> Result<bool, BuildError> {
    let listed = request.read(&mut Vec::new()).await?.is_some();
    if listed {
        refuse_without_installer(request.platform)?;
    }
    Ok(listed)
}

/// Either uv or a Python with pip is needed.
fn refuse_without_installer(platform: &Platform) -> Result<(), BuildError> {
    if find("uv").is_some() {
        return Ok(());
    }
    match Interpreter::nearest(minor(platform.runtime.version()).unwrap_or_default()) {
        Some(python) if has_pip(&python.program) => Ok(()),
        Some(python) => {
            Err(no_installer(platform, &format!("uv is not installed, and `{}` has no pip", python.program.display())))
        }
        None => Err(no_installer(platform, NEITHER)),
    }
}

const NEITHER: &str = "neither uv nor python3 is installed";

fn no_installer(platform: &Platform, why: &str) -> BuildError {
    BuildError::new(format!("cannot install packages for `{}`: {why}", platform.runtime))
        .hint("install uv: https://docs.astral.sh/uv/")
}

/// A Python that has pip is asked once.
fn has_pip(python: &Path) -> bool {
    static KNOWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known().contains(python) {
        return true;
    }
    let has_pip = asked_for_pip(python);
    if has_pip {
        known().insert(python.to_owned());
    }
    has_pip
}

fn asked_for_pip(python: &Path) -> bool {
    const QUESTION: &str = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)";
    let mut command = std::process::Command::new(python);
    command.args(["-c", QUESTION]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The tool that installs.
enum Installer {
    Uv(PathBuf),
    /// A Python with pip.
    Pip(Interpreter),
}

impl Installer {
    fn find(platform: &Platform, notes: &mut Vec<String>) -> Result<Installer, BuildError> {
        if let Some(uv) = find("uv") {
            return Ok(Installer::Uv(uv));
        }
        let runtime = &platform.runtime;
        let wanted = minor(runtime.version()).unwrap_or_default();
        let Some(python) = Interpreter::nearest(wanted) else { return Err(no_installer(platform, NEITHER)) };
        if platform.system != OperatingSystem::host() {
            notes.push(format!(
                "pip evaluates markers such as `sys_platform == \"linux\"` for this machine, which runs {}; uv does not have \
                 this limitation",
                OperatingSystem::host()
            ));
        }
        if python.minor != wanted {
            notes.push(format!(
                "pip of Python 3.{} installs for `{runtime}`: it evaluates markers such as \
                 `python_version < \"3.11\"` for its own version; uv does not have this limitation",
                python.minor
            ));
        }
        Ok(Installer::Pip(python))
    }

    fn name(&self) -> &'static str {
        match self {
            Installer::Uv(_) => "uv",
            Installer::Pip(_) => "pip",
        }
    }
}

fn unwritable(place: &Path, error: &std::io::Error) -> BuildError {
    BuildError::new(format!("cannot write `{}`", place.display())).because(error)
}
