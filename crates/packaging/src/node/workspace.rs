//! Packages of Node on this machine: npm would install them from a registry, or as dangling links.
//!
//! Without a lock, the list is installed in a directory of its own, without the workspace around it. Anyone may have
//! registered the name of a workspace's package, and npm would install that package instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::lock::{Lock, Tool};
use super::members::{Members, json, real_name, workspaces};
use crate::error::{self, BuildError};
use crate::tool;

/// Prefixes of a version that is a path.
const PLACES: [&str; 7] = ["file:", "link:", "portal:", "./", "../", "/", "~/"];
/// A package of the workspace, whose place a lock has.
const MEMBER: &str = "workspace:";
/// Endings of a version that is a local file, unless it is a URL.
const ARCHIVES: [&str; 3] = [".tgz", ".tar.gz", ".tar"];
const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];

/// Protocols that only some tools support. npm would fail, or install the package of that name from a registry.
const UNKNOWN: [(&str, &[Tool]); 4] = [
    ("catalog:", &[Tool::Pnpm, Tool::Bun, Tool::Berry]),
    ("patch:", &[Tool::Berry]),
    ("exec:", &[Tool::Berry]),
    ("jsr:", &[Tool::Pnpm, Tool::Berry]),
];

/// The other packages of the workspace around a project.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Their names, and where they are in the workspace.
    members: BTreeMap<String, String>,
}

impl Workspace {
    pub(crate) fn of(list: &Path) -> Workspace {
        let mut members = BTreeMap::new();
        if let Ok(list) = list.canonicalize() {
            for root in list.ancestors().skip(1) {
                for (directory, package) in Members::of(root).0 {
                    // A package never means itself: an app may have the name of its framework.
                    let is_own = list.parent() == Some(&root.join(&directory));
                    if let (false, Some(name)) = (is_own, package["name"].as_str()) {
                        members.insert(name.to_owned(), directory);
                    }
                }
            }
        }
        Workspace { members }
    }

    /// # Errors
    /// When packages come from outside the registries in a way that the tool does not support: all of them are named.
    pub(crate) fn refuse(&self, list: &Path, package: &Value, lock: Option<&Lock>) -> Result<(), BuildError> {
        let needed = needed(package);
        let mut local = BTreeSet::new();
        let asked = needed.iter().copied().chain(replaced(package));
        local.extend(asked.filter(|(_, version)| is_place(version)).map(|(name, version)| format!("{name} {version}")));
        if lock.is_none() {
            local.extend(workspaces(package).into_iter().map(|pattern| format!("workspaces {pattern}")));
            let members = needed.iter().filter(|(_, version)| version.starts_with(MEMBER));
            local.extend(members.map(|(name, version)| format!("{name} {version}")));
        } else {
            local.extend(linked(list));
        }
        let namesakes = if lock.is_none() { self.namesakes(&needed) } else { BTreeMap::new() };
        let mut why = Vec::new();
        if !local.is_empty() {
            why.push(format!("{} is a local directory or file, which no registry has", quoted(&local)));
        }
        why.extend(ambiguous(&namesakes));
        if !why.is_empty() {
            let names = local.iter().map(String::as_str).chain(namesakes.keys().copied());
            let error = refused(list, &why.join("; "), &names.collect(), package);
            return Err(if namesakes.is_empty() { error } else { error.hint(RENAME) });
        }
        let tool = lock.map_or(Tool::Npm, |lock| lock.tool);
        let is_unknown =
            |version: &str| UNKNOWN.iter().any(|(kind, known)| version.starts_with(kind) && !known.contains(&tool));
        let unknown = needed.iter().copied().chain(replaced(package)).filter(|(_, version)| is_unknown(version));
        let unknown: BTreeSet<String> = unknown.map(|(name, version)| format!("{name} {version}")).collect();
        if !unknown.is_empty() {
            let why = format!("{} is declared in a way that {} does not support", quoted(&unknown), tool.name());
            return Err(refused(list, &why, &unknown.iter().map(String::as_str).collect(), package));
        }
        Ok(())
    }

