//! Packages of Node, installed by npm for the target's processor.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::local::Around;
use super::registries;
use super::tool::{self, Tell, failed, find};
use crate::error::BuildError;
use crate::{Architecture, Platform};

/// Changes when the same list would be installed in another way.
const WAY: &str = "2";

/// What beside the list decides what npm installs; and its settings, which may be above it.
const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
const SETTINGS: &str = ".npmrc";

/// Installs what a `package.json` needs to run, once; gives a directory with its `node_modules`, if it needs anything.
///
/// # Errors
/// When there is no npm, or it fails.
pub async fn install(
    list: &Path,
    platform: &Platform,
    cache: &Path,
    tell: Tell<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, BuildError> {
    let text = tool::text(list)?;
    let unreadable = |error| BuildError::new(format!("cannot read `{}`", list.display())).because(error);
    let package: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
    let needs =
        ["dependencies", "optionalDependencies"].map(|key| package[key].as_object().is_some_and(|all| !all.is_empty()));
    if needs == [false, false] {
        return Ok(None);
    }
    let around = Around::of(list, &package);
    around.refuse(list, &package)?;
    let npm = find("npm").ok_or_else(|| no_npm(list))?;
    let mut beside: Vec<(&str, String)> =
        LOCKS.into_iter().filter_map(|name| Some((name, tool::text(&list.with_file_name(name)).ok()?))).collect();
    let locked = !beside.is_empty();
    beside.extend(Some((SETTINGS, registries::npmrc(list))).filter(|(_, text)| !text.is_empty()));
    if !locked {
        notes.push(
            "there is no `package-lock.json`: npm chooses the versions of packages anew on each machine".to_owned(),
        );
    }
    let cpu = cpu(platform.architecture);
    let key = key(cpu, &text, &beside, &around, &registries::in_force(&npm).await);
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
        let message = format!("cannot install what `{}` lists", list.display());
        tool::run(command, tell).await.map_err(|said| failed(message, &said))?;
        around.refuse_others(list, place)?;
        // The app's own directory has these, and npm's note to itself differs from machine to machine.
        for name in LOCKS.into_iter().chain([SETTINGS, "package.json", "node_modules/.package-lock.json"]) {
            let _ = std::fs::remove_file(place.join(name));
        }
        Ok(())
    })
    .await?;
    Ok(Some(place))
}

/// Differs where anything differs that decides what is installed, and from where; also what is looked at afterwards.
fn key(cpu: &str, text: &str, beside: &[(&str, String)], around: &Around, settings: &str) -> String {
    let digest = Sha256::digest(format!("{WAY}\n{cpu}\n{text}\n{beside:?}\n{around:?}\n{settings}"));
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn command(npm: &Path, locked: bool, cpu: &str, place: &Path) -> Command {
    let mut command = Command::new(npm);
    command.arg(if locked { "ci" } else { "install" }).current_dir(place);
    // Links have no place in a package, and scripts would build for this machine.
    command.args([
        "--omit=dev",
        "--no-bin-links",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        // Where each package came from is looked at afterwards.
        "--omit-lockfile-registry-resolved=false",
    ]);
    command.args(["--os=linux", &format!("--cpu={cpu}"), "--libc=glibc"]);
    command
}

fn no_npm(list: &Path) -> BuildError {
    BuildError::new(format!("cannot install what `{}` lists: there is no npm here", list.display()))
        .hint("install Node.js, or bring `node_modules` along with `dependencies = \"none\"`")
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
            let found = key("x64", "{}", &[], &Around::of(&list, &package), settings);
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
