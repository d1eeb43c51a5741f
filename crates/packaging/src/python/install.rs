//! Installs packages of Python for the target's version and processor: with uv if it is installed, otherwise with pip.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::installed::Installed;
use super::list::List;
use super::settings::Settings;
use super::{pip, strip, uv, wheel};
use crate::error::BuildError;
use crate::interpreter::{Interpreter, minor};
use crate::runtime::Platform;
use crate::tool::{self, Tell, find};

/// Increase it when the same list is installed differently than before.
const WAY: &str = "3";

/// Installs what `file` lists for the app in `directory`, once; returns the directory with the packages, if there are any.
///
/// # Errors
/// When the list cannot be read, or a package cannot be installed from its declared source.
pub async fn install(
    file: &Path,
    directory: &Path,
    platform: &Platform,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, BuildError> {
    let Some(list) = List::read(file, directory).await? else { return Ok(None) };
    let list = &list;
    let installer = Installer::find(platform, notes)?;
    let content = list.key()?;
    let machine = Settings::of(&list.directory)?;
    // Packages built from local directories are installed again each time.
    let unique = content.is_none().then(|| format!("{:?}", std::time::SystemTime::now()));
    let (of, runtime, architecture) =
        (content.or(unique).unwrap_or_default(), &platform.runtime, platform.architecture);
    // With other settings the same packages come from another index.
    let settings = match &installer {
        Installer::Uv(_) => machine.key(),
        Installer::Pip(program) => format!("{}\n{:?}", machine.key(), pip::settings(program).await),
    };
    let key = tool::key(&format!("{WAY}\n{runtime}\n{architecture}\n{}\n{settings}\n{of}", installer.name()));
    let installed = tool::cached(&cache.join("python"), &format!("{runtime}-{architecture}-{key}"), async |place| {
        match &installer {
            Installer::Uv(program) => uv::install(program, list, &machine, platform, place, tell).await?,
            Installer::Pip(program) => pip::install(program, list, &machine, platform, place, tell).await?,
        }
        for package in Installed::read(place).iter().filter(|package| package.is_built) {
            wheel::refuse_tags(&package.name, &package.tags, platform, "its source")?;
        }
        strip::strip(place).map_err(|error| unwritable(place, &error))
    })
    .await?;
    Ok(Some(installed))
}

/// Whether a file lists anything for the app in `directory`, and a tool can install it. Installs nothing.
///
/// # Errors
/// When the list cannot be read, or no tool can install it.
pub async fn check(file: &Path, directory: &Path, platform: &Platform) -> Result<bool, BuildError> {
    let listed = List::read(file, directory).await?.is_some();
    if listed {
        refuse_without_installer(platform)?;
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

fn has_pip(python: &Path) -> bool {
    const QUESTION: &str = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)";
    let mut command = std::process::Command::new(python);
    command.args(["-c", QUESTION]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The tool that installs.
enum Installer {
    Uv(PathBuf),
    /// A Python with pip.
    Pip(PathBuf),
}

impl Installer {
    fn find(platform: &Platform, notes: &mut Vec<String>) -> Result<Installer, BuildError> {
        if let Some(uv) = find("uv") {
            return Ok(Installer::Uv(uv));
        }
        let runtime = &platform.runtime;
        let wanted = minor(runtime.version()).unwrap_or_default();
        let Some(python) = Interpreter::nearest(wanted) else { return Err(no_installer(platform, NEITHER)) };
        if python.minor != wanted {
            notes.push(format!(
                "pip of Python 3.{} installs for `{runtime}`: it evaluates markers such as \
                 `python_version < \"3.11\"` for its own version; uv does not have this limitation",
                python.minor
            ));
        }
        Ok(Installer::Pip(python.program))
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
