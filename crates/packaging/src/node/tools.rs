//! How each tool installs exactly what its lock names, for the target's processor.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;
use walkdir::WalkDir;

use super::lock::{Lock, Tool};
use super::members::{Members, json};
use super::project::Target;
use super::registries;
use crate::error::BuildError;
use crate::machine::Machine;
use crate::tool::{self, Tell, failed, find};

/// A tool that is installed here.
pub(crate) struct Program {
    program: PathBuf,
    /// Its first arguments: Yarn may be a script in the repository.
    first: Vec<OsString>,
}

/// What a tool says if its lock does not fit, and whether another version of the tool wrote it.
const STALE: [(&str, bool); 9] = [
    ("can only install packages when your package.json and", false),
    ("ERR_PNPM_OUTDATED_LOCKFILE", false),
    ("lockfile needs to be updated, but yarn was run with", false),
    ("YN0028", false),
    ("lockfile is frozen", false),
    // bun resolves only what its lock lacks.
    (" failed to resolve", false),
    ("ERR_PNPM_LOCKFILE_CONFIG_MISMATCH", false),
    ("ERR_PNPM_LOCKFILE_BREAKING_CHANGE", true),
    ("not compatible lockfile", true),
];

impl Program {
    /// The tool that owns the lock.
    ///
    /// # Errors
    /// When it is not installed, or another Yarn than the lock's is.
    pub(crate) async fn of(list: &Path, lock: &Lock) -> Result<Program, BuildError> {
        let found = find(lock.tool.name()).map(|program| Program { program, first: Vec::new() });
        if !matches!(lock.tool, Tool::Classic | Tool::Berry) {
            return found.ok_or_else(|| missing(list, lock));
        }
        let own =
            yarn_of(&lock.root).and_then(|script| Some(Program { program: find("node")?, first: vec![script.into()] }));
        let program = own.or(found).ok_or_else(|| missing(list, lock))?;
        let mut command = program.command(&lock.root);
        command.arg("--version");
        let version = tool::output("yarn", command).await.map_err(|said| failed(cannot(list), &said))?;
        let version = version.trim();
        if version.starts_with("1.") == (lock.tool == Tool::Classic) {
            return Ok(program);
        }
        let wanted = if lock.tool == Tool::Classic { "Yarn 1" } else { "Yarn 2 or later" };
        let error = BuildError::new(format!("{}: `{}` is a lock of {wanted}", cannot(list), lock.file.display()));
        Err(error.because(format!("`yarn` is Yarn {version}")).hint(install_hint(lock)).hint(NONE))
    }

    fn command(&self, directory: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.first).current_dir(directory);
        // A tool that asks a question would wait forever.
        command.env("CI", "true").env("COREPACK_ENABLE_DOWNLOAD_PROMPT", "0");
        command
    }

    /// Installs in a copy of the project.
    ///
    /// # Errors
    /// When the tool fails, or the lock does not fit.
    pub(crate) async fn install(
        &self,
        list: &Path,
        lock: &Lock,
        place: &Path,
        machine: Machine,
        tell: Tell<'_>,
    ) -> Result<(), BuildError> {
        let target = Target::from(machine);
        for arguments in arguments(lock, target) {
            let directory = if arguments[0] == "workspaces" { place.join(&lock.app) } else { place.to_owned() };
            let mut command = self.command(&directory);
            command.args(&arguments);
            if lock.tool == Tool::Npm {
                registries::keep(&mut command, &tool::text(&place.join(".npmrc")).unwrap_or_default());
            }
            if lock.tool == Tool::Berry {
                command.env("YARN_NODE_LINKER", "node-modules").env("YARN_ENABLE_SCRIPTS", "0");
                command.env("YARN_ENABLE_TELEMETRY", "0").env("YARN_ENABLE_PROGRESS_BARS", "0");
            }
            tool::run(lock.tool.name(), command, tell).await.map_err(|said| refused(list, lock, &said))?;
        }
        if matches!(lock.tool, Tool::Classic | Tool::Bun) {
            remove_foreign(place, target);
        }
        Ok(())
    }
}

/// `app` is the directory of the app in its workspace.
pub(crate) fn npm_arguments(locked: bool, target: Target, app: &str) -> Vec<String> {
    let mut all = vec![if locked { "ci" } else { "install" }.to_owned()];
    // Scripts would build for this machine. The origin of each package is checked afterwards.
    let options = "--omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier \
                   --omit-lockfile-registry-resolved=false";
    all.extend(options.split_whitespace().map(str::to_owned));
    all.extend([format!("--os={}", target.os), format!("--cpu={}", target.cpu)]);
    all.extend(target.libc.map(|libc| format!("--libc={libc}")));
    if !app.is_empty() {
        all.extend([format!("--workspace={app}"), "--include-workspace-root=false".to_owned()]);
    }
    all
}

