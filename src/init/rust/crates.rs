//! A Cargo.toml: what the crate depends on, and its binaries.

use super::module::Module;
use super::signs;
use crate::init::tree::{Tree, join, relative};
use toml::{Table, Value};

/// Crates whose programs ask Lambda for requests.
pub(super) const LAMBDA: [&str; 2] = ["lambda_http", "lambda_runtime"];

pub(super) struct Crate {
    pub directory: String,
    table: Table,
    /// Binaries, with the paths of their main files.
    binaries: Vec<(String, String)>,
}

impl Crate {
    /// Reads a package that has a binary.
    pub(super) fn read(tree: &Tree, directory: &str) -> Option<Crate> {
        let table: Table = tree.text(&join(directory, "Cargo.toml"))?.parse().ok()?;
        let name = table.get("package")?.get("name")?.as_str()?.to_owned();
        let mut binaries: Vec<(String, String)> = Vec::new();
        for binary in table.get("bin").and_then(Value::as_array).into_iter().flatten() {
            let name = binary.get("name").and_then(Value::as_str).unwrap_or(&name);
            let path = binary.get("path").and_then(Value::as_str).map(str::to_owned);
            binaries.push((name.to_owned(), join(directory, &path.unwrap_or_else(|| format!("src/bin/{name}.rs")))));
        }
        let main = join(directory, "src/main.rs");
        if tree.has(&main) && !binaries.iter().any(|(_, path)| *path == main) {
            binaries.push((name, main));
        }
        let place = join(directory, "src/bin");
        for (path, _) in tree.below(&place) {
            let inside = relative(path, &place).unwrap_or_default();
            let name = inside
                .strip_suffix("/main.rs")
                .or_else(|| inside.strip_suffix(".rs"))
                .filter(|name| !name.contains('/'));
            if let Some(name) = name.filter(|_| !binaries.iter().any(|(_, known)| known == path)) {
                binaries.push((name.to_owned(), path.to_owned()));
            }
        }
        (!binaries.is_empty()).then(|| Crate { directory: directory.to_owned(), table, binaries })
    }

    pub(super) fn needs(&self, name: &str) -> bool {
        let is_it =
            |(key, value): (&String, &Value)| key == name || value.get("package").and_then(Value::as_str) == Some(name);
        self.table.get("dependencies").and_then(Value::as_table).into_iter().flatten().any(is_it)
    }

    /// The table of another tool.
    pub(super) fn metadata(&self, tool: &str) -> Option<&Table> {
        self.table.get("package")?.get("metadata")?.get(tool)?.as_table()
    }

    /// The name of the package.
    pub(super) fn function_name(&self) -> &str {
        self.table.get("package").and_then(|package| package.get("name")?.as_str()).unwrap_or_default()
    }

    /// The binary to deploy, and the others: `default-run`, or the first that is a function or a server.
    pub(super) fn binary(&self, modules: &[Module], is_lambda: bool) -> Option<(String, Vec<String>)> {
        let default = self.table.get("package").and_then(|package| package.get("default-run")?.as_str());
        let fits = |path: &str| {
            let module = modules.iter().find(|module| module.path == path);
            module.is_some_and(|module| match is_lambda {
                true => module.source.has_word(module.source.all(), &LAMBDA),
                false => signs::is_server(&module.source),
            })
        };
        let by_name = default.and_then(|name| self.binaries.iter().find(|(binary, _)| binary == name));
        let by_source = || self.binaries.iter().find(|(_, path)| fits(path));
        let (name, _) = by_name.or_else(by_source).or_else(|| self.binaries.first())?;
        let others = self.binaries.iter().map(|(other, _)| other).filter(|other| *other != name);
        Some((name.clone(), others.cloned().collect()))
    }
}
