//! A manifest, and the functions of it that a command is about.

use crate::cli::Global;
use crate::failure::{Failure, Kind};
use crate::manifest::{self, Function, Manifest};
use crate::stack::Platform;
use std::path::{Path, PathBuf};

/// Where `build` puts zips by default.
const ZIPS: &str = "target/lamstream";

/// A manifest, and the functions of it that were chosen.
pub struct Project {
    /// The manifest's directory: its paths are relative to it.
    pub directory: PathBuf,
    /// The text of the manifest.
    pub text: String,
    pub manifest: Manifest,
    pub functions: Vec<Function>,
    /// The manifest, and what `build` writes: no part of any package.
    pub own: Vec<PathBuf>,
    /// The files that values come from, in any stage and for any function.
    pub values: Vec<PathBuf>,
}

impl Project {
    /// The manifest, and of its functions those that were named; all of them if none was.
    ///
    /// # Errors
    /// A manifest that cannot be read or is wrong, and a name that it does not have.
    pub fn read(global: &Global, named: &[String]) -> Result<Project, Failure> {
        let (text, manifest) = read_manifest(global)?;
        let known: Vec<String> = manifest.functions.iter().map(|function| function.name.clone()).collect();
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            return Err(Failure::unknown_function(unknown, &known));
        }
        let chosen = |name: &String| named.is_empty() || named.contains(name);
        let functions = manifest.functions.iter().filter(|function| chosen(&function.name)).cloned().collect();
        let directory = global.manifest.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        let own = vec![global.manifest.clone(), PathBuf::from(ZIPS), directory.join(ZIPS)];
        let values = manifest::value_files(&text).iter().map(|file| directory.join(file)).collect();
        Ok(Project { directory, text, manifest, functions, own, values })
    }

    /// The manifest with one function of it: the named one, or the only one.
    ///
    /// # Errors
    /// As for [`Project::read`], and when none is named although there are several.
    pub fn single(global: &Global, named: Option<&String>) -> Result<Project, Failure> {
        let named: Vec<String> = named.cloned().into_iter().collect();
        let project = Project::read(global, &named)?;
        if project.functions.len() != 1 {
            let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
            return Err(Failure::which_function(&known));
        }
        Ok(project)
    }

    /// The path of something that the manifest names.
    pub fn path(&self, named: &Path) -> PathBuf {
        if self.directory == Path::new(".") { named.to_owned() } else { self.directory.join(named) }
    }

    /// What the functions belong to, for a question.
    pub fn app(&self) -> String {
        match &self.manifest.stage {
            Some(stage) => format!("app `{}`, stage `{stage}`,", self.manifest.app),
            None => format!("app `{}`", self.manifest.app),
        }
    }
}

fn read_manifest(global: &Global) -> Result<(String, Manifest), Failure> {
    let path = global.manifest.display().to_string();
    let text = std::fs::read_to_string(&global.manifest).map_err(|error| {
        Failure::new(Kind::Manifest, format!("cannot read the manifest `{path}`: {error}"))
            .hint("run lamstream in the manifest's directory, or name the manifest with `--manifest`")
    })?;
    // CI systems set variables without a value to the empty string.
    let stage = global.stage.as_deref().filter(|stage| !stage.is_empty());
    match manifest::parse(&text, stage) {
        Ok(manifest) => Ok((text, manifest)),
        Err(problems) => Err(Failure::of_problems(Kind::Manifest, problems.render(&path, &text))),
    }
}

/// What the code of a function has to fit. The local cloud runs it on this very machine, with its interpreters.
pub fn platform(function: &Function, local: bool) -> Platform {
    let wanted = Platform { runtime: function.runtime.clone(), architecture: function.architecture };
    if local { packaging::platform_here(&wanted) } else { wanted }
}
