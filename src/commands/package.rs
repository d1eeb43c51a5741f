//! Getting a function's package: built here, or brought along.

use super::run::Run;
use super::site::{Job, Project, architecture};
use crate::apply::Event;
use crate::build::{self, Linker, Order, Package, Preference};
use crate::failure::Failure;
use crate::manifest::Function;
use crate::stack::Architecture;
use std::path::Path;

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
        let architecture = architecture(&project.functions[place], run.global.local);
        zips[place] = Some(Package::read(Path::new(zip), architecture)?);
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
        packages.push(package(run, project, job.function, job.architecture, zip.clone()).await);
    }
    packages
}

/// One function's package.
pub async fn package(
    run: &Run,
    project: &Project,
    function: &Function,
    architecture: Architecture,
    brought: Option<Package>,
) -> Result<Package, Failure> {
    let package = match brought {
        Some(package) => package,
        None => {
            run.console.tell(&Event::Building { function: function.name.clone() });
            let order = Order {
                crate_dir: project.directory.join(&function.source.crate_dir),
                bin: function.source.bin.clone(),
                architecture,
                target_dir: None,
                preference: preference(project, function, architecture),
            };
            let tell = |line: &str| run.console.tell(&Event::BuildLine { line: line.to_owned() });
            let piped: Option<&(dyn Fn(&str) + Sync)> = if run.console.is_terminal() { None } else { Some(&tell) };
            let prepared = run.until_stopped(build::prepare(&order)).await??;
            if run.global.verbose {
                run.console.note(&format!("`{}` is built {}", function.name, prepared.route));
            }
            let binary = run.until_stopped(prepared.compile(piped)).await??;
            Package::of_bootstrap(&binary, architecture)?
        }
    };
    run.console.tell(&Event::Packaged {
        function: function.name.clone(),
        architecture: architecture.as_str(),
        size: package.size(),
        sha256: package.sha256.clone(),
    });
    Ok(package)
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
