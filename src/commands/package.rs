//! Getting a function's package: built here, or brought along.

use super::run::Run;
use super::site::{Job, Project, platform};
use crate::apply::Event;
use crate::build::{self, App, Assembled, Dependencies, Linker, Order, Package, Preference, Selection};
use crate::failure::{Failure, Kind};
use crate::local;
use crate::manifest::{self, Files, Function, Source};
use crate::stack::{Architecture, Platform};
use std::path::{Path, PathBuf};

/// What was brought along with `--package`, one place for each of the project's functions. What could not run is
/// refused here, before anything is called.
pub fn brought(run: &Run, project: &Project, packages: &[String]) -> Result<Vec<Option<Package>>, Failure> {
    let mut zips = vec![None; project.functions.len()];
    for package in packages {
        let named = package.split_once('=').and_then(|(name, zip)| {
            let place = project.functions.iter().position(|function| function.name == name)?;
            Some((place, zip))
        });
        let (place, zip) = match named {
            Some(found) => found,
            None if project.functions.len() == 1 => (0, package.as_str()),
            None => {
                let usage = Failure::usage(format!("`--package {package}` does not say for which function it is"));
                return Err(usage.hint("write `--package FUNCTION=ZIP`"));
            }
        };
        let function = &project.functions[place];
        let platform = platform(function, run.global.local);
        zips[place] = Some(Package::read(Path::new(zip), platform.architecture, function.executed(&platform.runtime))?);
    }
    Ok(zips)
}

/// The packages of all functions, one after the other: cargo would make them wait for each other anyway.
pub async fn package_all(
    run: &Run,
    project: &Project,
    jobs: &[Job<'_>],
    zips: &[Option<Package>],
) -> Vec<Result<Package, Failure>> {
    let mut packages = Vec::new();
    for (job, zip) in jobs.iter().zip(zips) {
        packages.push(package(run, project, job.function, &job.platform, zip.clone()).await);
    }
    packages
}

/// One function's package.
pub async fn package(
    run: &Run,
    project: &Project,
    function: &Function,
    platform: &Platform,
    brought: Option<Package>,
) -> Result<Package, Failure> {
    if platform.runtime != function.runtime {
        let (wanted, here) = (&function.runtime, &platform.runtime);
        run.console.note(&format!("`{}` runs with {here} here: this machine has no {wanted}", function.name));
    }
    let package = match brought {
        Some(package) => told_of_secrets(run, function, package),
        None => {
            run.console.tell(&Event::Building { function: function.name.clone() });
            make(run, project, function, platform).await?
        }
    };
    run.console.tell(&Event::Packaged {
        function: function.name.clone(),
        architecture: platform.architecture.as_str(),
        size: package.size(),
        sha256: package.sha256.clone(),
    });
    Ok(package)
}

async fn make(run: &Run, project: &Project, function: &Function, platform: &Platform) -> Result<Package, Failure> {
    match &function.source {
        Source::Crate { directory, bin } => {
            let order = Order {
                crate_dir: project.directory.join(directory),
                bin: bin.clone(),
                architecture: platform.architecture,
                target_dir: None,
                preference: preference(project, function, platform.architecture),
            };
            compiled(run, function, order).await
        }
        Source::App { directory, files, dependencies } => {
            let dependencies = match dependencies {
                manifest::Dependencies::Auto => Dependencies::Auto,
                manifest::Dependencies::None => Dependencies::None,
                manifest::Dependencies::File(file) => Dependencies::File(project.directory.join(file)),
            };
            assembled(run, project, function, platform, project.directory.join(directory), files, dependencies).await
        }
        Source::Package { path, files } => {
            let path = project.directory.join(path);
            if path.is_dir() {
                return assembled(run, project, function, platform, path, files, Dependencies::None).await;
            }
            if *files != Files::default() {
                let message = format!("`{}` is no directory to `include` from or `exclude` from", path.display());
                return Err(Failure::new(Kind::Build, message).hint("choose what is in a zip when it is made"));
            }
            let package = Package::read(&path, platform.architecture, function.executed(&platform.runtime))?;
            Ok(told_of_secrets(run, function, package))
        }
    }
}

/// A zip that was made elsewhere is deployed as it is, but not in silence.
fn told_of_secrets(run: &Run, function: &Function, package: Package) -> Package {
    for file in package.secrets() {
        run.console.note(&format!("`{}`: the package holds `{file}`, which looks like a secret", function.name));
    }
    package
}

async fn compiled(run: &Run, function: &Function, order: Order) -> Result<Package, Failure> {
    let tell = |line: &str| run.console.tell(&Event::BuildLine { line: line.to_owned() });
    let piped: Option<&(dyn Fn(&str) + Sync)> = if run.console.is_terminal() { None } else { Some(&tell) };
    let prepared = run.until_stopped(build::prepare(&order)).await??;
    if run.global.verbose {
        run.console.note(&format!("`{}` is built {}", function.name, prepared.route));
    }
    let waits = |directory: Option<&Path>| {
        let function = function.name.clone();
        run.console.tell(&match directory {
            Some(directory) => {
                let for_what = format!("another lamstream that builds in `{}`", directory.display());
                Event::BuildWaits { function, for_what }
            }
            None => Event::BuildGoesOn { function },
        });
    };
    let progress = build::Progress { piped, waits: &waits };
    let binary = run.until_stopped(prepared.compile(progress)).await??;
    Ok(Package::of_bootstrap(&binary, order.architecture)?)
}

async fn assembled(
    run: &Run,
    project: &Project,
    function: &Function,
    platform: &Platform,
    directory: PathBuf,
    files: &Files,
    dependencies: Dependencies,
) -> Result<Package, Failure> {
    let script = function.web.as_ref().and_then(|web| web.script(&platform.runtime));
    let app = App {
        directory,
        selection: Selection {
            include: files.include.clone(),
            exclude: files.exclude.clone(),
            own: project.own.clone(),
            values: project.values.clone(),
        },
        dependencies,
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
        cache: cache()?,
    };
    let tell = |line: &str| run.console.tell(&Event::BuildLine { line: line.to_owned() });
    let Assembled { package, notes } = run.until_stopped(app.assemble(&tell)).await??;
    notes.iter().for_each(|note| run.console.note(&format!("`{}`: {note}", function.name)));
    Ok(package)
}

/// Where what was installed for functions is kept.
fn cache() -> Result<PathBuf, Failure> {
    local::cache().ok_or_else(|| {
        let failure = Failure::usage("there is no home directory to keep installed packages in");
        failure.hint("name a directory in LAMSTREAM_CACHE_DIR")
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