    /// The dependencies that may mean another package of the workspace or one of a registry, and where the former is:
    /// only a lock says which is meant.
    fn namesakes<'a>(&'a self, needed: &[(&'a str, &str)]) -> BTreeMap<&'a str, &'a str> {
        let place = |name, version| self.members.get(real_name(name, version)).map(String::as_str);
        let plain = needed.iter().filter(|(_, version)| !is_place(version) && !version.starts_with(MEMBER));
        plain.filter_map(|(name, version)| Some((*name, place(name, version)?))).collect()
    }

    /// Refuses what npm has installed instead of a package of the workspace. `place` contains the `node_modules`.
    ///
    /// # Errors
    /// When a package has the name of one of the workspace.
    pub(crate) fn refuse_others(&self, list: &Path, place: &Path) -> Result<(), BuildError> {
        let installed = json(&place.join("node_modules/.package-lock.json")).unwrap_or_default();
        for (path, package) in installed.get("packages").and_then(Value::as_object).into_iter().flatten() {
            let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
            let real = package.get("name").and_then(Value::as_str).unwrap_or(name);
            if let Some(member) = self.members.get(real) {
                let message = format!("cannot install `{name}` of `{}` from a registry", list.display());
                let why = format!("the workspace's package in `{member}` has this name");
                let error = BuildError::new(message).because(why).hint(LOCK);
                return Err(error.hint("or bundle the app first, and deploy the bundle's directory").hint(RENAME));
            }
        }
        Ok(())
    }
}

const LOCK: &str =
    "lock the workspace, for example with `npm install` at its root: lamstream installs what a lock names";
const RENAME: &str = "or, if the app means the registry's package, rename the one in the workspace";

fn quoted(names: &BTreeSet<String>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// What is not clear about dependencies with the names of packages of the workspace, if there are any.
fn ambiguous(namesakes: &BTreeMap<&str, &str>) -> Option<String> {
    let (names, places) = (namesakes.keys().copied(), namesakes.values().copied());
    let (names, places) = (error::list(names), error::list(places));
    let what = format!("without a lock, {names} may mean the workspace's own {places} or the registry's");
    (!namesakes.is_empty()).then_some(what)
}

/// `packages` are the dependencies that are meant, some with a space and their version.
fn refused(list: &Path, why: &str, packages: &BTreeSet<&str>, package: &Value) -> BuildError {
    let file = list.display();
    let error = BuildError::new(format!("cannot install the dependencies in `{file}`: {why}"));
    let text = tool::text(list).unwrap_or_default();
    let places = needed(package).into_iter().filter_map(|(name, _)| {
        let is_meant = packages.iter().any(|meant| meant.split(' ').next() == Some(name));
        let key = format!("\"{name}\"");
        let line = text.lines().position(|line| line.contains(&key)).filter(|_| is_meant)?;
        Some(format!("`{name}` is required in `{file}:{}`", line + 1))
    });
    places
        .fold(error, BuildError::because)
        .hint(LOCK)
        .hint("or bundle the app with what it needs, and deploy the bundle's directory")
        .hint("or package your own `node_modules` with `dependencies = \"none\"`")
}

/// Names to versions of run-time dependencies; npm also installs peer dependencies.
fn needed(package: &Value) -> Vec<(&str, &str)> {
    let of = |key: &str| package.get(key).and_then(Value::as_object).into_iter().flatten();
    let is_optional = |name: &str| package["peerDependenciesMeta"][name]["optional"] == true;
    let peers = of("peerDependencies").filter(|(name, _)| !is_optional(name));
    let all = of("dependencies").chain(of("optionalDependencies")).chain(peers);
    all.filter_map(|(name, version)| Some((name.as_str(), version.as_str()?))).collect()
}

/// Names to versions of overrides, including those of other tools: npm reads only `overrides`.
fn replaced(package: &Value) -> Vec<(&str, &str)> {
    fn walk<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            match value.as_str() {
                Some(version) => found.push((name, version)),
                None => walk(value, found),
            }
        }
    }
    let mut found = Vec::new();
    let pnpm = package.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
    let all = [package.get("overrides"), package.get("resolutions"), pnpm];
    all.into_iter().flatten().for_each(|value| walk(value, &mut found));
    found
}

fn is_place(version: &str) -> bool {
    PLACES.iter().any(|place| version.starts_with(place))
        || (ARCHIVES.iter().any(|end| version.ends_with(end)) && !version.contains("://"))
}

