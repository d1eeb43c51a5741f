//! A manifest, and the functions in it that a command works on.

use crate::cli::{self, Global};
use crate::failure::{Failure, FailureKind, Problem, What};
use crate::init::SMALLEST;
use crate::manifest::{self, Function, Manifest, Problems};
use crate::stack::Platform;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The default directory for the zips of `build`.
const ZIPS: &str = "target/lamstream";

/// A manifest, and the functions in it that were chosen.
pub(super) struct Project {
    /// The manifest's directory. Paths in the manifest are relative to it.
    pub directory: PathBuf,
    /// The text of the manifest.
    pub text: String,
    pub manifest: Manifest,
    pub functions: Vec<Function>,
    /// The manifest and the output of `build`, which no package includes.
    pub own: Vec<PathBuf>,
    /// The files that values come from, for all stages and functions.
    pub values: Vec<PathBuf>,
    /// Whether crates are compiled as quickly as possible, to run on this machine.
    pub is_quick: bool,
}

impl Project {
    /// Reads the manifest, and chooses the named functions; all of them if none is named.
    ///
    /// # Errors
    /// When the manifest cannot be read or is invalid, or does not have one of the names.
    pub(super) fn read(global: &Global, named: &[String]) -> Result<Project, Failure> {
        Project::choosing(read_manifest(global, manifest::parse)?, global, named)
    }

    /// The same with all functions, in any stage: one that the manifest does not have, or has no more, has no keys of its own.
    ///
    /// # Errors
    /// As for [`Project::read`].
    pub(super) fn of_any_stage(global: &Global) -> Result<Project, Failure> {
        Project::choosing(read_manifest(global, manifest::parse_for_any_stage)?, global, &[])
    }

    fn choosing((text, manifest): (String, Manifest), global: &Global, named: &[String]) -> Result<Project, Failure> {
        let known = manifest.function_names();
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            return Err(Failure::unknown_function(unknown, &known));
        }
        let chosen = |name: &String| named.is_empty() || named.contains(name);
        let functions = manifest.functions.iter().filter(|function| chosen(&function.name)).cloned().collect();
        let directory = global.manifest.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        let own = vec![global.manifest.clone(), PathBuf::from(ZIPS), directory.join(ZIPS)];
        let values = manifest::value_files(&text).iter().map(|file| directory.join(file)).collect();
        Ok(Project { directory, text, manifest, functions, own, values, is_quick: false })
    }

    /// The same, to be deployed: in the local cloud quickly, unless it is a `release`.
    ///
    /// # Errors
    /// As for [`Project::read`].
    pub(super) fn to_deploy(global: &Global, named: &[String], release: bool) -> Result<Project, Failure> {
        Ok(Project { is_quick: global.local && !release, ..Project::read(global, named)? })
    }

    /// The same with one function alone.
    pub(super) fn with_one(&self, function: &Function) -> Project {
        Project {
            directory: self.directory.clone(),
            text: self.text.clone(),
            manifest: self.manifest.clone(),
            functions: vec![function.clone()],
            own: self.own.clone(),
            values: self.values.clone(),
            is_quick: self.is_quick,
        }
    }

    /// Reads the manifest, and chooses one function for `command`: the named one, or the only one.
    ///
    /// # Errors
    /// As for [`Project::read`], and when none is named although there are several functions.
    pub(super) fn single(global: &Global, command: &str, named: Option<&String>) -> Result<Project, Failure> {
        let named: Vec<String> = named.cloned().into_iter().collect();
        let project = Project::read(global, &named)?;
        if project.functions.len() != 1 {
            let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
            return Err(Failure::which_function(command, &known));
        }
        Ok(project)
    }

    /// The path of a file or directory in the manifest.
    pub(super) fn path(&self, named: &Path) -> PathBuf {
        if self.directory == Path::new(".") { named.to_owned() } else { self.directory.join(named) }
    }

    /// The app and the stage, as a question names them.
    pub(super) fn app(&self) -> String {
        match &self.manifest.stage {
            Some(stage) => format!("app `{}`, stage `{stage}`,", self.manifest.app),
            None => format!("app `{}`", self.manifest.app),
        }
    }
}

/// Changes to the directory that the command line names, and finds the manifest there or above, as cargo does.
///
/// # Errors
/// When the directory cannot be entered.
pub(super) fn enter(global: &mut Global) -> Result<(), Failure> {
    if let Some(directory) = &global.change_to {
        let shown = directory.display();
        std::env::set_current_dir(directory)
            .map_err(|error| Failure::usage(format!("cannot change to the directory `{shown}`: {error}")))?;
    }
    if global.is_manifest_typed || global.manifest.is_file() {
        return Ok(());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let above = here.ancestors().skip(1).position(|directory| directory.join(cli::MANIFEST).is_file());
    if let Some(levels) = above {
        global.manifest = PathBuf::from("../".repeat(levels + 1)).join(cli::MANIFEST);
    }
    Ok(())
}

fn no_manifest() -> Failure {
    Failure::new(FailureKind::Manifest, "found no `deploy.toml` in this directory or above it")
        .hint("run `lamstream init`, which writes one for the app in this directory, or starts a new app")
        .hint("name a manifest elsewhere with `--manifest` or `-C`")
        .hint(format!("or write one; this is the smallest for a Rust function:\n{SMALLEST}"))
}

fn read_manifest(
    global: &Global,
    parse: impl FnOnce(&str, Option<&str>) -> Result<Manifest, Problems>,
) -> Result<(String, Manifest), Failure> {
    let path = global.manifest.display().to_string();
    let bytes = std::fs::read(&global.manifest).map_err(|error| {
        if error.kind() == ErrorKind::NotFound && !global.is_manifest_typed {
            return no_manifest();
        }
        Failure::new(FailureKind::Manifest, format!("cannot read the manifest `{path}`: {error}"))
            .hint("run lamstream in the manifest's directory, or name the manifest with `--manifest`")
    })?;
    let text =
        String::from_utf8(bytes).map_err(|error| Failure::not_utf8(&format!("the manifest `{path}`"), &error))?;
    // CI systems set variables without a value to the empty string.
    let stage = global.stage.as_deref().filter(|stage| !stage.is_empty());
    match parse(&text, stage) {
        Ok(manifest) => Ok((text, manifest)),
        Err(problems) => {
            let what = What::Manifest(problems.diagnostics(&path, &text));
            Err(Failure::of_problems(FailureKind::Manifest, vec![Problem { what, hints: Vec::new() }]))
        }
    }
}

/// The platform that a function's code must fit. The local cloud runs the code on this machine, with its interpreters.
pub(super) fn platform(function: &Function, local: bool) -> Platform {
    let wanted = Platform::on_lambda(function.runtime.clone(), function.architecture);
    if local { packaging::platform_here(&wanted) } else { wanted }
}
