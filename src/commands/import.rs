//! `lamstream import sam`: writes a SAM template as a manifest, and reports what is left over.

use super::session::Session;
use crate::cli::{Import, ImportCommand, ImportSam};
use crate::failure::{Failure, Kind};
use crate::manifest;
use crate::report::{Answer, ImportAnswer};
use crate::text;
use import::{File, Imported, Invalid, Options, Problem, Rules};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// The files that are looked for if none is named.
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
    // Precedence as everywhere: options, then environment variables, then files.
    let variable = |name: &str| std::env::var(name).ok().filter(|region| !region.is_empty());
    let region =
        session.global.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    let relative = if to_stdout { beside.to_owned() } else { path_from(&arguments.out, beside) };
    let options = Options {
        app: &directory.file_name().unwrap_or_default().to_string_lossy(),
        region: region.as_deref(),
        template_directory: &relative.to_string_lossy(),
        rules: &ManifestRules,
    };
    let config = config.as_ref().map(|(name, text)| File { name, text });
    let imported = import::sam(File { name: &name(&template), text: &text }, config, options).map_err(failure)?;
    if !to_stdout {
        write(&arguments.out, &imported.manifest)?;
    }
    report(session, &arguments.out, to_stdout, &imported);
    let Imported { manifest, left_over } = imported;
    let out = (!to_stdout).then(|| arguments.out.display().to_string());
    let import = ImportAnswer { out, manifest: to_stdout.then_some(manifest), left: left_over };
    Ok(Answer::Import(Some(import)))
}

fn failure(invalid: Invalid) -> Failure {
    let message = text::line(&format!("cannot import the template: {invalid}"));
    Failure { hints: invalid.hints, ..Failure::new(Kind::Manifest, message) }
}

fn found(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| directory.join(name)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        let failure = Failure::new(Kind::Manifest, format!("cannot read `{}`: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::InvalidData => failure.hint("save it as UTF-8"),
            _ => failure.hint("name an existing template: `lamstream import sam FILE`"),
        }
    };
    std::fs::read_to_string(path).map_err(failed)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The directory without links and `..`, so that relative paths from it are right.
fn resolved(directory: &Path) -> PathBuf {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    directory.canonicalize().unwrap_or_else(|_| directory.to_owned())
}

/// The path from the directory of `out` to the template's; empty if they are the same.
fn path_from(out: &Path, beside: &Path) -> PathBuf {
    let (from, to) = (resolved(out.parent().unwrap_or(Path::new(""))), resolved(beside));
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// Writes a new file. One that exists, or appears meanwhile, is never touched.
fn write(out: &Path, text: &str) -> Result<(), Failure> {
    let shown = out.display().to_string();
    let mut file = std::fs::File::create_new(out).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::exists(&shown),
        _ => Failure::usage(format!("cannot write `{shown}`: {error}")),
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::usage(format!("cannot write `{shown}`: {error}")))
}

fn report(session: &Session, out: &Path, to_stdout: bool, imported: &Imported) {
    for left in &imported.left_over {
        session.console.note(&left.to_string());
    }
    let done = if to_stdout { "printed the manifest".to_owned() } else { format!("wrote `{}`", out.display()) };
    let left = match imported.left_over.len() {
        0 => "nothing was left over".to_owned(),
        1 => "1 item was left over: see above, or its comment in the manifest".to_owned(),
        count => format!("{count} items were left over: see above, or their comments in the manifest"),
    };
    session.console.note(&format!("{done}; {left}"));
}
