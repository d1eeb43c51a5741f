//! Functions that can be built here.

use super::crate_build::CrateBuild;
use crate::manifest::{FilePatterns, Function};
use crate::stack::Platform;
use packaging::{App, Beside, BuildCommand, Checked, Package};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A function's code, with no problem that can be found before the build.
pub(super) enum Buildable {
    Now(Code),
    /// A command runs first.
    Commanded(Box<Commanded>),
}

/// Code that can be packaged as it is.
pub(super) enum Code {
    /// Given with `--package`, or built elsewhere.
    Zip(Package),
    Crate {
        build: Arc<CrateBuild>,
        beside: Beside,
    },
    App(Box<Checked>),
}

/// Code that a command makes or prepares.
pub(super) struct Commanded {
    pub command: BuildCommand,
    pub then: Then,
}

/// What follows the command.
pub(super) enum Then {
    Compile {
        build: Arc<CrateBuild>,
        beside: Beside,
    },
    /// The command makes the app's directory, which can be checked only then.
    Gather(Box<App>),
    /// The command makes this zip.
    Read(PathBuf, FilePatterns),
}

impl Buildable {
    /// The same code. If `zips` already has an equal zip, both use its bytes; otherwise this one is added to `zips`.
    pub(super) fn sharing(self, zips: &Mutex<Vec<Package>>) -> Buildable {
        let Buildable::Now(Code::Zip(package)) = self else { return self };
        let mut zips = zips.lock().unwrap_or_else(PoisonError::into_inner);
        let package = package.sharing(zips.iter());
        zips.push(package.clone());
        Buildable::Now(Code::Zip(package))
    }

    /// How many builds of these functions show mistakes that nothing should be created before: those that cargo, a
    /// command, or a tool that installs packages reports.
    pub(super) fn count_builds<'c>(codes: impl IntoIterator<Item = &'c Buildable>) -> usize {
        let (mut alone, mut shared) = (0, BTreeSet::new());
        for code in codes {
            match code {
                Buildable::Now(Code::Zip(_)) => {}
                Buildable::Now(Code::Crate { build, .. }) => _ = shared.insert(Arc::as_ptr(build)),
                Buildable::Now(Code::App(_)) | Buildable::Commanded(_) => alone += 1,
            }
        }
        alone + shared.len()
    }

    /// Whether there is nothing to build.
    pub(super) fn is_built(&self) -> bool {
        matches!(self, Buildable::Now(Code::Zip(_)))
    }
}

/// A function that can be built here, and the platform of its code.
pub(super) struct Prepared {
    pub function: Function,
    pub platform: Platform,
    pub code: Buildable,
}
