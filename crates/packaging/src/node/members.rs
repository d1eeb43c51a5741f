//! The packages of a workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use walkdir::WalkDir;

use super::yaml;
use crate::patterns::Patterns;
use crate::tool;

/// How deep below its root a workspace's packages are searched.
const DEPTH: usize = 12;

/// The packages of a workspace: their directories, relative to its root, to their `package.json`.
#[derive(Debug, Default)]
pub(crate) struct Members(pub(crate) BTreeMap<String, Value>);

impl Members {
    /// None if the directory is not a workspace's root.
    pub(crate) fn of(root: &Path) -> Members {
        let (Some(included), Some(excluded)) = patterns_of(root) else { return Members::default() };
        if included.is_empty() {
            return Members::default();
        }
        let is_entered = |name: &std::ffi::OsStr| name != "node_modules" && name != ".git";
        let walk = WalkDir::new(root).max_depth(DEPTH).into_iter();
        let mut members = BTreeMap::new();
        for entry in walk.filter_entry(|entry| is_entered(entry.file_name())).flatten() {
            let inner = entry.path().strip_prefix(root).ok().and_then(Path::to_str).unwrap_or_default();
            if entry.file_name() != "package.json" || !included.match_path(inner) || excluded.match_path(inner) {
                continue;
            }
            let directory = inner.trim_end_matches("package.json").trim_end_matches('/').to_owned();
            members.extend(json(entry.path()).map(|package| (directory, package)));
        }
        Members(members)
    }

    pub(crate) fn has(&self, directory: &str) -> bool {
        self.0.contains_key(directory)
    }

    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.0.values().filter_map(|package| package.get("name")?.as_str()).collect()
    }

    /// The names under which the app's packages are found: its own dependencies, and those of the members among them.
    pub(crate) fn needed_by(&self, package: &Value) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut open = vec![package];
        while let Some(package) = open.pop() {
            for key in ["dependencies", "optionalDependencies", "peerDependencies"] {
                for (name, version) in package[key].as_object().into_iter().flatten() {
                    if names.insert(name.clone()) {
                        let real = real_name(name, version.as_str().unwrap_or_default());
                        open.extend(self.0.values().find(|member| member["name"] == real));
                    }
                }
            }
        }
        names
    }
}

/// The name behind `workspace:NAME@VERSION` and `npm:NAME@VERSION`.
pub(crate) fn real_name<'a>(name: &'a str, version: &'a str) -> &'a str {
    let Some(other) = version.strip_prefix("npm:").or_else(|| version.strip_prefix("workspace:")) else { return name };
    match other.rsplit_once('@') {
        Some((real, _)) if !real.is_empty() => real,
        _ if version.starts_with("npm:") => other,
        _ => name,
    }
}

/// Which directories belong to the workspace, and which do not.
fn patterns_of(root: &Path) -> (Option<Patterns>, Option<Patterns>) {
    let package = json(&root.join("package.json")).unwrap_or_default();
    let pnpm =
        tool::text(&root.join("pnpm-workspace.yaml")).ok().and_then(|text| yaml::value(&text)).unwrap_or_default();
    let lerna = json(&root.join("lerna.json")).unwrap_or_default();
    let listed = |file: &Value| -> Vec<String> {
        let all = file.get("packages").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let own = workspaces(&package).into_iter().map(str::to_owned);
    let all: Vec<String> = own.chain(listed(&pnpm)).chain(listed(&lerna)).collect();
    let manifest = |pattern: &str| format!("{}/package.json", pattern.trim_start_matches("./").trim_end_matches('/'));
    let (excluded, included): (Vec<&String>, Vec<&String>) = all.iter().partition(|pattern| pattern.starts_with('!'));
    let included: Vec<String> = included.into_iter().map(|pattern| manifest(pattern)).collect();
    let excluded: Vec<String> = excluded.into_iter().map(|pattern| manifest(&pattern[1..])).collect();
    (Patterns::of(&included).ok(), Patterns::of(&excluded).ok())
}

/// An array of patterns, or a table with one.
pub(crate) fn workspaces(package: &Value) -> Vec<&str> {
    let value = package.get("workspaces");
    let patterns = value.and_then(|value| value.as_array().or_else(|| value.get("packages")?.as_array()));
    patterns.into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(crate) fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&tool::text(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_needs_includes_what_its_members_need() {
        let member = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let members = Members(BTreeMap::from([
            ("packages/a".to_owned(), member(r#"{"name": "@s/a", "dependencies": {"ms": "2"}}"#)),
            ("packages/b".to_owned(), member(r#"{"name": "b", "dependencies": {"never": "1"}}"#)),
        ]));
        let app = member(r#"{"dependencies": {"x": "workspace:@s/a@*"}, "devDependencies": {"b": "*"}}"#);
        assert_eq!(members.needed_by(&app).into_iter().collect::<Vec<_>>(), ["ms", "x"]);
        for (name, version, real) in
            [("x", "npm:@s/y@1", "@s/y"), ("x", "npm:y", "y"), ("x", "workspace:^", "x"), ("x", "1", "x")]
        {
            assert_eq!(real_name(name, version), real);
        }
    }
}
