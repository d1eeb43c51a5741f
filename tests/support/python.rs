//! A Python of our own with moto, boto3 and the aws CLI, pinned, under `target/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The `bin` directory of the environment, installed on first use.
///
/// Without python3 or a package index there is none: a test then says so in one line and ends, but fails in CI.
pub(crate) fn python() -> Option<PathBuf> {
    environment("python", REQUIREMENTS)
}

/// Another environment, with all that the requirements depend on.
pub(crate) fn environment(name: &str, requirements: &str) -> Option<PathBuf> {
    found(installed(name, requirements, &[]))
}

/// Another environment, of foreign tools without what they depend on.
pub(crate) fn tools(name: &str, requirements: &str) -> Option<PathBuf> {
    found(installed(name, requirements, &["--no-deps"]))
}

/// The newest versions of such tools, installed each time.
pub(crate) fn newest(name: &str, requirements: &str) -> Option<PathBuf> {
    let unpinned: Vec<&str> = requirements.lines().filter_map(|line| line.split("==").next()).collect();
    let _ = fs::remove_dir_all(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    found(installed(name, &(unpinned.join("\n") + "\n"), &["--no-deps"]))
}

/// What a test needs, if it is there.
pub(crate) fn found<T>(thing: Result<T, String>) -> Option<T> {
    match thing {
        Ok(thing) => Some(thing),
        Err(reason) if std::env::var("CI").is_ok_and(|value| value == "true") => panic!("{reason}"),
        Err(reason) => {
            eprintln!("not tested: {reason}");
            None
        }
    }
}

/// The `bin` directory of an environment, or why there is none.
pub(crate) fn installed(name: &str, requirements: &str, options: &[&str]) -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&home).map_err(|error| format!("cannot make {}: {error}", home.display()))?;
    // Several test binaries may come here at once; one installs, the others wait.
    let lock = File::create(home.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (ready, venv) = (home.join("ready"), home.join("venv"));
    if fs::read_to_string(&ready).ok().as_deref() != Some(requirements) {
        let list = home.join("requirements.txt");
        fs::write(&list, requirements).map_err(|error| error.to_string())?;
        done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let install = ["-m", "pip", "install", "--quiet", "--requirement"];
        done(Command::new(venv.join("bin/python")).args(install).arg(&list).args(options))?;
        fs::write(&ready, requirements).map_err(|error| error.to_string())?;
    }
    Ok(venv.join("bin"))
}

pub(crate) fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?} cannot start: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
