//! Gets a function's package, either built here or read from `--package`.

use super::build_command::made;
use super::built_elsewhere::read;
use super::preflight::failure_of_build;
use super::prepared::{Buildable, Code, Commanded};
use super::project::{Project, platform};
use super::session::Session;
use crate::apply::Event;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::stack::Platform;
use packaging::{Assembled, Beside, Built, Package, Ran};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Reads the packages given with `--package`, each under the name of its function. It refuses packages that cannot run,
/// before lamstream makes any call.
pub(super) fn read_packages(
    session: &Session,
    project: &Project,
    packages: &[String],
) -> Result<BTreeMap<String, Package>, Failure> {
    let mut read_packages: BTreeMap<String, Package> = BTreeMap::new();
    for package in packages {
        let named = match package.split_once('=') {
            Some((name, zip)) => named(project, name, package)?.map(|function| (function, zip)),
            None => None,
        };
        let (function, zip) = match (named, &*project.functions) {
            (Some(found), _) => found,
            (None, [only]) => (only, package.as_str()),
            (None, _) => {
                let usage = Failure::usage(format!("`--package {package}` does not name a function"));
                return Err(usage.hint("pass `--package FUNCTION=ZIP`"));
            }
        };
        let zip = Path::new(zip);
        // A file that cannot be read is a mistake in the command. All other errors are about the zip's content or its
        // build.
        let first = File::open(zip).and_then(|mut file| file.read(&mut [0]));
        first.map_err(|error| Failure::unreadable("the package", zip, &error))?;
        let platform = platform(function, session.global.local);
        let package = read(zip, function, &platform)?.sharing(read_packages.values());
        read_packages.insert(function.name.clone(), package);
    }
    Ok(read_packages)
}

/// Which of the chosen functions a package is for; `None` if the text before `=` is not a name.
fn named<'a>(project: &'a Project, name: &str, package: &str) -> Result<Option<&'a Function>, Failure> {
    let function = project.functions.iter().find(|function| function.name == name);
    if function.is_some() {
        return Ok(function);
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

/// What a package is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is written to disk, and may be deployed in another way.
    Keep,
    Deploy,
}

