//! Installs packages of Node with npm, for the target's processor.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::registries;
use super::workspace::Workspace;
use crate::architecture::Architecture;
use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool::{self, Tell, failed, find};

/// Increase it when the same list is installed differently than before.
const WAY: &str = "2";

/// Files beside the list that decide what npm installs; its settings may also be in a directory above.
const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
const SETTINGS: &str = ".npmrc";

/// Locks of other tools. Beside one of them, npm may still be missing when the list is checked.
const OTHER_LOCKS: [&str; 4] = ["pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

/// A `package.json` that needs something to run, and that npm can install.
struct Listed {
    text: String,
    workspace: Workspace,
}

impl Listed {
    /// `None` if it needs nothing.
    fn read(list: &Path) -> Result<Option<Listed>, BuildError> {
        let text = tool::text(list)?;
        let unreadable = |error| BuildError::new(format!("cannot read `{}`", list.display())).because(error);
        let package: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
        let needs = |key: &str| package[key].as_object().is_some_and(|all| !all.is_empty());
        if !needs("dependencies") && !needs("optionalDependencies") {
            return Ok(None);
        }
        let workspace = Workspace::of(list, &package);
        workspace.refuse(list, &package)?;
        Ok(Some(Listed { text, workspace }))
    }
}

/// Whether a `package.json` needs anything to run, and npm is there to install it. Installs nothing.
///
/// # Errors
/// When npm could not install it.
pub fn check(list: &Path) -> Result<bool, BuildError> {
    let listed = Listed::read(list)?.is_some();
    let locked_by_others = OTHER_LOCKS.iter().any(|lock| list.with_file_name(lock).is_file());
    if listed && !locked_by_others && find("npm").is_none() {
        return Err(no_npm(list));
    }
    Ok(listed)
}

/// Installs what a `package.json` needs to run, once; returns a directory with its `node_modules`, if it needs anything.
///
/// # Errors
/// When npm is missing or fails.
pub async fn install(
    list: &Path,
    platform: &Platform,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, BuildError> {
    let Some(Listed { text, workspace }) = Listed::read(list)? else { return Ok(None) };
    let npm = find("npm").ok_or_else(|| no_npm(list))?;
    let mut beside: Vec<(&str, String)> =
        LOCKS.into_iter().filter_map(|name| Some((name, tool::text(&list.with_file_name(name)).ok()?))).collect();
    let locked = !beside.is_empty();
    beside.extend(Some((SETTINGS, registries::npmrc(list))).filter(|(_, text)| !text.is_empty()));
    if !locked {
        notes.push("there is no `package-lock.json`, so npm may choose other versions on each machine".to_owned());
    }
    let cpu = cpu(platform.architecture);
    let key = key(cpu, &text, &beside, &workspace, &registries::in_force(&npm).await);
    let place = tool::cached(&cache.join("node"), &format!("{cpu}-{key}"), async |place| {
        let write = |name: &str, text: &str| {
            let path = place.join(name);
            std::fs::write(&path, text)
                .map_err(|error| BuildError::new(format!("cannot write `{}`", path.display())).because(error))
        };
        write("package.json", &text)?;
        for (name, text) in &beside {
            write(name, text)?;
        }
        let mut command = command(&npm, locked, cpu, place);
        let own = beside.iter().find(|(name, _)| *name == SETTINGS);
        own.iter().for_each(|(_, text)| registries::keep(&mut command, text));
        let message = format!("cannot install the dependencies in `{}`", list.display());
        tool::run(command, tell).await.map_err(|said| failed(message, &said))?;
        workspace.refuse_others(list, place)?;
        // The app's directory has these, and npm's own lock differs between machines.
        for name in LOCKS.into_iter().chain([SETTINGS, "package.json", "node_modules/.package-lock.json"]) {
            let _ = std::fs::remove_file(place.join(name));
        }
        Ok(())
    })
    .await?;
    Ok(Some(place))
}

/// Depends on everything that decides what is installed and from where, and on what is checked afterwards.
fn key(cpu: &str, text: &str, beside: &[(&str, String)], workspace: &Workspace, settings: &str) -> String {
    tool::key(&format!("{WAY}\n{cpu}\n{text}\n{beside:?}\n{workspace:?}\n{settings}"))
}

fn command(npm: &Path, locked: bool, cpu: &str, place: &Path) -> Command {
    let mut command = Command::new(npm);
    command.arg(if locked { "ci" } else { "install" }).current_dir(place);
    // A package cannot have links, and scripts would build for this machine.
    command.args([
        "--omit=dev",
        "--no-bin-links",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        // The origin of each package is checked afterwards.
        "--omit-lockfile-registry-resolved=false",
    ]);
    command.args(["--os=linux", &format!("--cpu={cpu}"), "--libc=glibc"]);
    command
}

fn no_npm(list: &Path) -> BuildError {
    BuildError::new(format!("cannot install the dependencies in `{}`: npm is not installed", list.display()))
        .hint("install Node.js, or package your own `node_modules` with `dependencies = \"none\"`")
}

fn cpu(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x64",
        Architecture::Arm64 => "arm64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_where_packages_come_from_belongs_to_the_key() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join(".git")).unwrap();
        let list = place.path().join("package.json");
        let package = serde_json::json!({"dependencies": {"six": "*"}});
        std::fs::write(&list, package.to_string()).unwrap();
        let of = |lock: &str, text: &str, settings: &str| {
            std::fs::write(place.path().join(lock), text).unwrap();
            let found = key("x64", "{}", &[], &Workspace::of(&list, &package), settings);
            std::fs::remove_file(place.path().join(lock)).unwrap();
            found
        };
        assert_ne!(of("none", "", "registry=http://a/"), of("none", "", "registry=http://b/"));
        let forms = [
            ("yarn.lock", "six@*:\n  version \"1\"\n  resolved \"http://{HOST}/six.tgz#00\"\n"),
            (
                "pnpm-lock.yaml",
                "packages:\n  six@1:\n    resolution: {integrity: sha512-00, tarball: 'http://{HOST}/six.tgz'}\n",
            ),
            ("bun.lock", "{\"packages\": {\"six\": [\"six@1\", \"http://{HOST}/six.tgz\", {}, \"sha512-00\"],}}"),
        ];
        for (lock, text) in forms {
            assert_ne!(
                of(lock, &text.replace("{HOST}", "a"), ""),
                of(lock, &text.replace("{HOST}", "b"), ""),
                "{lock}"
            );
        }
    }
}