fn arguments(lock: &Lock, target: Target) -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let app = (!lock.app.is_empty()).then_some(&lock.app);
    match lock.tool {
        Tool::Npm => vec![npm_arguments(true, target, &lock.app)],
        Tool::Pnpm => {
            let mut all = words(
                "install --frozen-lockfile --prod --ignore-scripts --reporter=append-only \
                 --config.prefer-symlinked-executables=true --config.enable-global-virtual-store=false \
                 --config.confirm-modules-purge=false",
            );
            all.extend(app.map(|app| format!("--filter={{{app}}}...")));
            vec![all]
        }
        Tool::Classic => {
            let mut all = words(
                "install --frozen-lockfile --production --ignore-scripts --ignore-engines --non-interactive --no-progress",
            );
            let is_here = Machine::host().is_some_and(|host| Target::from(host) == target);
            all.extend((!is_here).then(|| "--ignore-platform".to_owned()));
            vec![all]
        }
        Tool::Berry => vec![words("install --immutable --mode=skip-build"), words("workspaces focus --production")],
        Tool::Bun => {
            let mut all = words("install --frozen-lockfile --production --ignore-scripts --no-progress");
            all.extend(["--os", target.os, "--cpu", target.cpu].map(str::to_owned));
            all.extend(app.into_iter().flat_map(|app| ["--filter".to_owned(), format!("./{app}")]));
            vec![all]
        }
    }
}

/// The script of Yarn that the repository contains.
fn yarn_of(root: &Path) -> Option<PathBuf> {
    let settings = tool::text(&root.join(".yarnrc.yml")).ok()?;
    let named = settings.lines().find_map(|line| line.strip_prefix("yarnPath:"))?;
    Some(root.join(named.trim().trim_matches(['"', '\'']))).filter(|script| script.is_file())
}

/// Removes the packages that are for other platforms: these tools cannot be told the platform, or not all of it.
fn remove_foreign(place: &Path, target: Target) {
    let fits = |package: &Value, key: &str, wanted: &str| {
        let all: Vec<&str> = match &package[key] {
            Value::String(one) => vec![one],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let is_refused = all.iter().any(|one| one.strip_prefix('!') == Some(wanted));
        let named: Vec<&&str> = all.iter().filter(|one| !one.starts_with('!')).collect();
        !is_refused && (named.is_empty() || named.iter().any(|one| **one == wanted || **one == "any"))
    };
    let mut walk = WalkDir::new(place).into_iter();
    let mut foreign = Vec::new();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        let is_package =
            entry.file_type().is_dir() && entry.path() != place && entry.path().join("package.json").is_file();
        let package = if is_package { json(&entry.path().join("package.json")) } else { None };
        let Some(package) = package else { continue };
        let fits_libc = target.libc.is_none_or(|libc| fits(&package, "libc", libc));
        if !(fits(&package, "os", target.os) && fits(&package, "cpu", target.cpu) && fits_libc) {
            foreign.push(entry.path().to_owned());
            walk.skip_current_dir();
        }
    }
    for directory in foreign {
        let _ = std::fs::remove_dir_all(directory);
    }
}

const NONE: &str = "or package your own `node_modules` with `dependencies = \"none\"`";

fn cannot(list: &Path) -> String {
    format!("cannot install the dependencies in `{}`", list.display())
}

fn install_hint(lock: &Lock) -> String {
    format!("install it: `npm install --global {}`", lock.tool.fitting(&lock.file))
}

fn missing(list: &Path, lock: &Lock) -> BuildError {
    let (file, tool) = (lock.file.display(), lock.tool.name());
    let error = BuildError::new(format!("{}: `{file}` locks them, but {tool} is not installed", cannot(list)));
    match lock.tool {
        Tool::Npm => error.hint("install Node.js, which includes npm").hint(NONE),
        _ => error.hint(install_hint(lock)).hint(NONE),
    }
}

