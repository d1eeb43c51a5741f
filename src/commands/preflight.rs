//! What can be known before anything is written, or AWS is called: whether each function can be built on this machine.

use super::local::home;
use super::project::{Project, platform};
use super::session::Session;
use super::values;
use crate::failure::{Failure, Kind};
use crate::local::{self, adapter, layers};
use crate::manifest::{self, Adapter, Files, Function, Mistake, Problems, Source, located};
use crate::stack::{Architecture, Arn, Platform};
use futures_util::future::join_all;
use packaging::{App, BuildError, BuildOptions, Checked, Dependencies, Linker, Package, Preference, Selection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A function's code, as far as it is known to be right.
pub enum Code {
    /// Brought along, or built elsewhere.
    Zip(Package),
    Crate(Box<packaging::Prepared>, Architecture),
    App(Box<Checked>),
}

/// One thing that is wrong, and with which function.
type Wrong = (String, BuildError);

/// The code of the chosen functions, in their order. `brought` are the packages that replace what the manifest names,
/// `architecture` what replaces the manifest's, and `needs_values` is whether missing values would end the command, too.
///
/// # Errors
/// With all that is wrong: of the manifest's kind where it is at fault, else of the build's.
pub async fn preflight(
    session: &Session,
    project: &Project,
    brought: Vec<Option<Package>>,
    architecture: Option<Architecture>,
    needs_values: bool,
) -> Result<Vec<Code>, Failure> {
    let checks = project.functions.iter().zip(brought).map(async |(function, brought)| {
        let mut platform = platform(function, session.global.local);
        platform.architecture = architecture.unwrap_or(platform.architecture);
        let code = match brought {
            Some(package) => Ok(Code::Zip(package)),
            None => code(project, function, &platform).await,
        };
        let there = if session.global.local { local_parts(function) } else { Vec::new() };
        match code {
            Ok(code) if there.is_empty() => Ok(code),
            Ok(_) => Err((function, there)),
            Err(wrong) => Err((function, [wrong, there].concat())),
        }
    });
    let checked = session.read("the project", join_all(checks)).await?;
    let (mut codes, mut wrong) = (Vec::new(), Vec::new());
    for checked in checked {
        match checked {
            Ok(code) => codes.push(code),
            Err((function, errors)) => wrong.extend(errors.into_iter().map(|error| (function.name.clone(), error))),
        }
    }
    if wrong.is_empty() { Ok(codes) } else { Err(failure(session, project, wrong, needs_values)) }
}

async fn code(project: &Project, function: &Function, platform: &Platform) -> Result<Code, Vec<BuildError>> {
    let directory = match &function.source {
        Source::Crate { directory, bin } => {
            let order = BuildOptions {
                crate_dir: project.path(directory),
                bin: bin.clone(),
                architecture: platform.architecture,
                target_dir: None,
                preference: preference(project, function, platform.architecture),
            };
            let prepared = packaging::prepare(&order).await?;
            return Ok(Code::Crate(Box::new(prepared), platform.architecture));
        }
        Source::Package { path, files } if !project.path(path).is_dir() => {
            return zip(&project.path(path), files, function, platform);
        }
        Source::App { directory, .. } => directory,
        Source::Package { path, .. } => path,
    };
    let app = app(project, function, platform, project.path(directory)).map_err(|error| vec![error])?;
    Ok(Code::App(Box::new(app.check().await?)))
}

/// A zip that was built elsewhere.
fn zip(path: &Path, files: &Files, function: &Function, platform: &Platform) -> Result<Code, Vec<BuildError>> {
    let mut wrong = Vec::new();
    if !path.exists() {
        let message = format!("cannot use the package `{}`: there is no such file or directory", path.display());
        return Err(vec![BuildError::new(message).at(&["package"])]);
    }
    if *files != Files::default() {
        let message = format!("`{}` is a zip: `include` and `exclude` need a directory", path.display());
        let error = BuildError::new(message).at(&["include", "exclude"]);
        wrong.push(error.hint("choose the files when you make the zip"));
    }
    match read(path, function, platform) {
        Ok(package) if wrong.is_empty() => return Ok(Code::Zip(package)),
        Ok(_) => {}
        Err(error) => wrong.push(error),
    }
    Err(wrong)
}

/// What is in a zip is right as far as it can be seen.
///
/// # Errors
/// When it cannot be read or started, or lacks the handler's file, unless a layer may bring that.
pub fn read(path: &Path, function: &Function, platform: &Platform) -> Result<Package, BuildError> {
    let package = Package::read(path, platform.architecture, function.executed(&platform.runtime))?;
    if let Some(handler) = function.handler.as_ref().filter(|_| function.layers.is_empty()) {
        package.refuse_without(platform.runtime.family(), handler, path)?;
    }
    Ok(package)
}

fn app(project: &Project, function: &Function, platform: &Platform, directory: PathBuf) -> Result<App, BuildError> {
    let (files, dependencies) = match &function.source {
        Source::App { files, dependencies, .. } => (files.clone(), dependencies.clone()),
        Source::Package { files, .. } => (files.clone(), manifest::Dependencies::None),
        Source::Crate { .. } => (Files::default(), manifest::Dependencies::None),
    };
    let script = function.web.as_ref().and_then(|web| web.script(&platform.runtime));
    Ok(App {
        directory,
        selection: Selection {
            include: files.include,
            exclude: files.exclude,
            own: project.own.clone(),
            values: project.values.clone(),
        },
        dependencies: match dependencies {
            manifest::Dependencies::Auto => Dependencies::Auto,
            manifest::Dependencies::None => Dependencies::None,
            manifest::Dependencies::File(file) => Dependencies::File(project.path(&file)),
        },
        platform: platform.clone(),
        script: script.map(|script| (script.name.to_owned(), script.text)),
        started: match &function.web {
            Some(web) => web.program(),
            None => function.executed(&platform.runtime),
        }
        .map(str::to_owned),
        // A layer may bring it.
        handler: function.handler.clone().filter(|_| function.layers.is_empty()),
        called: function.web.as_ref().and_then(|web| web.called()).map(str::to_owned),
        cache: local::cache().ok_or_else(|| {
            BuildError::new("there is no home directory for the cache of installed packages")
                .hint("set LAMSTREAM_CACHE_DIR to a directory")
        })?,
    })
}

/// How the manifest wants it built; what it says holds for its own architecture alone.
fn preference(project: &Project, function: &Function, architecture: Architecture) -> Preference {
    if architecture != function.architecture {
        return Preference::default();
    }
    let build = &function.build;
    // Cargo runs in the crate's directory.
    let directory = std::path::absolute(&project.directory).unwrap_or_else(|_| project.directory.clone());
    Preference {
        target: build.target.clone(),
        linker: build.linker.as_deref().map(|linker| Linker::named(linker, &directory)),
        rustc: build.rustc.as_deref().map(|rustc| directory.join(rustc)),
    }
}

/// What the local cloud needs of this machine to run the function, and does not find.
fn local_parts(function: &Function) -> Vec<BuildError> {
    let mut missing = Vec::new();
    let (is_chosen, named) = match function.web.as_ref().map(|web| &web.adapter) {
        Some(Adapter::Version(_)) => (true, None),
        Some(Adapter::Arn(arn)) => (false, Some(arn)),
        None => (false, None),
    };
    let (adapters, others): (Vec<&String>, Vec<&String>) =
        function.layers.iter().chain(named).partition(|arn| localcloud::is_adapter_layer(arn));
    if is_chosen || !adapters.is_empty() {
        missing.extend(adapter_missing());
    }
    let is_own = |arn: &str| Arn::parse(arn).is_some_and(|arn| arn.account == localcloud::ACCOUNT);
    for arn in others.into_iter().filter(|arn| !is_own(arn)) {
        if !layers::copy_of(arn).is_ok_and(|copy| copy.is_file()) {
            let message = format!("cannot run `{}` locally: there is no copy of the layer `{arn}`", function.name);
            let hint = format!(
                "run `lamstream local layer add {arn}`, which downloads it with your credentials or copies it from a ZIP"
            );
            missing.push(BuildError::new(message).hint(hint));
        }
    }
    missing
}

/// A local cloud that runs already may know another adapter than one that would be started.
fn adapter_missing() -> Option<BuildError> {
    if let Some(named) = adapter::named() {
        let why = match (named.is_file(), named.exists()) {
            (true, _) => return None,
            (false, true) => "it is not a file",
            (false, false) => "there is no such file",
        };
        let message = format!("cannot use `LAMSTREAM_ADAPTER` (`{}`): {why}", named.display());
        let hint = "correct the variable, or unset it and run `lamstream local adapter install` once";
        return Some(BuildError::new(message).hint(hint));
    }
    let running = home().ok().and_then(|home| home.running().ok().flatten());
    let known = running.and_then(|running| running.adapter);
    if known.or_else(adapter::program).is_some_and(|program| program.is_file()) {
        return None;
    }
    let error = BuildError::new("cannot run web apps: Lambda Web Adapter is not installed");
    Some(error.hint("run `lamstream local adapter install` once"))
}

/// A problem as it is shown, and what to do about it.
type Shown = (String, Vec<String>);

fn failure(session: &Session, project: &Project, wrong: Vec<Wrong>, needs_values: bool) -> Failure {
    let (mistakes, others): (Vec<Wrong>, Vec<Wrong>) = wrong.into_iter().partition(|(_, error)| !error.keys.is_empty());
    let missing = needs_values.then(|| values::missing_here(project)).flatten();
    let mut shown = of_manifest(session, project, mistakes, missing);
    let kind = if shown.is_empty() { Kind::Build } else { Kind::Manifest };
    // Two functions may lack the same.
    let mut others: Vec<BuildError> = others.into_iter().map(|(_, error)| error).collect();
    let mut seen = BTreeSet::new();
    others.retain(|error| seen.insert(error.message.clone()));
    if shown.is_empty() && others.len() == 1 {
        return others.remove(0).into();
    }
    for error in others {
        let causes = error.caused_by.iter().flat_map(|cause| cause.lines()).filter(|line| !line.trim().is_empty());
        let causes = causes.map(|cause| format!("\n  caused by: {cause}"));
        let text = std::iter::once(error.message.lines().collect::<Vec<_>>().join(" ")).chain(causes).collect();
        shown.push((text, error.hints));
    }
    Failure::of_shown(kind, shown)
}

/// What the manifest is to blame for, each with its place, in the order of the places.
fn of_manifest(
    session: &Session,
    project: &Project,
    mistakes: Vec<Wrong>,
    missing: Option<(Problems, Vec<String>)>,
) -> Vec<Shown> {
    let stage = project.manifest.stage.as_deref();
    let path = session.global.manifest.display().to_string();
    let mistakes = mistakes.into_iter().map(|(function, error)| {
        let message = [vec![error.message], error.caused_by].concat().join(": ");
        let mistake = Mistake { function, keys: error.keys, message };
        (located(vec![mistake], &project.text, stage), error.hints)
    });
    let mut all: Vec<(Problems, Vec<String>)> = mistakes.chain(missing).collect();
    all.sort_by_key(|(problems, _)| {
        problems.iter().next().and_then(|first| first.span.as_ref()).map(|span| (span.start, span.end))
    });
    let mut shown: Vec<Shown> = Vec::new();
    for (problems, hints) in all {
        let text = problems.render(&path, &project.text);
        match shown.iter_mut().find(|(known, _)| *known == text) {
            Some((_, known)) => known.extend(hints),
            None => shown.push((text, hints)),
        }
    }
    shown
}
