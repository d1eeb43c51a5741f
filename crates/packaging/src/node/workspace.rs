//! Packages of Node on this machine: npm would install them from a registry, or as dangling links.
//!
//! The list is installed in a directory of its own, without the workspace around it. Anyone may have registered the name
//! of a workspace's package, and npm would install that package instead.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use super::locks::Locks;
use super::{registries, yaml};
use crate::error::BuildError;
use crate::patterns::Patterns;
use crate::{address, tool};

/// Prefixes of a version that is a path.
const PLACES: [&str; 8] = ["file:", "link:", "portal:", "workspace:", "./", "../", "/", "~/"];
/// Endings of a version that is a local file, unless it is a URL.
const ARCHIVES: [&str; 3] = [".tgz", ".tar.gz", ".tar"];
const LOCKS: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];
/// How deep below its root a workspace's packages are searched.
const DEPTH: usize = 12;

/// Protocols that npm does not support: it would fail, or install the package of that name from a registry.
const UNKNOWN: [&str; 4] = ["catalog:", "patch:", "exec:", "jsr:"];

/// What surrounds a project and decides where its packages come from.
#[derive(Debug)]
pub struct Workspace {
    /// The packages of the workspace around the list, by name.
    members: BTreeSet<String>,
    locks: Locks,
}

impl Workspace {
    pub fn of(list: &Path, package: &Value) -> Workspace {
        Workspace {
            members: members_around(list),
            locks: Locks::of(list, &registries::directories(list), &needed(package)),
        }
    }

    /// # Errors
    /// When packages come from outside the registries in a way that npm does not support: all of them are
    /// named.
    pub fn refuse(&self, list: &Path, package: &Value) -> Result<(), BuildError> {
        let needed = needed(package);
        let mut local: BTreeSet<String> =
            workspaces(package).into_iter().map(|pattern| format!("workspaces {pattern}")).collect();
        let asked = needed.iter().copied().chain(replaced(package));
        local.extend(asked.filter(|(_, version)| is_place(version)).map(|(name, version)| format!("{name} {version}")));
        local.extend(linked(list));
        let is_member = |(name, version): &&(&str, &str)| match version.strip_prefix("npm:") {
            // The name behind an alias counts.
            Some(other) => {
                self.members.contains(other.rsplit_once('@').filter(|it| !it.0.is_empty()).map_or(other, |it| it.0))
            }
            None => self.members.contains(*name),
        };
        let is_named = |name: &str| local.iter().any(|named| named.split(' ').next() == Some(name));
        let members: Vec<String> = needed.iter().filter(is_member).map(|(name, _)| (*name).to_owned()).collect();
        let members: Vec<String> = members.into_iter().filter(|name| !is_named(name)).collect();
        local.extend(members);
        let mut locks = BTreeSet::new();
        let is_plain = |name: &String| needed.iter().any(|(needed, version)| needed == name && !is_address(version));
        for (name, (place, lock)) in self.locks.elsewhere.iter().filter(|(name, _)| is_plain(name)) {
            local.insert(format!("{name} {}", address::without_credentials(place)));
            locks.insert(format!("`{lock}` resolves `{name}` from there"));
        }
        if !local.is_empty() {
            let why = "is a local directory or file, which no registry has";
            return Err(locks.iter().fold(refused(list, &local, why, package), BuildError::because));
        }
        let is_unknown = |version: &str| UNKNOWN.iter().any(|kind| version.starts_with(kind));
        let unknown = needed.iter().copied().chain(replaced(package)).filter(|(_, version)| is_unknown(version));
        let unknown: BTreeSet<String> = unknown.map(|(name, version)| format!("{name} {version}")).collect();
        if !unknown.is_empty() {
            return Err(refused(list, &unknown, "is declared in a way that npm does not support", package));
        }
        Ok(())
    }

