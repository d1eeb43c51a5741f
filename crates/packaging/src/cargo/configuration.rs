//! The user's cargo configuration: `.cargo/config.toml` from the crate upwards, and the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cargo_metadata::cargo_platform::{Cfg, Platform};
use toml::{Table, Value};

use crate::error::BuildError;

/// The environment variables that are valid UTF-8; cargo reads no others.
pub(super) type Environment = BTreeMap<String, String>;

/// Deeper includes count as a cycle.
const DEEPEST_INCLUDE: usize = 16;

/// All configuration files in force, the one with the highest precedence first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Configuration {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
struct Layer {
    /// Paths in this file are relative to it: the directory that contains `.cargo`.
    base: PathBuf,
    file: PathBuf,
    table: Table,
}

/// A program that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// A path if it has a slash, otherwise a name to look up in `PATH`.
    pub program: PathBuf,
    pub file: PathBuf,
    /// Such as `build.rustc-wrapper`.
    pub key: String,
}

impl Configuration {
    /// Reads the files as cargo does when it is started in `dir`.
    pub(super) fn read(dir: &Path, cargo_home: &Path) -> Result<Configuration, BuildError> {
        let mut configuration = Configuration::default();
        let homes = dir.ancestors().map(|dir| dir.join(".cargo")).chain([cargo_home.to_path_buf()]);
        for home in homes {
            // The older name has no extension; cargo prefers it if both exist.
            if let Some(file) =
                ["config", "config.toml"].map(|name| home.join(name)).into_iter().find(|it| it.is_file())
            {
                configuration.add(&file, 0)?;
            }
        }
        Ok(configuration)
    }

    fn add(&mut self, file: &Path, depth: usize) -> Result<(), BuildError> {
        let failed = || BuildError::new(format!("cannot read cargo's configuration `{}`", file.display()));
        if depth > DEEPEST_INCLUDE {
            return Err(failed().because("its includes form a cycle"));
        }
        let text = std::fs::read_to_string(file).map_err(|error| failed().because(error))?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| failed().because(error.message()))?;
        let dir = file.parent().unwrap_or(Path::new("/"));
        let included = includes(&table, dir);
        let base = dir.parent().unwrap_or(dir).to_path_buf();
        self.layers.push(Layer { base, file: file.to_path_buf(), table });
        // A file takes precedence over what it includes, and a later include over an earlier one.
        included.iter().rev().filter(|file| file.is_file()).try_for_each(|file| self.add(file, depth + 1))
    }

    /// Every value at this path of keys, the one with the highest precedence first.
    pub(super) fn values<'a>(&'a self, path: &'a [&str]) -> impl Iterator<Item = &'a Value> + 'a {
        self.layers.iter().filter_map(|layer| lookup(&layer.table, path))
    }

    /// Whether a `[target.KEY]` table that matches this target has a value of this name; `cfgs` are the compiler's
    /// for the target.
    pub(super) fn has_for_target(&self, name: &str, triple: &str, cfgs: &[Cfg]) -> bool {
        let fits =
            |key: &str| key == triple || Platform::from_str(key).is_ok_and(|platform| platform.matches(triple, cfgs));
        let targets = self.values(&["target"]).filter_map(Value::as_table).flatten();
        targets.filter(|(_, target)| target.get(name).is_some()).any(|(key, _)| fits(key))
    }

    /// The compiler of `build.rustc`: a path if it has a slash, otherwise a name to look up in `PATH`.
    pub(super) fn rustc(&self) -> Option<PathBuf> {
        self.program(&["build", "rustc"]).map(|named| named.program)
    }

    /// The program at this path of keys; none if the value is empty.
    pub(super) fn program(&self, path: &[&str]) -> Option<Named> {
        let found = self.layers.iter().find_map(|layer| Some((layer, lookup(&layer.table, path)?.as_str()?)));
        let (layer, program) = found.filter(|(_, program)| !program.is_empty())?;
        let is_name = Path::new(program).components().count() == 1;
        let program = if is_name { program.into() } else { layer.base.join(program) };
        Some(Named { program, file: layer.file.clone(), key: path.join(".") })
    }

    /// The program of a `[target.KEY]` table that matches this target. The target's own table takes precedence.
    pub(super) fn program_for_target(&self, name: &str, triple: &str, cfgs: &[Cfg]) -> Option<Named> {
        let fits = |key: &str| Platform::from_str(key).is_ok_and(|platform| platform.matches(triple, cfgs));
        let keys = self.values(&["target"]).filter_map(Value::as_table).flat_map(|targets| targets.keys());
        let others = keys.map(String::as_str).filter(|key| *key != triple && fits(key));
        std::iter::once(triple).chain(others).find_map(|key| self.program(&["target", key, name]))
    }

    /// The value at this path as cargo merges it: lists are joined, the one with the highest precedence last; of several
    /// strings the one with the highest precedence counts, in words.
    pub(super) fn list(&self, path: &[&str]) -> Vec<String> {
        let values: Vec<&Value> = self.values(path).collect();
        match values.first() {
            Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
            _ => {
                let items = values.iter().rev().filter_map(|value| value.as_array()).flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            }
        }
    }

    /// The keys of `[target]` that are conditions and match this target, in cargo's order.
    pub(super) fn conditions<'a>(&'a self, triple: &str, cfgs: &[Cfg]) -> BTreeSet<&'a str> {
        let fits = |key: &str| Platform::from_str(key).is_ok_and(|platform| platform.matches(triple, cfgs));
        let keys = self.values(&["target"]).filter_map(Value::as_table).flat_map(|targets| targets.keys());
        keys.map(String::as_str).filter(|key| key.starts_with("cfg(") && fits(key)).collect()
    }

    /// The paths in the files' tables of patches.
    pub(super) fn patches(&self) -> impl Iterator<Item = PathBuf> + '_ {
        let of = |layer: &'_ Layer| -> Vec<PathBuf> {
            let patch = layer.table.get("patch").map(patch_paths).unwrap_or_default();
            patch.into_iter().map(|path| layer.base.join(path)).collect()
        };
        self.layers.iter().flat_map(of)
    }

    /// The targets of `build.target`, and the file that names them.
    pub(super) fn targets(&self) -> Option<(Vec<String>, &Path)> {
        let found = self.layers.iter().find_map(|layer| Some((layer, lookup(&layer.table, &["build", "target"])?)));
        let (layer, value) = found?;
        let targets = match value {
            Value::String(target) => vec![target.clone()],
            other => other.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        Some((targets, &layer.file))
    }
}