/// Gets one function's package. `accepted` is called when only faults of the code itself can still be found: cargo
/// compiles the crate, the packages that an app depends on are installed, or a command has made the zip. Of functions that
/// share a build, the first one calls it.
pub(super) async fn package(
    session: &Session,
    function: &Function,
    platform: &Platform,
    code: Buildable,
    purpose: Purpose,
    accepted: &(dyn Fn() + Sync),
) -> Result<Package, Failure> {
    if platform.runtime != function.runtime {
        let (wanted, here) = (&function.runtime, &platform.runtime);
        session.note_once(&format!("`{}` runs with {here} locally: {wanted} is not installed", function.name));
    }
    let building = || session.console.tell(&Event::Building { function: function.name.clone() });
    let code = match code {
        Buildable::Now(code) => code,
        Buildable::Commanded(commanded) => {
            building();
            commanded_code(session, function, platform, *commanded, accepted).await?
        }
    };
    let package = match code {
        Code::Zip(package) => warn_about_zip(session, function, package),
        Code::Crate { build, beside } => {
            let compile = async |prepared: packaging::Prepared| {
                building();
                compiled(session, function, prepared, accepted).await
            };
            let built = build.built(compile).await?;
            match never_asks(function, &beside, &built) {
                Some(failure) if purpose == Purpose::Deploy => return Err(failure),
                Some(failure) => session.console.note(&failure.message.to_string()),
                None => {}
            }
            with_notes(session, function, build.package(&built, &beside)?)
        }
        Code::App(checked) => {
            building();
            assembled(session, function, *checked, accepted).await?
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

/// Runs the command that makes the code, unless nothing has changed, and checks what it has made.
async fn commanded_code(
    session: &Session,
    function: &Function,
    platform: &Platform,
    Commanded { command, then }: Commanded,
    accepted: &(dyn Fn() + Sync),
) -> Result<Code, Failure> {
    let tell = |line: &str| session.console.tell(&Event::BuildLine { line: line.to_owned() });
    let waits = || {
        let for_what = "another lamstream running the same build command".to_owned();
        session.console.tell(&Event::BuildWaits { function: function.name.clone(), for_what });
    };
    if let Ran::Before = session.until_stopped(command.run(&tell, &waits)).await?? {
        let name = &function.name;
        session
            .console
            .note(&format!("`{name}`: nothing has changed since its build command ran, so it was not run again"));
    }
    let code = session.until_stopped(made(then, function, platform)).await?.map_err(failure_of_build)?;
    // Cargo, or what installs packages, may still refuse it.
    if let Code::Zip(_) = code {
        accepted();
    }
    Ok(code)
}

/// Warns about what was corrected in a zip built elsewhere, and about secrets in it.
fn warn_about_zip(session: &Session, function: &Function, package: Package) -> Package {
    if !package.corrections.is_empty() {
        let corrections = package.corrections.join("; ");
        session.console.note(&format!("`{}`: a corrected copy of the package is used: {corrections}", function.name));
    }
    for file in package.secrets() {
        session.console.note(&format!(
            "the package of `{}` contains `{file}`, which looks like a secret; remove it unless the function needs it",
            function.name
        ));
    }
    package
}

async fn compiled(
    session: &Session,
    function: &Function,
    prepared: packaging::Prepared,
    accepted: &(dyn Fn() + Sync),
) -> Result<Built, Failure> {
    let (global, console) = (&session.global, &session.console);
    let kept = Mutex::new(Vec::new());
    let tell = |line: &str| match global.quiet {
        true => kept.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned()),
        false => console.tell(&Event::BuildLine { line: line.to_owned() }),
    };
    let piped: Option<&(dyn Fn(&str) + Sync)> = if console.is_terminal() { None } else { Some(&tell) };
    let note = |note: &str| console.note(&format!("`{}`: {note}", function.name));
    if global.verbose {
        console.note(&format!("building `{}` {}", function.name, prepared.toolset));
    }
    prepared.notes.iter().for_each(|line| note(line));
    let waits = |directory: Option<&Path>| {
        let function = function.name.clone();
        console.tell(&match directory {
            Some(directory) => {
                let for_what = format!("another lamstream building in `{}`", directory.display());
                Event::BuildWaits { function, for_what }
            }
            None => Event::BuildGoesOn { function },
        });
    };
    let progress = packaging::Progress { piped, waits: &waits, compiles: accepted };
    let built = session.until_stopped(prepared.compile(progress)).await?;
    if built.is_err() {
        // What cargo says is the only explanation of a failure.
        console.show_output(&kept.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    let built = built?;
    built.note.iter().for_each(|line| note(line));
    Ok(built)
}

/// A program without any sign of Lambda's Runtime API can only be started by another one, such as a layer's.
fn never_asks(function: &Function, beside: &Beside, built: &Built) -> Option<Failure> {
    let is_alone = function.web.is_none() && function.layers.is_empty() && beside.selection.include.is_empty();
    let asks = !is_alone || packaging::can_ask_lambda(&built.bytes);
    (!asks).then(|| Failure::never_asks(&function.name, &built.name))
}

async fn assembled(
    session: &Session,
    function: &Function,
    checked: packaging::Checked,
    accepted: &(dyn Fn() + Sync),
) -> Result<Package, Failure> {
    let tell = |line: &str| session.console.tell(&Event::BuildLine { line: line.to_owned() });
    let assembled = session.until_stopped(checked.assemble(&tell, accepted)).await??;
    Ok(with_notes(session, function, assembled))
}

/// Reports how a package was made, and returns it.
fn with_notes(session: &Session, function: &Function, Assembled { package, notes }: Assembled) -> Package {
    notes.iter().for_each(|note| session.console.note(&format!("`{}`: {note}", function.name)));
    package
}
