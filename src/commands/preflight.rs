//! Checks whether each function can be built on this machine, before anything is written and before any call to AWS.

use super::build_command::{command, commanded, is_zip};
use super::built_elsewhere::zip;
use super::crate_build::{CrateBuild, CrateBuilds};
use super::prepared::{Buildable, Code, Prepared, Then};
use super::project::{Project, platform};
use super::session::Session;
use super::values;
use crate::failure::{Failure, FailureKind, Problem, What, hint_for_missing};
use crate::local::{self, adapter, layers};
use crate::manifest::{
    self, Adapter, CodeSource, FilePatterns, Function, Mistake, Problems, Unfilled, Web, located, runtimes,
};
use crate::stack::{Architecture, Arn, Machine, Platform};
use futures_util::future::join_all;
use packaging::{
    App, Beside, BuildError, BuildOptions, Dependencies, Family, Linker, Order, Package, Preference, Profile, Selection,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The name of a function, and something that is wrong with it.
type Wrong = (String, BuildError);

/// Returns the chosen functions in their order. `packages` are packages that replace the manifest's sources, by the
/// function's name. `architecture` replaces the manifest's architecture. `needs_values` is whether the command also
/// fails if values are missing; the failure then includes them.
///
/// # Errors
/// Reports all problems at once. The kind is `Manifest` if the manifest is at fault, otherwise `Build`.
pub(super) async fn preflight(
    session: &Session,
    project: &Project,
    mut packages: BTreeMap<String, Package>,
    architecture: Option<Architecture>,
    needs_values: bool,
) -> Result<Vec<Prepared>, Failure> {
    for function in &project.functions {
        note_retirement(session, function);
    }
    // One zip for each content.
    let zips = &Mutex::new(Vec::new());
    let builds = &CrateBuilds::default();
    let checks = project.functions.iter().map(|function| {
        let package = packages.remove(&function.name);
        async move {
            let mut platform = platform(function, session.global.local);
            if let Some(architecture) = architecture {
                platform = Platform::on_lambda(platform.runtime, architecture);
            }
            let code = match package {
                Some(package) => Ok(Buildable::Now(Code::Zip(package))),
                None => code(project, function, &platform, builds).await.map(|code| code.sharing(zips)),
            };
            let missing = if session.global.local { local_parts(function) } else { Vec::new() };
            let wrong = match code {
                Ok(code) if missing.is_empty() => return Ok(Prepared { function: function.clone(), platform, code }),
                Ok(_) => missing,
                Err(wrong) => [wrong, missing].concat(),
            };
            Err(wrong.into_iter().map(|error| (function.name.clone(), error)).collect())
        }
    });
    let (mut prepared, mut wrong): (Vec<Prepared>, Vec<Wrong>) = (Vec::new(), Vec::new());
    for checked in session.read("the project", join_all(checks)).await? {
        match checked {
            Ok(one) => prepared.push(one),
            Err(errors) => wrong.extend::<Vec<Wrong>>(errors),
        }
    }
    if wrong.is_empty() { Ok(prepared) } else { Err(failure(session, project, wrong, needs_values)) }
}

/// Says if AWS no longer supports a function's runtime. It still works, so this is not a problem of the manifest.
fn note_retirement(session: &Session, function: &Function) {
    let Some(retired) = runtimes::retirement(function.runtime.as_str()) else { return };
    session.console.note(&format!(
        "`{}` uses the runtime `{}`, which AWS has not supported since {}: it refuses new functions with it from {}, and \
         updates from {}",
        function.name, retired.runtime, retired.ended, retired.creation_ends, retired.updates_end
    ));
}

async fn code(
    project: &Project,
    function: &Function,
    platform: &Platform,
    builds: &CrateBuilds,
) -> Result<Buildable, Vec<BuildError>> {
    let directory = match &function.source {
        CodeSource::Crate { directory, bin, files } => {
            return crate_code(project, function, platform, (directory, bin, files), builds).await;
        }
        CodeSource::Package { path, files } if is_zip(project, function) => {
            if let Some(command) = command(project, function, platform) {
                return commanded(command, Then::Read(project.path(path), files.clone()));
            }
            return zip(&project.path(path), files, function, platform).map(Buildable::Now);
        }
        CodeSource::App { directory, .. } => directory,
        CodeSource::Package { path, .. } => path,
    };
    let app = app(project, function, platform, project.path(directory)).map_err(|error| vec![error])?;
    match command(project, function, platform) {
        Some(command) => commanded(command, Then::Gather(Box::new(app))),
        None => Ok(Buildable::Now(Code::App(Box::new(app.check().await?)))),
    }
}

async fn crate_code(
    project: &Project,
    function: &Function,
    platform: &Platform,
    (directory, bin, files): (&Path, &Option<String>, &FilePatterns),
    builds: &CrateBuilds,
) -> Result<Buildable, Vec<BuildError>> {
    let machine = platform.machine();
    let order = BuildOptions {
        crate_dir: project.path(directory),
        bin: bin.clone(),
        machine,
        target_dir: None,
        preference: preference(project, function, machine),
        order: Order {
            features: function.build.features.clone(),
            default_features: function.build.default_features,
            profile: match &function.build.profile {
                Some(profile) => Profile::Named(profile.clone()),
                None if project.is_quick => Profile::Quick,
                None => Profile::Lambda,
            },
            locked: function.build.locked,
        },
    };
    let script = function.web.as_ref().and_then(|web| web.script(&platform.runtime)).map(|script| script.text);
    let beside = Beside { directory: project.path(directory), selection: selection(project, files), script };
    let command = command(project, function, platform);
    // A command may change what is compiled.
    let build = match command {
        Some(_) => CrateBuild::check(&order).await?,
        None => builds.check(order).await?,
    };
    beside.check(build.has_script || command.is_some()).map_err(|error| vec![error])?;
    match command {
        Some(command) => commanded(command, Then::Compile { build, beside }),
        None => Ok(Buildable::Now(Code::Crate { build, beside })),
    }
}

fn app(project: &Project, function: &Function, platform: &Platform, directory: PathBuf) -> Result<App, BuildError> {
    let (files, dependencies, slim) = match &function.source {
        CodeSource::App { files, dependencies, slim, .. } => (files.clone(), dependencies.clone(), *slim),
        CodeSource::Package { files, .. } => (files.clone(), manifest::Dependencies::None, false),
        CodeSource::Crate { .. } => (FilePatterns::default(), manifest::Dependencies::None, false),
    };
    let script = function.web.as_ref().and_then(|web| web.script(&platform.runtime));
    Ok(App {
        directory,
        project: project.directory.clone(),
        selection: selection(project, &files),
        dependencies: match dependencies {
            manifest::Dependencies::Auto => Dependencies::Auto,
            manifest::Dependencies::None => Dependencies::None,
            manifest::Dependencies::File(file) => Dependencies::File(project.path(&file)),
        },
        platform: platform.clone(),
        slim,
        script: script.map(|script| (script.name.to_owned(), script.text)),
        started: match &function.web {
            Some(web) => web.program(),
            None => function.executed(&platform.runtime),
        }
        .map(str::to_owned),
        // A layer may include it.
        handler: function.handler.clone().filter(|_| function.layers.is_empty()),
        called: function.web.as_ref().and_then(|web| web.called()).map(str::to_owned),
        required: function.web.as_ref().and_then(Web::required),
        modules: match &function.web {
            // A layer may include them.
            Some(web) if function.layers.is_empty() && platform.runtime.family() == Family::Python => web.modules(),
            _ => Vec::new(),
        },
        cache: local::cache().ok_or_else(|| {
            BuildError::new("cannot find a home directory for the cache of installed packages")
                .hint("set LAMSTREAM_CACHE_DIR to a directory")
        })?,
    })
}

fn selection(project: &Project, files: &FilePatterns) -> Selection {
    Selection {
        include: files.include.clone(),
        exclude: files.exclude.clone(),
        own: project.own.clone(),
        values: project.values.clone(),
    }
}

/// The manifest's settings for what builds the crate. They apply only to Lambda, with the architecture in the manifest.
fn preference(project: &Project, function: &Function, machine: Machine) -> Preference {
    if machine != function.architecture.into() {
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

/// Everything that the local cloud needs to run the function and that is missing on this machine.
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
    missing.extend(interpreter_missing(function));
    let is_own = |arn: &str| Arn::parse(arn).is_some_and(|arn| arn.account == localcloud::ACCOUNT);
    for arn in others.into_iter().filter(|arn| !is_own(arn)) {
        if !layers::copy_of(arn).is_ok_and(|copy| copy.is_file()) {
            let message =
                format!("cannot run `{}` locally: this machine has no copy of the layer `{arn}`", function.name);
            let hint = format!(
                "run `lamstream local layer add {arn}`, which downloads it with your credentials or copies it from a ZIP"
            );
            missing.push(BuildError::new(message).hint(hint));
        }
    }
    missing
}

/// The local cloud runs apps with the interpreters on the PATH of the command that started it. One that runs already may
/// have another PATH, and reports it itself.
fn interpreter_missing(function: &Function) -> Option<BuildError> {
    let runtime = function.runtime.as_str();
    let program = function.web.as_ref().and_then(|_| localcloud::missing_interpreter(runtime))?;
    let running = super::local::home().ok().and_then(|home| home.running().ok());
    let is_running = running.flatten().is_some();
    let message =
        format!("cannot run `{}` locally: `{program}`, which runs `{runtime}`, is not on PATH", function.name);
    let hint = format!("install `{program}`, or add its directory to PATH");
    (!is_running).then(|| BuildError::new(message).hint(hint))
}

/// lamstream includes an adapter, so only one that a variable names can be missing or unusable.
fn adapter_missing() -> Option<BuildError> {
    let named = adapter::named()?;
    let why = adapter::fault(&named)?;
    let message = format!("cannot use `LAMSTREAM_ADAPTER` (`{}`): {why}", named.display());
    Some(BuildError::new(message).hint("correct the variable, or unset it to use the adapter that lamstream includes"))
}

fn failure(session: &Session, project: &Project, wrong: Vec<Wrong>, needs_values: bool) -> Failure {
    let (mistakes, others): (Vec<Wrong>, Vec<Wrong>) = wrong.into_iter().partition(|(_, error)| !error.keys.is_empty());
    let unfilled = if needs_values { values::unfilled_here(project) } else { Vec::new() };
    let mut shown = of_manifest(session, project, mistakes, unfilled);
    let kind = if shown.is_empty() { FailureKind::Build } else { FailureKind::Manifest };
    // Several functions may have the same problem.
    let mut others: Vec<BuildError> = others.into_iter().map(|(_, error)| error).collect();
    let mut seen = BTreeSet::new();
    others.retain(|error| seen.insert(error.message.clone()));
    if shown.is_empty() && others.len() == 1 {
        return others.remove(0).into();
    }
    shown.extend(others.into_iter().map(problem));
    Failure::of_problems(kind, shown)
}

/// The failure of a build. At least one error is given.
pub(super) fn failure_of_build(mut errors: Vec<BuildError>) -> Failure {
    match errors.len() {
        1 => errors.remove(0).into(),
        _ => Failure::of_problems(FailureKind::Build, errors.into_iter().map(problem).collect()),
    }
}

fn problem(error: BuildError) -> Problem {
    let causes = error.caused_by.iter().flat_map(|cause| cause.lines()).filter(|line| !line.trim().is_empty());
    let caused_by = causes.map(str::to_owned).collect();
    let message = error.message.lines().collect::<Vec<_>>().join(" ");
    Problem { what: What::Build { message, caused_by }, hints: error.hints }
}

/// The problems that are the manifest's fault, each with its location, in the order of the locations.
fn of_manifest(session: &Session, project: &Project, mistakes: Vec<Wrong>, unfilled: Vec<Unfilled>) -> Vec<Problem> {
    let stage = project.manifest.stage.as_deref();
    let path = session.global.manifest.display().to_string();
    let mistakes = mistakes.into_iter().map(|(function, error)| {
        let message = [vec![error.message], error.caused_by].concat().join(": ");
        let mistake = Mistake { function, keys: error.keys, message };
        (located(vec![mistake], &project.text, stage), error.hints)
    });
    let unfilled = unfilled.into_iter().map(|Unfilled { problem, missing }| {
        let hints = missing.iter().filter_map(|missing| hint_for_missing(missing, &project.manifest)).collect();
        (problem, hints)
    });
    let mut all: Vec<(Problems, Vec<String>)> = mistakes.chain(unfilled).collect();
    all.sort_by_key(|(problems, _)| {
        problems.iter().next().and_then(|first| first.span.as_ref()).map(|span| (span.start, span.end))
    });
    let mut shown: Vec<Problem> = Vec::new();
    for (problems, hints) in all {
        let what = What::Manifest(problems.diagnostics(&path, &project.text));
        match shown.iter_mut().find(|known| known.what == what) {
            Some(known) => known.hints.extend(hints),
            None => shown.push(Problem { what, hints }),
        }
    }
    shown
}