fn refused(list: &Path, lock: &Lock, said: &[String]) -> BuildError {
    let sign = STALE.iter().find(|(sign, _)| said.iter().any(|line| line.contains(sign)));
    let (file, tool) = (lock.file.display(), lock.tool.name());
    match sign {
        None => failed(cannot(list), said),
        Some((_, true)) => {
            let error = failed(format!("{}: this version of {tool} cannot read `{file}`", cannot(list)), said);
            error.hint(install_hint(lock))
        }
        Some((_, false)) => {
            let error = failed(format!("{}: `{file}` does not fit it", cannot(list)), said);
            error.hint(format!("run `{tool} install`, and commit the lock"))
        }
    }
}

/// Refuses a lock of Yarn 1 that lacks a dependency: with workspaces, Yarn does not notice that itself.
///
/// # Errors
/// When a dependency is not in the lock.
pub(crate) fn refuse_stale(list: &Path, lock: &Lock, members: &Members) -> Result<(), BuildError> {
    if lock.tool != Tool::Classic {
        return Ok(());
    }
    let text = tool::text(&lock.file)?;
    let keys: std::collections::BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with([' ', '#']) && line.ends_with(':'))
        .flat_map(|line| line.trim_end_matches(':').split(", "))
        .map(|key| key.trim_matches('"'))
        .collect();
    let names = members.names();
    let root = json(&lock.root.join("package.json")).unwrap_or_default();
    let resolved = |name: &str| {
        let all = root.get("resolutions").and_then(Value::as_object).into_iter().flatten();
        all.map(|(key, _)| key).any(|key| key == name || key.ends_with(&format!("/{name}")))
    };
    for (directory, package) in std::iter::once(("", &root)).chain(members.0.iter().map(|(at, one)| (at.as_str(), one)))
    {
        for key in ["dependencies", "devDependencies", "optionalDependencies"] {
            for (name, version) in package[key].as_object().into_iter().flatten() {
                let wanted = format!("{name}@{}", version.as_str().unwrap_or_default());
                if !keys.contains(wanted.as_str()) && !names.contains(name.as_str()) && !resolved(name) {
                    let place = lock.root.join(directory).join("package.json");
                    let error = BuildError::new(format!("{}: `{}` does not fit it", cannot(list), lock.file.display()));
                    return Err(error
                        .because(format!("`{}` requires `{wanted}`, which is not in the lock", place.display()))
                        .hint("run `yarn install`, and commit the lock"));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::machine::OperatingSystem;

    fn targets() -> [Target; 2] {
        let lambda = Machine::from(Architecture::Arm64);
        [lambda, Machine { system: OperatingSystem::Macos, ..lambda }].map(Target::from)
    }

    #[test]
    fn tools_install_for_the_target_and_not_for_this_machine() {
        let [lambda, mac] = targets();
        let npm = |target| npm_arguments(true, target, "").join(" ");
        assert!(npm(lambda).ends_with("--os=linux --cpu=arm64 --libc=glibc"), "{}", npm(lambda));
        assert!(npm(mac).ends_with("--os=darwin --cpu=arm64"), "{}", npm(mac));
        let lock = |tool| Lock { tool, file: "l".into(), root: "/".into(), app: String::new(), unused: Vec::new() };
        let bun = |target| arguments(&lock(Tool::Bun), target).concat().join(" ");
        assert!(bun(lambda).ends_with("--os linux --cpu arm64") && bun(mac).ends_with("--os darwin --cpu arm64"));
        // Yarn 1 refuses what is for another machine, unless this flag is set.
        let here = Target::from(Machine::host().unwrap());
        let yarn = |target| arguments(&lock(Tool::Classic), target).concat().join(" ").contains("--ignore-platform");
        for target in targets() {
            assert_eq!(yarn(target), target != here, "{target}");
        }
    }

    #[test]
    fn packages_for_another_system_are_removed() {
        for (target, kept) in targets().into_iter().zip(["linux", "darwin"]) {
            let place = tempfile::tempdir().unwrap();
            for (name, text) in [
                ("linux", r#"{"os": ["linux"], "libc": ["glibc"], "cpu": "arm64"}"#),
                ("musl", r#"{"os": ["linux"], "libc": ["musl"]}"#),
                ("darwin", r#"{"os": ["darwin"]}"#),
                ("any", "{}"),
            ] {
                let directory = place.path().join("node_modules").join(name);
                std::fs::create_dir_all(&directory).unwrap();
                std::fs::write(directory.join("package.json"), text).unwrap();
            }
            remove_foreign(place.path(), target);
            let mut left: Vec<String> = std::fs::read_dir(place.path().join("node_modules"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            left.sort();
            assert_eq!(left, ["any", kept]);
        }
    }
}