/// All `path`s in the tables of a `[patch]`.
pub(super) fn patch_paths(patch: &Value) -> Vec<&str> {
    let tables = patch.as_table().into_iter().flat_map(Table::values).filter_map(Value::as_table);
    tables.flat_map(Table::values).filter_map(|replaced| replaced.get("path")?.as_str()).collect()
}

/// How a target is written in the names of variables.
pub(super) fn variable_of(triple: &str) -> String {
    triple.to_uppercase().replace(['-', '.'], "_")
}

/// The value at this path of keys in one table.
pub(super) fn lookup<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(*key))
}

/// `include` is a path, or a list of paths and of tables with a `path`.
fn includes(table: &Table, dir: &Path) -> Vec<PathBuf> {
    let path = |value: &Value| value.as_str().or_else(|| value.get("path")?.as_str()).map(|path| dir.join(path));
    match table.get("include") {
        Some(Value::Array(several)) => several.iter().filter_map(path).collect(),
        Some(one) => path(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// This process's environment.
pub(super) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Where cargo keeps its registry and its own configuration.
pub(super) fn cargo_home(environment: &Environment, dir: &Path) -> PathBuf {
    match environment.get("CARGO_HOME").filter(|home| !home.is_empty()) {
        Some(home) => dir.join(home),
        None => std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")).join(".cargo"),
    }
}

#[cfg(test)]
impl Configuration {
    /// The configuration of files with these texts, the one with the highest precedence first.
    pub(super) fn of(texts: &[&str]) -> Configuration {
        let layer = |text: &&str| Layer {
            base: "/w".into(),
            file: "/w/.cargo/config.toml".into(),
            table: text.parse().unwrap(),
        };
        Configuration { layers: texts.iter().map(layer).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(dir: &Path, path: &str, text: &str) {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn the_nearest_file_comes_first_and_cargos_home_last() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "w/crate/.cargo/config.toml", "build.rustflags = ['near']");
        write(dir.path(), "w/.cargo/config", "build.rustflags = ['middle']\nbuild.rustc = 'tools/rustc'");
        write(dir.path(), "w/.cargo/config.toml", "build.rustflags = ['shadowed']");
        write(dir.path(), "home/config.toml", "build.rustflags = ['far']\nbuild.rustc = 'rustc'");
        let found = Configuration::read(&dir.path().join("w/crate"), &dir.path().join("home")).unwrap();
        let flags: Vec<&str> =
            found.values(&["build", "rustflags"]).filter_map(|flags| flags.get(0)?.as_str()).collect();
        assert_eq!(flags, ["near", "middle", "far"]);
        assert_eq!(found.rustc(), Some(dir.path().join("w/tools/rustc")));
    }

    #[test]
    fn included_files_count_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "c/.cargo/config.toml", "include = ['a.toml', { path = 'b.toml', optional = true }]");
        write(dir.path(), "c/.cargo/a.toml", "profile.release.lto = 'thin'");
        let found = Configuration::read(&dir.path().join("c"), dir.path()).unwrap();
        assert_eq!(found.values(&["profile", "release", "lto"]).count(), 1);
        write(dir.path(), "c/.cargo/a.toml", "include = 'a.toml'");
        let error = Configuration::read(&dir.path().join("c"), dir.path()).unwrap_err();
        assert_eq!(error.caused_by, ["its includes form a cycle"]);
    }

    #[test]
    fn a_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), ".cargo/config.toml", "build = [");
        let error = Configuration::read(dir.path(), Path::new("/nowhere")).unwrap_err();
        assert!(error.message.ends_with(".cargo/config.toml`"), "{error:?}");
    }
}
