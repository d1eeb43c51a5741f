//! Installs packages of Node for the target's processor: with the tool that owns the lock, and with npm if there is none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;
use walkdir::WalkDir;

use super::lock::Lock;
use super::members::Members;
use super::project::{Project, Target};
use super::registries;
use super::scripts;
use super::tools::{self, Program};
use super::workspace::Workspace;
use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool::{self, Tell, failed, find};

/// Increase it when the same list is installed differently than before.
const WAY: &str = "3";

/// Packages that are installed, as the tool arranged them.
#[derive(Debug)]
pub(crate) struct Installed {
    /// A copy of the project's lists, with its `node_modules`.
    pub(crate) place: PathBuf,
    /// The project's own directory, which has the code of its members.
    pub(crate) project: PathBuf,
    /// The app's directory in both.
    pub(crate) app: String,
    /// The names under which the app and its members find packages.
    pub(crate) needed: BTreeSet<String>,
}

/// A `package.json` that needs something to run, and that can be installed.
struct Listed {
    package: Value,
    lock: Option<Lock>,
    members: Members,
    workspace: Workspace,
}

impl Listed {
    /// `None` if it needs nothing.
    fn read(list: &Path) -> Result<Option<Listed>, BuildError> {
        let text = tool::text(list)?;
        let unreadable = |error| BuildError::new(format!("cannot read `{}`", list.display())).because(error);
        let package: Value = serde_json::from_str(&text).map_err(unreadable)?;
        let needs = |key: &str| package[key].as_object().is_some_and(|all| !all.is_empty());
        if !needs("dependencies") && !needs("optionalDependencies") {
            return Ok(None);
        }
        let lock = Lock::of(list);
        let members = lock.as_ref().map(|lock| Members::of(&lock.root)).unwrap_or_default();
        let workspace = Workspace::of(list);
        workspace.refuse(list, &package, lock.as_ref())?;
        lock.iter().try_for_each(|lock| tools::refuse_stale(list, lock, &members))?;
        Ok(Some(Listed { package, lock, members, workspace }))
    }

    fn project(&self, list: &Path, target: Target) -> Result<Project, BuildError> {
        match &self.lock {
            Some(lock) => Ok(Project::locked(list, lock, &self.members, target)),
            None => Project::unlocked(list),
        }
    }

    fn installed(&self, list: &Path, place: PathBuf) -> Installed {
        let own = || tool::around(list).canonicalize().unwrap_or_else(|_| tool::around(list));
        let (project, app) = match &self.lock {
            Some(lock) => (lock.root.clone(), lock.app.clone()),
            None => (own(), String::new()),
        };
        Installed { place, project, app, needed: self.members.needed_by(&self.package) }
    }
}

/// Whether a `package.json` needs anything to run, and the tool to install it is there. Installs nothing.
///
/// # Errors
/// When it could not be installed.
pub(crate) async fn check(list: &Path) -> Result<bool, BuildError> {
    let Some(listed) = Listed::read(list)? else { return Ok(false) };
    match &listed.lock {
        Some(lock) => drop(Program::of(list, lock).await?),
        None if find("npm").is_none() => return Err(no_npm(list)),
        None => {}
    }
    Ok(true)
}

