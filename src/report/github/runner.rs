//! The runner of GitHub Actions: which files it reads, and where the repository is.

use super::command::{WorkflowCommand, errors, findings};
use super::{outputs, summary};
use crate::failure::Failure;
use crate::report::{Answer, Diagnosis};
use std::env;
use std::fs::File;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// What GitHub Actions says about the step that runs.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    /// Where the repository is checked out.
    root: Option<PathBuf>,
    summary: Option<PathBuf>,
    outputs: Option<PathBuf>,
}

impl Runner {
    /// `None` unless this process runs in a step of GitHub Actions.
    pub(crate) fn here() -> Option<Runner> {
        let path = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true").then(|| Runner {
            root: path("GITHUB_WORKSPACE"),
            summary: path("GITHUB_STEP_SUMMARY"),
            outputs: path("GITHUB_OUTPUT"),
        })
    }

    /// The annotations of a failure.
    pub(crate) fn errors(&self, failure: &Failure) -> Vec<WorkflowCommand> {
        errors(failure, &|file| self.in_repository(file))
    }

    /// The annotations of what `doctor` found.
    pub(crate) fn findings(&self, found: &Diagnosis) -> Vec<WorkflowCommand> {
        findings(found, &|file| self.in_repository(file))
    }

    /// The path relative to the repository, as annotations need it; unchanged if it is elsewhere.
    fn in_repository(&self, file: &str) -> String {
        let absolute = env::current_dir().ok().map(|here| normal(&here.join(file)));
        let root = self.root.as_ref().map(|root| root.canonicalize().unwrap_or_else(|_| root.clone()));
        let inside = absolute.zip(root).and_then(|(file, root)| Some(file.strip_prefix(root).ok()?.to_owned()));
        inside.map_or_else(|| file.to_owned(), |inside| inside.display().to_string())
    }

    /// Adds an answer to the step's summary and outputs.
    ///
    /// # Errors
    /// When a file of the runner cannot be written.
    pub(crate) fn write(&self, command: &str, answer: &Answer, failure: Option<&Failure>) -> Result<(), Failure> {
        let delimiter = format!("lamstream_{:032x}", fastrand::u128(..));
        append("GITHUB_STEP_SUMMARY", self.summary.as_deref(), &summary::of(command, answer, failure))?;
        append("GITHUB_OUTPUT", self.outputs.as_deref(), &outputs::written(&outputs::of(answer), &delimiter))
    }
}

fn append(variable: &str, path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(path) = path.filter(|_| !text.is_empty()) else { return Ok(()) };
    let written =
        File::options().append(true).create(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::not_written(variable, path, &error))
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
