//! Gets a function's package, either built here or read from `--package`.

use super::preflight::{Code, read};
use super::project::{Project, platform};
use super::session::Session;
use super::site::Job;
use crate::apply::Event;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::stack::{Architecture, Platform};
use packaging::{Assembled, Package};
use std::path::Path;

/// Reads the packages given with `--package`, one entry for each of the project's functions. It refuses packages that
/// cannot run, before lamstream makes any call.
pub fn read_packages(
    session: &Session,
    project: &Project,
    packages: &[String],
) -> Result<Vec<Option<Package>>, Failure> {
    let mut zips = vec![None; project.functions.len()];
    for package in packages {
        let named = match package.split_once('=') {
            Some((name, zip)) => place(project, name, package)?.map(|place| (place, zip)),
            None => None,
        };
        let (place, zip) = match named {
            Some(found) => found,
            None if project.functions.len() == 1 => (0, package.as_str()),
            None => {
                let usage = Failure::usage(format!("`--package {package}` does not name a function"));
                return Err(usage.hint("pass `--package FUNCTION=ZIP`"));
            }
        };
        let function = &project.functions[place];
        let platform = platform(function, session.global.local);
        zips[place] = Some(read(Path::new(zip), function, &platform)?);
    }
    Ok(zips)
}

/// Which of the chosen functions a package is for; `None` if the text before `=` is not a name.
fn place(project: &Project, name: &str, package: &str) -> Result<Option<usize>, Failure> {
    let place = project.functions.iter().position(|function| function.name == name);
    if place.is_some() {
        return Ok(place);
    }
    let names = |functions: &[Function]| -> Vec<String> { functions.iter().map(|one| one.name.clone()).collect() };
    let known = names(&project.manifest.functions);
    if known.iter().any(|known| known == name) {
        return Err(Failure::package_not_chosen(package, name, &names(&project.functions)));
    }
    // A path may itself contain `=`.
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let is_path = !is_name || Path::new(package).exists();
    if is_path { Ok(None) } else { Err(Failure::unknown_function(name, &known)) }
}

/// Gets the packages of all functions, one after the other, because cargo would serialise the builds anyway.
pub async fn package_all(session: &Session, jobs: &[Job<'_>], codes: Vec<Code>) -> Vec<Result<Package, Failure>> {
    let mut packages = Vec::new();
    for (job, code) in jobs.iter().zip(codes) {
        packages.push(package(session, job.function, &job.platform, code).await);
    }
    packages
}

/// Gets one function's package.
pub async fn package(
    session: &Session,
    function: &Function,
    platform: &Platform,
    code: Code,
) -> Result<Package, Failure> {
    if platform.runtime != function.runtime {
        let (wanted, here) = (&function.runtime, &platform.runtime);
        session.console.note(&format!("`{}` runs with {here} locally: {wanted} is not installed", function.name));
    }
    let building = || session.console.tell(&Event::Building { function: function.name.clone() });
    let package = match code {
        Code::Zip(package) => warn_about_secrets(session, function, package),
        Code::Crate(prepared, architecture) => {
            building();
            compiled(session, function, *prepared, architecture).await?
        }
        Code::App(checked) => {
            building();
            assembled(session, function, *checked).await?
        }
    };
    session.console.tell(&Event::Packaged {
        function: function.name.clone(),
        architecture: platform.architecture.as_str(),
        size: package.size(),
        sha256: package.sha256.clone(),
    });
    Ok(package)
}

/// Warns about secrets in a zip built elsewhere, which is deployed unchanged.
fn warn_about_secrets(session: &Session, function: &Function, package: Package) -> Package {
    for file in package.secrets() {
        session.console.note(&format!("`{}`: the package contains `{file}`, which looks like a secret", function.name));
    }
    package
}

async fn compiled(
    session: &Session,
    function: &Function,
    prepared: packaging::Prepared,
    architecture: Architecture,
) -> Result<Package, Failure> {
    let tell = |line: &str| session.console.tell(&Event::BuildLine { line: line.to_owned() });
    let piped: Option<&(dyn Fn(&str) + Sync)> = if session.console.is_terminal() { None } else { Some(&tell) };
    if session.global.verbose {
        session.console.note(&format!("building `{}` {}", function.name, prepared.toolset));
    }
    let waits = |directory: Option<&Path>| {
        let function = function.name.clone();
        session.console.tell(&match directory {
            Some(directory) => {
                let for_what = format!("another lamstream building in `{}`", directory.display());
                Event::BuildWaits { function, for_what }
            }
            None => Event::BuildGoesOn { function },
        });
    };
    let progress = packaging::Progress { piped, waits: &waits };
    let binary = session.until_stopped(prepared.compile(progress)).await??;
    Ok(Package::of_bootstrap(&binary, architecture)?)
}

async fn assembled(session: &Session, function: &Function, checked: packaging::Checked) -> Result<Package, Failure> {
    let tell = |line: &str| session.console.tell(&Event::BuildLine { line: line.to_owned() });
    let Assembled { package, notes } = session.until_stopped(checked.assemble(&tell)).await??;
    notes.iter().for_each(|note| session.console.note(&format!("`{}`: {note}", function.name)));
    Ok(package)
}
