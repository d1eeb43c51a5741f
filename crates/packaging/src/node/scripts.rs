//! Scripts that packages want to run when they are installed. lamstream has no tool run them: they would build for this
//! machine.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::members::json;

/// What a tool runs for an installed package. `prepare` is only for those who develop it.
const SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];
/// Directories in which pnpm, Bun and Yarn keep packages, each with a `node_modules` of its own.
const STORES: [&str; 3] = [".pnpm", ".bun", ".store"];
/// What npm builds without being asked.
const GYP: &str = "binding.gyp";

/// The note about scripts that did not run: those of the packages in `place`, and of the app and the members that it needs,
/// whose `package.json` are `own`. `None` if there are no scripts.
///
/// What is installed decides, and not the locks: only some of them have a sign for it (`hasInstallScript`,
/// `requiresBuild`).
pub(super) fn note<'p>(place: &Path, roots: &[&str], own: impl IntoIterator<Item = &'p Value>) -> Option<String> {
    let mut names = BTreeSet::new();
    names.extend(own.into_iter().filter(|package| has_script(package)).map(|package| name_of(package, "the app")));
    for root in roots {
        collect(&place.join(root).join("node_modules"), &mut names);
    }
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let (last, others) = names.split_last()?;
    let named = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    Some(format!(
        "the install scripts of {named} did not run, because they would build for this machine; if the app needs what they \
         make, have `build.command` make it, or package your own `node_modules` with `dependencies = \"none\"`"
    ))
}

/// The packages in a `node_modules`, and in those below it.
fn collect(node_modules: &Path, names: &mut BTreeSet<String>) {
    for entry in directories(node_modules) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if STORES.contains(&&*name) {
            directories(&entry).iter().for_each(|inner| collect(&inner.join("node_modules"), names));
        } else if name.starts_with('@') {
            directories(&entry).iter().for_each(|inner| collect_package(inner, names));
        } else if !name.starts_with('.') {
            collect_package(&entry, names);
        }
    }
}

fn collect_package(directory: &Path, names: &mut BTreeSet<String>) {
    let package = json(&directory.join("package.json")).unwrap_or_default();
    let is_built = || package["gypfile"] != false && directory.join(GYP).is_file();
    if has_script(&package) || is_built() {
        names.insert(name_of(&package, &directory.file_name().unwrap_or_default().to_string_lossy()));
    }
    collect(&directory.join("node_modules"), names);
}

/// Links lead to what another directory has.
fn directories(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

fn has_script(package: &Value) -> bool {
    SCRIPTS.iter().any(|name| package["scripts"][name].as_str().is_some_and(|script| !script.trim().is_empty()))
}

fn name_of(package: &Value, otherwise: &str) -> String {
    package["name"].as_str().unwrap_or(otherwise).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(files: &[(&str, &str)], own: &Value) -> Option<String> {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        note(place.path(), &["", "packages/app"], [own]).map(|note| note.split(" did not").next().unwrap().to_owned())
    }

    #[test]
    fn packages_are_named_wherever_a_tool_puts_them() {
        let with = |name: &str, script: &str| format!(r#"{{"name": "{name}", "scripts": {{"{script}": "node x"}}}}"#);
        let (none, own) = (serde_json::json!({}), serde_json::json!({"scripts": {"postinstall": "prisma generate"}}));
        assert_eq!(noted(&[("node_modules/a/package.json", &with("a", "prepare"))], &none), None);
        assert_eq!(noted(&[], &own).as_deref(), Some("the install scripts of `the app`"));
        let files = [
            ("node_modules/a/package.json", with("a", "postinstall")),
            ("node_modules/a/test/node_modules/no/package.json", with("no", "install")),
            ("node_modules/a/node_modules/b/package.json", with("b", "preinstall")),
            ("node_modules/@scope/c/package.json", with("@scope/c", "install")),
            ("node_modules/.pnpm/d@1.0.0/node_modules/d/package.json", with("d", "install")),
            ("node_modules/.bin/no/package.json", with("no", "install")),
            ("packages/app/node_modules/e/package.json", with("e", "install")),
            ("node_modules/f/binding.gyp", "{}".to_owned()),
            ("node_modules/g/package.json", r#"{"name": "g", "gypfile": false}"#.to_owned()),
            ("node_modules/g/binding.gyp", "{}".to_owned()),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let named = noted(&files, &none);
        assert_eq!(named.as_deref(), Some("the install scripts of `@scope/c`, `a`, `b`, `d`, `e` and `f`"));
    }
}
