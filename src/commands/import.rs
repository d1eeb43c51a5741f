//! `lamstream import sam`: a SAM template becomes a manifest, and what is left over is said.

use super::session::Session;
use crate::cli::{Import, ImportCommand, ImportSam};
use crate::failure::{Failure, Kind};
use crate::manifest;
use crate::report::{Answer, ImportAnswer};
use crate::text;
use import::{File, Imported, Invalid, Problem, Rules, Surroundings};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// What is looked for where no template is named.
const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];
const CONFIGS: [&str; 3] = ["samconfig.toml", "samconfig.yaml", "samconfig.yml"];
const STDOUT: &str = "-";

/// This lamstream's rules, for the manifest that is written.
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

pub fn import(session: &Session, arguments: &Import) -> Result<Answer, Failure> {
    let ImportCommand::Sam(arguments) = &arguments.command;
    sam(session, arguments)
}

fn sam(session: &Session, arguments: &ImportSam) -> Result<Answer, Failure> {
    let template = match &arguments.template {
        Some(path) => path.clone(),
        None => found(Path::new(""), &TEMPLATES).ok_or_else(Failure::no_template)?,
    };
    let to_stdout = arguments.out.as_os_str() == STDOUT;
    if !to_stdout && arguments.out.symlink_metadata().is_ok() {
        return Err(Failure::exists(&arguments.out.display().to_string()));
    }
    let text = read(&template)?;
    let beside = template.parent().unwrap_or(Path::new(""));
    let config = found(beside, &CONFIGS).map(|path| read(&path).map(|text| (name(&path), text))).transpose()?;
    let directory = resolved(beside);
    // As everywhere: what is typed, then what the shell says, and only then what a file says.
    let said = |name: &str| std::env::var(name).ok().filter(|region| !region.is_empty());
    let region = session.global.region.clone().or_else(|| said("AWS_REGION")).or_else(|| said("AWS_DEFAULT_REGION"));
    let way = if to_stdout { beside.to_owned() } else { way(&arguments.out, beside) };
    let around = Surroundings {
        rules: &ManifestRules,
        directory: &directory.file_name().unwrap_or_default().to_string_lossy(),
        region: region.as_deref(),
        way: &way.to_string_lossy(),
    };
    let config = config.as_ref().map(|(name, text)| File { name, text });
    let imported = import::sam(File { name: &name(&template), text: &text }, config, around)
        .map_err(|invalid| Failure { hints: invalid.hints.clone(), ..Failure::new(Kind::Manifest, words(&invalid)) })?;
    if !to_stdout {
        write(&arguments.out, &imported.manifest)?;
    }
    tell(session, &arguments.out, to_stdout, &imported);
    let Imported { manifest, left } = imported;
    let out = (!to_stdout).then(|| arguments.out.display().to_string());
    let import = ImportAnswer { out, manifest: to_stdout.then_some(manifest), left };
    Ok(Answer::Import(Some(import)))
}

fn words(invalid: &Invalid) -> String {
    text::line(&format!("cannot import the template: {invalid}"))
}

fn found(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| directory.join(name)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        let failure = Failure::new(Kind::Manifest, format!("cannot read `{}`: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::InvalidData => failure.hint("write it as UTF-8"),
            _ => failure.hint("name the template that is there: `lamstream import sam FILE`"),
        }
    };
    std::fs::read_to_string(path).map_err(failed)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A directory without links and `..`, which would make a way from it a guess.
fn resolved(directory: &Path) -> PathBuf {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    directory.canonicalize().unwrap_or_else(|_| directory.to_owned())
}

/// From the directory of `out` to the template's: nothing where they are the same.
fn way(out: &Path, beside: &Path) -> PathBuf {
    let (from, to) = (resolved(out.parent().unwrap_or(Path::new(""))), resolved(beside));
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// Into a new file: one that is there, or comes meanwhile, is never touched.
fn write(out: &Path, text: &str) -> Result<(), Failure> {
    let shown = out.display().to_string();
    let mut file = std::fs::File::create_new(out).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::exists(&shown),
        _ => Failure::usage(format!("cannot write `{shown}`: {error}")),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::usage(format!("cannot write `{shown}`: {error}")))
}

fn tell(session: &Session, out: &Path, to_stdout: bool, imported: &Imported) {
    for left in &imported.left {
        session.console.note(&left.to_string());
    }
    let place = if to_stdout { "on stdout".to_owned() } else { format!("in `{}`", out.display()) };
    let left = match imported.left.len() {
        0 => "nothing was left over".to_owned(),
        1 => "one thing was left over, as said above and there".to_owned(),
        count => format!("{count} things were left over, as said above and there"),
    };
    session.console.note(&format!("the manifest is {place}; {left}"));
}
