//! Where an app declares the packages that it depends on.

use std::path::{Path, PathBuf};

use crate::error::BuildError;
use crate::runtime::{Family, Platform};
use crate::tool::Tell;
use crate::{node, python};

/// Where an app declares its dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// In the app's directory, if it has a known list.
    Auto,
    /// Nowhere: nothing is installed.
    None,
    File(PathBuf),
}

/// The first one counts: other tools for Lambda install `requirements.txt`, too.
const OF_PYTHON: [&str; 4] = ["requirements.txt", "uv.lock", "poetry.lock", "pyproject.toml"];
const OF_NODE: &str = "package.json";

impl Dependencies {
    /// Installs the dependencies of the app in `directory` into the cache, unless they are there; returns the directory to
    /// add to the package.
    pub async fn install(
        &self,
        directory: &Path,
        platform: &Platform,
        cache: &Path,
        tell: Tell<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Option<PathBuf>, BuildError> {
        let family = platform.runtime.family();
        let Some(file) = self.file(directory, family)? else { return Ok(None) };
        match family {
            Family::Python => python::install(&file, directory, platform, cache, tell, notes).await,
            Family::Node => node::install(&file, platform, cache, tell, notes).await,
            _ => Err(not_installable(&file, platform)),
        }
    }

    /// Whether there are dependencies, and a tool to install them. Installs nothing.
    pub async fn check(&self, directory: &Path, platform: &Platform) -> Result<bool, BuildError> {
        let family = platform.runtime.family();
        let Some(file) = self.file(directory, family)? else { return Ok(false) };
        match family {
            Family::Python => python::check(&file, directory, platform).await,
            Family::Node => node::check(&file),
            _ => Err(not_installable(&file, platform)),
        }
    }

    /// The directory that lamstream fills, if the app has a list for it: the developer's own was installed for another
    /// machine, and with development dependencies.
    pub fn fills(&self, directory: &Path, family: Family) -> Option<&'static str> {
        let lists = self.file(directory, family).is_ok_and(|file| file.is_some());
        (family == Family::Node && lists).then_some("node_modules")
    }

    fn file(&self, directory: &Path, family: Family) -> Result<Option<PathBuf>, BuildError> {
        let known: &[&str] = match family {
            Family::Python => &OF_PYTHON,
            Family::Node => &[OF_NODE],
            _ => &[],
        };
        match self {
            Dependencies::None => Ok(None),
            Dependencies::Auto => Ok(known.iter().map(|name| directory.join(name)).find(|file| file.is_file())),
            Dependencies::File(file) if file.is_file() => Ok(Some(locked(file))),
            Dependencies::File(file) => {
                let error = BuildError::new(format!(
                    "cannot read the dependencies `{}`: there is no such file",
                    file.display()
                ));
                Err(error.at(&["dependencies"]).hint("`dependencies` is relative to the manifest"))
            }
        }
    }
}

fn not_installable(file: &Path, platform: &Platform) -> BuildError {
    let (file, runtime) = (file.display(), &platform.runtime);
    BuildError::new(format!("cannot install the dependencies in `{file}` for `{runtime}`"))
        .at(&["dependencies"])
        .hint("lamstream installs packages of Python and Node only; put others into the directory")
}

/// The lock file beside a list takes precedence over it.
fn locked(file: &Path) -> PathBuf {
    let beside = |name: &str| Some(file.with_file_name(name)).filter(|lock| lock.is_file());
    match file.file_name().and_then(|name| name.to_str()) {
        Some("pyproject.toml") => {
            beside("uv.lock").or_else(|| beside("poetry.lock")).unwrap_or_else(|| file.to_owned())
        }
        Some("package-lock.json") => beside(OF_NODE).unwrap_or_else(|| file.to_owned()),
        _ => file.to_owned(),
    }
}