/// Installs what a `package.json` needs to run, once. `None` if it needs nothing.
///
/// # Errors
/// When the tool is missing or fails, or the lock does not fit.
pub(crate) async fn install(
    list: &Path,
    platform: &Platform,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<Installed>, BuildError> {
    let Some(listed) = Listed::read(list)? else { return Ok(None) };
    let target = Target::from(platform.machine());
    let project = listed.project(list, target)?;
    let lock = listed.lock.as_ref();
    match lock {
        None => notes
            .push("the app has no `package-lock.json`, so npm may choose other versions on each machine".to_owned()),
        Some(lock) => notes.extend(lock.unused.iter().map(|other| {
            format!("`{}` is not used: `{}` beside it decides what is installed", other.display(), lock.file.display())
        })),
    }
    let settings = match lock {
        Some(lock) if lock.has_digests() => String::new(),
        _ => registries::in_force(&find("npm").ok_or_else(|| no_npm(list))?).await,
    };
    let place = tool::cached(
        &cache.join("node"),
        &format!("{target}-{}", listed.key(target, &project, &settings)),
        async |place| {
            project.copy_to(place)?;
            match lock {
                Some(lock) => {
                    Program::of(list, lock).await?.install(list, lock, place, platform.machine(), tell).await?;
                }
                None => install_unlocked(list, &project, place, target, tell).await?,
            }
            if lock.is_none() {
                listed.workspace.refuse_others(list, place)?;
            }
            project.remove_from(place);
            clean(place);
            Ok(())
        },
    )
    .await?;
    notes.extend(listed.scripts(&place));
    Ok(Some(listed.installed(list, place)))
}

impl Listed {
    /// The note about scripts that were not run.
    fn scripts(&self, place: &Path) -> Option<String> {
        let needed = self.members.needed_by(&self.package);
        let is_needed = |member: &&Value| member["name"].as_str().is_some_and(|name| needed.contains(name));
        let own = std::iter::once(&self.package).chain(self.members.0.values().filter(is_needed));
        let roots: Vec<&str> = std::iter::once("").chain(self.members.0.keys().map(String::as_str)).collect();
        scripts::note(place, &roots, own)
    }

    /// Depends on everything that decides what is installed and from where, and on what is checked afterwards.
    fn key(&self, target: Target, project: &Project, settings: &str) -> String {
        let tool = self.lock.as_ref().map(|lock| (lock.tool, &lock.app));
        tool::key(&format!("{WAY}\n{target}\n{tool:?}\n{project:?}\n{:?}\n{settings}", self.workspace))
    }
}

async fn install_unlocked(
    list: &Path,
    project: &Project,
    place: &Path,
    target: Target,
    tell: Tell<'_>,
) -> Result<(), BuildError> {
    let mut command = Command::new(find("npm").ok_or_else(|| no_npm(list))?);
    command.args(tools::npm_arguments(false, target, "")).current_dir(place);
    registries::keep(&mut command, &project.text(".npmrc"));
    let message = format!("cannot install the dependencies in `{}`", list.display());
    tool::run("npm", command, tell).await.map_err(|said| failed(message, &said))
}

/// Removes what the tools note about an installation: it differs between machines, and no app needs it.
fn clean(place: &Path) {
    let is_kept = |name: &str| [".bin", ".pnpm", ".bun", ".store"].contains(&name);
    let mut walk = WalkDir::new(place).into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        let around = entry.path().parent().and_then(Path::file_name).unwrap_or_default();
        let name = entry.file_name().to_string_lossy();
        let is_note = around == "node_modules" && name.starts_with('.') && !is_kept(&name);
        if entry.file_type().is_file() && (is_note || (around == ".pnpm" && name == "lock.yaml")) {
            let _ = std::fs::remove_file(entry.path());
        } else if entry.file_type().is_dir() && is_note {
            let _ = std::fs::remove_dir_all(entry.path());
            walk.skip_current_dir();
        }
    }
}

fn no_npm(list: &Path) -> BuildError {
    BuildError::new(format!("cannot install the dependencies in `{}`: npm is not installed", list.display()))
        .hint("install Node.js, or package your own `node_modules` with `dependencies = \"none\"`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::machine::Machine;

    #[test]
    fn what_decides_what_is_installed_belongs_to_the_key() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("package.json", r#"{"workspaces": ["packages/*"]}"#);
        write("packages/app/package.json", r#"{"name": "app", "dependencies": {"six": "1"}}"#);
        let list = place.path().join("packages/app/package.json");
        let key = || {
            let listed = Listed::read(&list).unwrap().unwrap();
            let target = Target::from(Machine::from(Architecture::X86_64));
            listed.key(target, &listed.project(&list, target).unwrap(), "")
        };
        let mut keys = BTreeSet::new();
        for (name, text) in [
            ("packages/app/.npmrc", "registry=http://a/"),
            ("pnpm-lock.yaml", "a: 1\n"),
            ("pnpm-lock.yaml", "a: 2\n"),
            (".npmrc", "registry=http://b/"),
            ("packages/other/package.json", r#"{"name": "other"}"#),
            ("patches/six.patch", "-"),
            ("bun.lock", ""),
        ] {
            write(name, text);
            keys.insert(key());
        }
        // The last one is not used.
        assert_eq!(keys.len(), 6);
    }
}
