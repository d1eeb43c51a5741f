//! The user's cargo configuration: `.cargo/config.toml` from the crate upwards, and the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cargo_metadata::cargo_platform::{Cfg, Platform};
use toml::{Table, Value};

use crate::error::BuildError;

/// The environment variables that are valid UTF-8; cargo reads no others.
pub type Environment = BTreeMap<String, String>;

/// Deeper includes count as a cycle.
const DEEPEST_INCLUDE: usize = 16;

/// All configuration files in force, the one with the highest precedence first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq)]
struct Layer {
    /// Paths in this file are relative to it: the directory that contains `.cargo`.
    base: PathBuf,
    table: Table,
}

impl Configuration {
    /// Reads the files as cargo does when it is started in `dir`.
    pub fn read(dir: &Path, cargo_home: &Path) -> Result<Configuration, BuildError> {
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
        self.layers.push(Layer { base: dir.parent().unwrap_or(dir).to_path_buf(), table });
        // A file takes precedence over what it includes, and a later include over an earlier one.
        included.iter().rev().filter(|file| file.is_file()).try_for_each(|file| self.add(file, depth + 1))
    }

    /// Every value at this path of keys, the one with the highest precedence first.
    pub fn values<'a>(&'a self, path: &'a [&str]) -> impl Iterator<Item = &'a Value> + 'a {
        self.layers.iter().filter_map(|layer| lookup(&layer.table, path))
    }

    /// Whether a `[target.KEY]` table that matches this target has a value of this name; `cfgs` are the compiler's
    /// for the target.
    pub fn has_for_target(&self, name: &str, triple: &str, cfgs: &[Cfg]) -> bool {
        let fits =
            |key: &str| key == triple || Platform::from_str(key).is_ok_and(|platform| platform.matches(triple, cfgs));
        let targets = self.values(&["target"]).filter_map(Value::as_table).flatten();
        targets.filter(|(_, target)| target.get(name).is_some()).any(|(key, _)| fits(key))
    }

    /// The compiler of `build.rustc`: a path if it has a slash, otherwise a name to look up in `PATH`.
    pub fn rustc(&self) -> Option<PathBuf> {
        self.layers.iter().find_map(|layer| {
            let rustc = Path::new(lookup(&layer.table, &["build", "rustc"])?.as_str()?);
            let named = rustc.components().count() == 1;
            Some(if named { rustc.to_path_buf() } else { layer.base.join(rustc) })
        })
    }
}

/// The value at this path of keys in one table.
pub fn lookup<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
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
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Where cargo keeps its registry and its own configuration.
pub fn cargo_home(environment: &Environment, dir: &Path) -> PathBuf {
    match environment.get("CARGO_HOME").filter(|home| !home.is_empty()) {
        Some(home) => dir.join(home),
        None => std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")).join(".cargo"),
    }
}

#[cfg(test)]
impl Configuration {
    /// The configuration of files with these texts, the one with the highest precedence first.
    pub fn of(texts: &[&str]) -> Configuration {
        let layer = |text: &&str| Layer { base: "/w".into(), table: text.parse().unwrap() };
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
