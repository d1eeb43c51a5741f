//! Where an app declares the packages that it depends on.

use std::path::{Path, PathBuf};

use crate::error::BuildError;
use crate::runtime::{Family, Platform};
use crate::tool::Tell;
use crate::{node, python};

/// Where an app declares its dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// In the app's directory, if it has a known list, unless a tool has put what the app needs there.
    Auto,
    /// Nowhere: nothing is installed.
    None,
    File(PathBuf),
}

/// What was installed.
pub(super) enum Installed {
    /// A directory whose files are added as they are.
    Flat(PathBuf),
    Node(node::Installed),
}

const OF_NODE: &str = "package.json";

impl Dependencies {
    /// Installs the dependencies of the app in `directory` into the cache, unless they are there; returns what to add to
    /// the package. `slim` removes the packages' tests.
    pub(super) async fn install(
        &self,
        directory: &Path,
        platform: &Platform,
        slim: bool,
        cache: &Path,
        tell: Tell<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Installed>, BuildError> {
        let family = platform.runtime.family();
        let Some(file) = self.file(directory, family)? else { return Ok(None) };
        match family {
            Family::Python => {
                let request = self.of_python(&file, directory, platform, slim);
                Ok(python::install(&request, cache, tell, notes).await?.map(Installed::Flat))
            }
            Family::Node => Ok(node::install(&file, platform, cache, tell, notes).await?.map(Installed::Node)),
            _ => Err(not_installable(&file, platform)),
        }
    }

    /// Whether there are dependencies, and a tool to install them. Installs nothing.
    pub async fn check(&self, directory: &Path, platform: &Platform) -> Result<bool, BuildError> {
        let family = platform.runtime.family();
        let Some(file) = self.file(directory, family)? else { return Ok(false) };
        match family {
            Family::Python => python::check(&self.of_python(&file, directory, platform, false)).await,
            Family::Node => node::check(&file).await,
            _ => Err(not_installable(&file, platform)),
        }
    }

    /// The directory that lamstream fills, if the app has a list for it: the developer's own was installed for another
    /// machine, and with development dependencies.
    pub fn fills(&self, directory: &Path, family: Family) -> Option<&'static str> {
        let lists = self.file(directory, family).is_ok_and(|file| file.is_some());
        (family == Family::Node && lists).then_some("node_modules")
    }

    fn of_python<'a>(
        &self,
        file: &'a Path,
        directory: &'a Path,
        platform: &'a Platform,
        slim: bool,
    ) -> python::Request<'a> {
        let is_named = matches!(self, Dependencies::File(_));
        python::Request { file, directory, platform, is_named, slim }
    }

    fn file(&self, directory: &Path, family: Family) -> Result<Option<PathBuf>, BuildError> {
        match self {
            Dependencies::None => Ok(None),
            Dependencies::Auto => Ok(match family {
                Family::Python => python::in_directory(directory),
                Family::Node if node::is_complete(directory) => None,
                Family::Node => Some(directory.join(OF_NODE)).filter(|file| file.is_file()),
                _ => None,
            }),
            Dependencies::File(file) if file.is_file() => Ok(Some(locked(file))),
            Dependencies::File(file) => {
                let error = BuildError::new(format!(
                    "cannot read the dependencies `{}`: the file does not exist",
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
    match file.file_name().and_then(|name| name.to_str()) {
        Some(name) if node::is_lock(name) => {
            Some(file.with_file_name(OF_NODE)).filter(|list| list.is_file()).unwrap_or_else(|| file.to_owned())
        }
        _ => python::beside(file),
    }
}
