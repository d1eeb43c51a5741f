//! `lamstream import …`: converts what another tool deploys to a manifest, and reports what is left over.

mod cargo_lambda;
mod function;
mod sam;
mod unused;

pub(super) use unused::note_unused;

use super::session::Session;
use crate::cli::{Import, ImportCommand};
use crate::failure::{Failure, FailureKind};
use crate::manifest;
use crate::report::{Answer, Extra, ImportAnswer};
use crate::text;
use import::{Files, Imported, Invalid, LeftOver, Problem, Rules};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

const STDOUT: &str = "-";

/// lamstream's own rules, for the manifest that is written.
pub struct ManifestRules;

impl Rules for ManifestRules {
    fn problems(&self, text: &str) -> Vec<Problem> {
        let Err(problems) = manifest::parse(text, None) else { return Vec::new() };
        let problem = |problem: &manifest::Problem| Problem {
            message: problem.message.clone(),
            at: problem.span.as_ref().map(|span| span.start),
        };
        problems.iter().map(problem).collect()
    }

    fn accepts_variable(&self, name: &str) -> bool {
        manifest::accepts_variable(name)
    }

    fn printable(&self, text: &str) -> String {
        text::line(text)
    }
}

/// The files of a directory.
struct Beside(PathBuf);

impl Files for Beside {
    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }

    fn is_directory(&self, path: &str) -> bool {
        self.0.join(path).is_dir()
    }
}

/// Where the manifest goes.
struct Destination<'a>(&'a Path);

pub(super) async fn import(session: &Session, arguments: &Import) -> Result<Answer, Failure> {
    match &arguments.command {
        ImportCommand::Sam(arguments) => sam::sam(session, arguments),
        ImportCommand::CargoLambda(arguments) => cargo_lambda::cargo_lambda(session, arguments).await,
        ImportCommand::Function(arguments) => function::function(session, arguments).await,
    }
}

impl<'a> Destination<'a> {
    /// # Errors
    /// If there is a file already.
    fn new(out: &'a Path) -> Result<Destination<'a>, Failure> {
        let destination = Destination(out);
        match !destination.is_stdout() && out.symlink_metadata().is_ok() {
            true => Err(Failure::exists(&out.display().to_string())),
            false => Ok(destination),
        }
    }

    fn is_stdout(&self) -> bool {
        self.0.as_os_str() == STDOUT
    }

    /// The directory of the manifest; the current one if it is printed.
    fn directory(&self) -> PathBuf {
        resolved(if self.is_stdout() { Path::new("") } else { self.0.parent().unwrap_or(Path::new("")) })
    }

    /// The path from the manifest to a directory; empty if they are the same. A printed manifest is taken for one in the
    /// current directory.
    fn path_to(&self, directory: &Path) -> PathBuf {
        if self.is_stdout() && !directory.is_absolute() {
            return directory.to_owned();
        }
        let (from, to) = (self.directory(), resolved(directory));
        let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
        let up = from.components().skip(shared).map(|_| Component::ParentDir);
        up.chain(to.components().skip(shared)).collect()
    }

    /// Writes the manifest and reports what is left over. An existing file is never changed, even if it appears in the
    /// meantime.
    fn finish(&self, session: &Session, imported: Imported) -> Result<ImportAnswer, Failure> {
        if !self.is_stdout() {
            let shown = self.0.display().to_string();
            let failed = |error| Failure::usage(format!("cannot write `{shown}`: {error}"));
            let mut file = std::fs::File::create_new(self.0).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => Failure::exists(&shown),
                _ => failed(error),
            })?;
            file.write_all(imported.manifest.as_bytes()).map_err(failed)?;
        }
        self.report(session, &imported);
        let Imported { manifest, left_over } = imported;
        let out = (!self.is_stdout()).then(|| self.0.display().to_string());
        Ok(ImportAnswer { out, manifest: self.is_stdout().then_some(manifest), left: left_over })
    }

    fn report(&self, session: &Session, imported: &Imported) {
        // What blocks a deploy comes last, where it is read first.
        let (blocking, others): (Vec<&LeftOver>, Vec<&LeftOver>) =
            imported.left_over.iter().partition(|left| left.blocks);
        for left in others.iter().chain(&blocking) {
            session.console.note(&left.to_string());
        }
        let done =
            if self.is_stdout() { "printed the manifest".to_owned() } else { format!("wrote `{}`", self.0.display()) };
        let left = match imported.left_over.len() {
            0 => "everything was imported".to_owned(),
            1 => "1 item was not imported".to_owned(),
            count => format!("{count} items were not imported"),
        };
        let left = match (blocking.len(), others.len()) {
            (0, 0) => left,
            (0, 1) => format!("{left}, which does not block a deploy: see above, or the manifest's comments"),
            (0, _) => format!("{left}, none of which blocks a deploy: see above, or the manifest's comments"),
            (1, 0) => format!("{left}, which blocks a deploy: see above, or the manifest's comments"),
            (1, _) => format!("{left}, 1 of which blocks a deploy: see above, or the manifest's comments"),
            (count, _) => {
                format!("{left}, {count} of which block a deploy: see above, or the manifest's comments")
            }
        };
        session.console.note(&format!("{done}; {left}"));
    }
}

/// `what` names the source.
fn failure(what: &str, invalid: Invalid) -> Failure {
    let message = text::line(&format!("cannot import {what}: {invalid}"));
    Failure { hints: invalid.hints, ..Failure::new(FailureKind::Manifest, message) }
}

fn answer(import: ImportAnswer) -> Answer {
    Extra::Import(Some(import)).into()
}

fn found(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| directory.join(name)).find(|path| path.is_file())
}

/// `hint` says how to name another file.
fn read(path: &Path, hint: &str) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::new(FailureKind::Manifest, format!("cannot read `{}`: {error}", path.display())).hint(hint)
    })?;
    String::from_utf8(bytes).map_err(|error| Failure::not_utf8(&format!("`{}`", path.display()), &error))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The directory without symbolic links and `..`, so that relative paths from it are correct.
fn resolved(directory: &Path) -> PathBuf {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    directory.canonicalize().unwrap_or_else(|_| directory.to_owned())
}

/// The usual precedence: the option, then environment variables.
fn region(session: &Session) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|region| !region.is_empty());
    session.global.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"))
}
