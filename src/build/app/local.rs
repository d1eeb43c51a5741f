//! Packages of Node that lie on this machine: npm would install them from a registry, or as links to nowhere.
//!
//! The list is installed in a directory of its own, where nothing lies beside it. A workspace's package has a name that
//! anybody may have registered, so that a stranger's would come in its place.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use super::patterns::Patterns;
use super::tool;
use crate::build::error::BuildError;

/// What a version begins with that is a place and no version.
const PLACES: [&str; 8] = ["file:", "link:", "portal:", "workspace:", "./", "../", "/", "~/"];
/// What a version ends with that is a file of this machine, unless it is an address.
const ARCHIVES: [&str; 3] = [".tgz", ".tar.gz", ".tar"];
const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
/// How deep below its root a workspace's packages are looked for.
const DEPTH: usize = 6;

/// # Errors
/// When a package that is needed comes from a directory of this machine: all of them are named.
pub fn refuse(list: &Path, package: &Value) -> Result<(), BuildError> {
    let needed = needed(package);
    let mut local: BTreeSet<String> =
        workspaces(package).into_iter().map(|pattern| format!("workspaces {pattern}")).collect();
    local.extend(
        needed.iter().filter(|(_, version)| is_place(version)).map(|(name, version)| format!("{name} {version}")),
    );
    local.extend(linked(list));
    let members = members_around(list);
    local.extend(needed.into_iter().map(|(name, _)| name).filter(|name| members.contains(*name)).map(str::to_owned));
    if local.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = local.iter().map(|name| format!("`{name}`")).collect();
    let error = BuildError::new(format!(
        "cannot install what `{}` lists: {} is a directory or file of this machine, which no registry has",
        list.display(),
        named.join(", ")
    ));
    Err(error
        .hint("bundle the app first, with what it needs of the workspace, and deploy the bundle's directory")
        .hint("or bring `node_modules` along as it is, without links, with `dependencies = \"none\"`"))
}

/// Names to versions of what runs.
fn needed(package: &Value) -> Vec<(&str, &str)> {
    let of = |key: &str| package.get(key).and_then(Value::as_object).into_iter().flatten();
    let all = of("dependencies").chain(of("optionalDependencies"));
    all.filter_map(|(name, version)| Some((name.as_str(), version.as_str()?))).collect()
}

fn is_place(version: &str) -> bool {
    PLACES.iter().any(|place| version.starts_with(place))
        || (ARCHIVES.iter().any(|end| version.ends_with(end)) && !version.contains("://"))
}

/// An array of patterns, or a table that has one.
fn workspaces(package: &Value) -> Vec<&str> {
    let value = package.get("workspaces");
    let patterns = value.and_then(|value| value.as_array().or_else(|| value.get("packages")?.as_array()));
    patterns.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What the lock file takes from this machine, by its place in `node_modules`.
fn linked(list: &Path) -> Vec<String> {
    let mut linked = Vec::new();
    for lock in LOCKS {
        let Some(lock) = json(&list.with_file_name(lock)) else { continue };
        for (place, package) in lock.get("packages").and_then(Value::as_object).into_iter().flatten() {
            let is = |key| package.get(key).and_then(Value::as_bool) == Some(true);
            let resolved = package.get("resolved").and_then(Value::as_str).unwrap_or_default();
            if !is("dev") && (is("link") || resolved.starts_with("file:")) {
                linked.push(place.trim_start_matches("node_modules/").to_owned());
            }
        }
    }
    linked
}

/// The packages of a workspace that the list lies in, by name.
fn members_around(list: &Path) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    let Ok(list) = list.canonicalize() else { return members };
    for root in list.ancestors().skip(2) {
        let Some(package) = json(&root.join("package.json")) else { continue };
        let patterns: Vec<String> = workspaces(&package)
            .into_iter()
            .map(|pattern| format!("{}/package.json", pattern.trim_start_matches("./").trim_end_matches('/')))
            .collect();
        let Some(patterns) = Patterns::of(&patterns).ok().filter(|patterns| !patterns.is_empty()) else { continue };
        let walk = WalkDir::new(root).max_depth(DEPTH).into_iter();
        for entry in walk.filter_entry(|entry| entry.file_name() != "node_modules").flatten() {
            let inner = entry.path().strip_prefix(root).ok().and_then(Path::to_str).unwrap_or_default();
            if entry.file_name() == "package.json" && patterns.match_path(inner) {
                let member = json(entry.path());
                members.extend(member.and_then(|member| Some(member.get("name")?.as_str()?.to_owned())));
            }
        }
    }
    members
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&tool::text(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(files: &[(&str, &str)], list: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let list = directory.path().join(list);
        refuse(&list, &json(&list).unwrap()).err().map(|error| error.message)
    }

    #[test]
    fn what_no_registry_has_is_named() {
        let alone = |text: &str| refused(&[("package.json", text)], "package.json");
        for local in ["file:../p", "link:../p", "../p", "workspace:*", "vendor/p.tgz"] {
            let message = alone(&format!(r#"{{"dependencies": {{"p": "{local}"}}}}"#)).unwrap();
            assert!(message.contains(&format!("`p {local}`")), "{message}");
        }
        assert!(alone(r#"{"workspaces": ["packages/*"], "dependencies": {"p": "1"}}"#).unwrap().contains("packages/*"));
        let plain = r#"{"dependencies": {"p": "^1", "q": "https://example.com/q.tgz", "r": "github:a/r"}}"#;
        assert_eq!(alone(plain), None);
        let lock = r#"{"packages": {"": {}, "node_modules/p": {"resolved": "packages/p", "link": true}}}"#;
        let files = [("package.json", r#"{"dependencies": {"p": "1"}}"#), ("package-lock.json", lock)];
        assert!(refused(&files, "package.json").unwrap().contains("`p`"));
    }

    #[test]
    fn a_package_of_the_workspace_around_is_no_registrys() {
        let files = [
            ("package.json", r#"{"workspaces": ["./packages/*"]}"#),
            ("packages/app/package.json", r#"{"name": "app", "dependencies": {"shared": "*", "other": "1"}}"#),
            ("packages/shared/package.json", r#"{"name": "shared"}"#),
        ];
        let message = refused(&files, "packages/app/package.json").unwrap();
        assert!(message.contains("`shared`") && !message.contains("other"), "{message}");
    }
}