    /// Refuses what npm has installed instead of a private package. `place` contains the `node_modules`.
    ///
    /// # Errors
    /// When a package has the name of one of the workspace, or contradicts a lock.
    pub fn refuse_others(&self, list: &Path, place: &Path) -> Result<(), BuildError> {
        let installed = json(&place.join("node_modules/.package-lock.json")).unwrap_or_default();
        for (path, package) in installed.get("packages").and_then(Value::as_object).into_iter().flatten() {
            let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
            let text = |key: &str| package.get(key).and_then(Value::as_str);
            let real = text("name").unwrap_or(name);
            let why = if self.members.contains(real) {
                Some("a package of the workspace has this name".to_owned())
            } else {
                self.locks.contradiction(name, text("version").unwrap_or_default(), text("resolved"), text("integrity"))
            };
            if let Some(why) = why {
                let message = format!("cannot install `{name}` of `{}` from a registry", list.display());
                return Err(BuildError::new(message)
                    .because(why)
                    .hint("set the registry of its scope in `.npmrc`: `@SCOPE:registry=https://…`")
                    .hint("or lock with npm: `npm install --package-lock-only`")
                    .hint("or bundle the app first, and deploy the bundle's directory"));
            }
        }
        Ok(())
    }
}

fn refused(list: &Path, packages: &BTreeSet<String>, why: &str, package: &Value) -> BuildError {
    let named: Vec<String> = packages.iter().map(|name| format!("`{name}`")).collect();
    let (file, named) = (list.display(), named.join(", "));
    let error = BuildError::new(format!("cannot install the dependencies in `{file}`: {named} {why}"));
    let text = tool::text(list).unwrap_or_default();
    let places = needed(package).into_iter().filter_map(|(name, _)| {
        let is_meant = packages.iter().any(|meant| meant.split(' ').next() == Some(name));
        let key = format!("\"{name}\"");
        let line = text.lines().position(|line| line.contains(&key)).filter(|_| is_meant)?;
        Some(format!("`{name}` is required in `{file}:{}`", line + 1))
    });
    places
        .fold(error, BuildError::because)
        .hint("bundle the app with what it needs from the workspace, and deploy the bundle's directory")
        .hint("or package `node_modules` as it is, without links, with `dependencies = \"none\"`")
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

/// Whether a version names a location, such as a repository.
fn is_address(version: &str) -> bool {
    version.contains("://") || version.contains('/') || version.starts_with("npm:")
}

fn is_place(version: &str) -> bool {
    PLACES.iter().any(|place| version.starts_with(place))
        || (ARCHIVES.iter().any(|end| version.ends_with(end)) && !version.contains("://"))
}

/// An array of patterns, or a table with one.
fn workspaces(package: &Value) -> Vec<&str> {
    let value = package.get("workspaces");
    let patterns = value.and_then(|value| value.as_array().or_else(|| value.get("packages")?.as_array()));
    patterns.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The local packages in npm's lock, by their path in `node_modules`.
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

/// The packages of a workspace around the list, by name.
fn members_around(list: &Path) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    let Ok(list) = list.canonicalize() else { return members };
    for root in list.ancestors().skip(1) {
        let package = json(&root.join("package.json")).unwrap_or_default();
        let pnpm =
            tool::text(&root.join("pnpm-workspace.yaml")).ok().and_then(|text| yaml::value(&text)).unwrap_or_default();
        let lerna = json(&root.join("lerna.json")).unwrap_or_default();
        let of_others =
            [&pnpm, &lerna].map(|file| file.get("packages").and_then(Value::as_array).into_iter().flatten());
        let of_others = of_others.into_iter().flatten().filter_map(Value::as_str);
        let patterns: Vec<String> = workspaces(&package)
            .into_iter()
            .chain(of_others)
            .filter(|pattern| !pattern.starts_with('!'))
            .map(|pattern| format!("{}/package.json", pattern.trim_start_matches("./").trim_end_matches('/')))
            .collect();
        let Some(patterns) = Patterns::of(&patterns).ok().filter(|patterns| !patterns.is_empty()) else { continue };
        let walk = WalkDir::new(root).max_depth(DEPTH).into_iter();
        let is_entered = |name: &std::ffi::OsStr| name != "node_modules" && name != ".git";
        for entry in walk.filter_entry(|entry| is_entered(entry.file_name())).flatten() {
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
        let package = json(&list).unwrap();
        Workspace::of(&list, &package).refuse(&list, &package).err().map(|error| error.message)
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
        assert!(message.contains("`shared`") && !message.contains("other"), "{message}");
    }
}
