//! A package.json: what it depends on, its scripts, and the tool that installs it.

use crate::init::runtime::{first_version, image_version, node_release};
use crate::init::tree::{Tree, join};
use serde_json::Value;

pub(super) struct Package {
    pub directory: String,
    json: Value,
    pub tool: Tool,
    /// Ranges and versions of Node.js.
    pub node: Vec<String>,
}

/// What installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Npm { is_locked: bool },
    Pnpm,
    Yarn { is_classic: bool },
    Bun,
}

impl Package {
    pub(super) fn read(tree: &Tree, directory: &str) -> Option<Package> {
        let text = |name: &str| tree.text(&join(directory, name)).or_else(|| tree.text(name));
        let json: Value = serde_json::from_str(tree.text(&join(directory, "package.json"))?).ok()?;
        let engines = json.pointer("/engines/node").and_then(Value::as_str).map(str::to_owned);
        let volta = json.pointer("/volta/node").and_then(Value::as_str).map(str::to_owned);
        let nvm = text(".nvmrc").and_then(node_release);
        let other = text(".node-version").and_then(first_version);
        let image = tree.text(&join(directory, "Dockerfile")).and_then(|text| image_version(text, "node"));
        let node = [engines, volta, nvm, other, image].into_iter().flatten().collect();
        Some(Package { directory: directory.to_owned(), tool: Tool::of(tree, directory, &json), json, node })
    }

    /// A directory without a package.json.
    pub(super) fn none(tree: &Tree, directory: &str) -> Package {
        let json = Value::Null;
        Package { directory: directory.to_owned(), tool: Tool::of(tree, directory, &json), json, node: Vec::new() }
    }

    pub(super) fn needs(&self, name: &str) -> bool {
        self.has_in("dependencies", name)
    }

    /// Whether it has a package at all, perhaps for development only.
    pub(super) fn has(&self, name: &str) -> bool {
        self.needs(name) || self.has_in("devDependencies", name)
    }

    fn has_in(&self, table: &str, name: &str) -> bool {
        self.json.get(table).and_then(|table| table.get(name)).is_some()
    }

    pub(super) fn script(&self, name: &str) -> Option<&str> {
        self.json.get("scripts")?.get(name)?.as_str().map(str::trim).filter(|script| !script.is_empty())
    }

    pub(super) fn main(&self) -> Option<&str> {
        self.json.get("main")?.as_str()
    }

    /// The command that installs everything and runs scripts; each is a line after `&&`.
    pub(super) fn build(&self, scripts: &[&str]) -> String {
        let run = |script: &&str| format!("{} {script}", self.tool.run());
        std::iter::once(self.tool.install().to_owned()).chain(scripts.iter().map(run)).collect::<Vec<_>>().join(" && ")
    }
}

impl Tool {
    fn of(tree: &Tree, directory: &str, json: &Value) -> Tool {
        let has = |name: &str| tree.has(&join(directory, name)) || tree.has(name);
        let named = json.get("packageManager").and_then(Value::as_str).unwrap_or_default();
        if has("pnpm-lock.yaml") {
            Tool::Pnpm
        } else if has("yarn.lock") {
            Tool::Yarn { is_classic: !has(".yarnrc.yml") && !named.starts_with("yarn@") || named.starts_with("yarn@1") }
        } else if has("bun.lock") || has("bun.lockb") {
            Tool::Bun
        } else {
            Tool::Npm { is_locked: has("package-lock.json") || has("npm-shrinkwrap.json") }
        }
    }

    pub(super) fn install(self) -> &'static str {
        match self {
            Tool::Npm { is_locked: true } => "npm ci",
            Tool::Npm { is_locked: false } => "npm install",
            Tool::Pnpm => "pnpm install --frozen-lockfile",
            Tool::Yarn { is_classic: true } => "yarn install --frozen-lockfile",
            Tool::Yarn { is_classic: false } => "yarn install --immutable",
            Tool::Bun => "bun install --frozen-lockfile",
        }
    }

    fn run(self) -> &'static str {
        match self {
            Tool::Npm { .. } => "npm run",
            Tool::Pnpm => "pnpm run",
            Tool::Yarn { .. } => "yarn run",
            Tool::Bun => "bun run",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_is_the_one_of_the_lock() {
        for (lock, install) in [
            ("package-lock.json", "npm ci"),
            ("pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
            ("yarn.lock", "yarn install --frozen-lockfile"),
            ("bun.lock", "bun install --frozen-lockfile"),
            ("none", "npm install"),
        ] {
            let tree =
                Tree::of(&[("app/package.json", "{\"engines\":{\"node\":\">=20\"}}"), (lock, ""), (".nvmrc", "v22\n")]);
            let package = Package::read(&tree, "app").unwrap();
            assert_eq!(package.build(&["x"]).split(" && ").next(), Some(install), "{lock}");
            assert_eq!(package.node, [">=20", "22"]);
        }
        let tree = Tree::of(&[("package.json", "{\"packageManager\":\"yarn@4.1.0\"}"), ("yarn.lock", "")]);
        assert_eq!(Package::read(&tree, "").unwrap().build(&[]), "yarn install --immutable");
    }
}