/// The local packages in npm's lock, by their path in `node_modules`.
fn linked(list: &Path) -> Vec<String> {
    let members = Members::of(&tool::around(list));
    let mut linked = Vec::new();
    for lock in LOCKS {
        let Some(lock) = json(&list.with_file_name(lock)) else { continue };
        for (place, package) in lock.get("packages").and_then(Value::as_object).into_iter().flatten() {
            let is = |key| package.get(key).and_then(Value::as_bool) == Some(true);
            let resolved = package.get("resolved").and_then(Value::as_str).unwrap_or_default();
            let is_member = is("link") && members.has(resolved);
            if !is("dev") && !is_member && (is("link") || resolved.starts_with("file:")) {
                linked.push(place.trim_start_matches("node_modules/").to_owned());
            }
        }
        linked_before(&lock, &mut linked);
    }
    linked
}

/// The same for locks of npm before version 7.
fn linked_before(lock: &Value, linked: &mut Vec<String>) {
    if lock.get("packages").is_some() {
        return;
    }
    for (name, package) in lock.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
        let version = package.get("version").and_then(Value::as_str).unwrap_or_default();
        if package.get("dev").and_then(Value::as_bool) != Some(true) && is_place(version) {
            linked.push(format!("{name} {version}"));
        }
        linked_before(package, linked);
    }
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
        let package = json(&list).unwrap();
        Workspace::of(&list).refuse(&list, &package, Lock::of(&list).as_ref()).err().map(|error| error.message)
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
    fn what_replaces_another_and_what_only_other_tools_know_is_named() {
        let alone = |text: &str| refused(&[("package.json", text)], "package.json").unwrap_or_default();
        for key in ["resolutions", "overrides"] {
            let text = format!(r#"{{"dependencies": {{"a": "1"}}, "{key}": {{"a": {{"p": "file:../p"}}}}}}"#);
            assert!(alone(&text).contains("`p file:../p`"), "{key}");
        }
        assert!(
            alone(r#"{"dependencies": {"a": "1"}, "pnpm": {"overrides": {"a>p": "link:../p"}}}"#).contains("link:../p")
        );
        assert!(alone(r#"{"dependencies": {"a": "catalog:"}}"#).contains("npm does not support"));
        let old = [
            ("package.json", r#"{"dependencies": {"p": "1"}}"#),
            ("package-lock.json", r#"{"dependencies": {"p": {"version": "file:../p"}}}"#),
        ];
        assert!(refused(&old, "package.json").unwrap().contains("`p file:../p`"));
    }

    #[test]
    fn a_package_of_a_workspace_of_pnpm_is_no_registrys() {
        let files = [
            ("pnpm-workspace.yaml", "packages:\n  - 'libs/**'\n  - '!libs/old'\n"),
            ("app/package.json", r#"{"dependencies": {"other": "1"}, "peerDependencies": {"shared": "*"}}"#),
            ("libs/deep/er/shared/package.json", r#"{"name": "shared"}"#),
        ];
        let message = refused(&files, "app/package.json").unwrap();
        assert!(message.contains("`shared`") && !message.contains("other"), "{message}");
        let alias = [
            files[0],
            files[2],
            ("app/package.json", r#"{"dependencies": {"x": "npm:shared@1", "shared": "npm:x@1"}}"#),
        ];
        assert!(refused(&alias, "app/package.json").unwrap().contains("`x`"));
    }

    #[test]
    fn a_package_of_the_workspace_around_is_no_registrys() {
        let files = [
            ("package.json", r#"{"workspaces": ["./packages/*"]}"#),
            ("packages/app/package.json", r#"{"name": "app", "dependencies": {"shared": "*", "other": "1"}}"#),
            ("packages/shared/package.json", r#"{"name": "shared"}"#),
        ];
        let message = refused(&files, "packages/app/package.json").unwrap();
        let expected = "without a lock, `shared` may mean the workspace's own `packages/shared` or the registry's";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn an_app_with_the_name_of_its_framework_does_not_mean_itself() {
        let files = [
            ("package.json", r#"{"workspaces": ["apps/*"]}"#),
            ("apps/hono/package.json", r#"{"name": "hono", "dependencies": {"hono": "^4", "p": "file:../p"}}"#),
            ("apps/other/package.json", r#"{"name": "other", "dependencies": {"hono": "^4", "p": "file:../p"}}"#),
        ];
        let file = "`p file:../p` is a local directory or file, which no registry has";
        let own = refused(&files, "apps/hono/package.json").unwrap();
        assert!(own.ends_with(file), "{own}");
        let other = refused(&files, "apps/other/package.json").unwrap();
        let both = format!("{file}; without a lock, `hono` may mean the workspace's own `apps/hono` or the registry's");
        assert!(other.ends_with(&both), "{other}");
    }
}
