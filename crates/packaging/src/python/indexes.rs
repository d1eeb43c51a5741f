//! The indexes of a project, or of uv's settings.

use std::path::Path;

use toml::{Table, Value};

use super::project::{self, Project};
use super::requirement::Requirement;
use crate::error::BuildError;
use crate::tool;

/// One `[[tool.uv.index]]`.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub name: Option<String>,
    pub address: String,
    pub explicit: bool,
    pub default: bool,
    pub flat: bool,
}

/// The indexes that a project declares.
pub(super) fn indexes(project: &Project) -> Vec<Index> {
    let tables = project.at(&["tool", "uv", "index"]).and_then(Value::as_array).into_iter().flatten();
    tables.filter_map(Value::as_table).filter_map(|table| index(table, &project.directory)).collect()
}

fn index(table: &Table, directory: &Path) -> Option<Index> {
    let text = |key| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let is = |key| table.get(key).and_then(Value::as_bool) == Some(true);
    let address = absolute(&text("url")?, directory);
    let flat = text("format").as_deref() == Some("flat");
    Some(Index { name: text("name"), address, explicit: is("explicit"), default: is("default"), flat })
}

/// The indexes for all packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes {
    pub main: Option<String>,
    /// In order of precedence, all of them before `main`.
    pub extra: Vec<String>,
    pub links: Vec<String>,
    pub none: bool,
    pub constraints: Vec<String>,
    /// `FILE:LINE` of `override-dependencies`, which pip does not support, and the names in it.
    pub overrides: Option<(String, String)>,
}

impl Indexes {
    /// Those of the project's `uv.toml` or `[tool.uv]`, or of the workspace's root if the project is a member.
    ///
    /// # Errors
    /// When `uv.toml` cannot be read.
    pub(super) fn of(
        directory: &Path,
        project: Option<&Project>,
        root: Option<&Project>,
    ) -> Result<Indexes, BuildError> {
        let project = root.or(project);
        let directory = project.map_or(directory, |project| &project.directory);
        let file = directory.join("uv.toml");
        if file.is_file() {
            let text = tool::text(&file)?;
            let table = tool::table(&file, &text)?;
            let place = project::place(&file, &text, &["override-dependencies"]);
            return Ok(read(&table, directory, place));
        }
        let Some(project) = project else { return Ok(Indexes::default()) };
        let place = project.place(&["tool", "uv", "override-dependencies"]);
        Ok(project.table_at(&["tool", "uv"]).map(|table| read(table, directory, place)).unwrap_or_default())
    }

    /// Whether a package may come from more than one place.
    pub(super) fn are_several(&self) -> bool {
        !self.extra.is_empty() || !self.links.is_empty()
    }
}

/// Those of a table of uv's settings; `place` is where it has `override-dependencies`.
pub(super) fn read(table: &Table, directory: &Path, place: String) -> Indexes {
    // `[tool.uv.pip]` takes precedence over `[tool.uv]`.
    let pip = table.get("pip").and_then(Value::as_table);
    let value = |key: &str| pip.and_then(|pip| pip.get(key)).or_else(|| table.get(key));
    let strings = |key: &str| {
        let items = value(key).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let addresses = |key: &str| strings(key).iter().map(|text| absolute(text, directory)).collect::<Vec<_>>();
    let tables = table.get("index").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
    let (mut main, mut extra, mut links) = (None, Vec::new(), addresses("find-links"));
    for index in tables.filter_map(|table| index(table, directory)).filter(|index| !index.explicit) {
        match (index.default, index.flat) {
            (_, true) => links.push(index.address),
            (true, false) => main = Some(index.address),
            (false, false) => extra.push(index.address),
        }
    }
    extra.extend(addresses("extra-index-url"));
    main = main.or_else(|| value("index-url").and_then(Value::as_str).map(|text| absolute(text, directory)));
    let none = value("no-index").and_then(Value::as_bool).unwrap_or(false);
    let names = strings("override-dependencies");
    let names: Vec<String> =
        names.iter().filter_map(|text| Some(format!("`{}`", Requirement::parse(text)?.name))).collect();
    let overrides = (!names.is_empty()).then(|| (place, names.join(", ")));
    Indexes { main, extra, links, none, constraints: strings("constraint-dependencies"), overrides }
}

/// A path is relative to the directory of its file.
fn absolute(text: &str, directory: &Path) -> String {
    if text.contains("://") { text.to_owned() } else { directory.join(text).display().to_string() }
}

/// The error for a package that two indexes have, without a declaration of which one to use.
pub(super) fn in_two(name: &str, first: &str, second: &str, list: &Path) -> BuildError {
    BuildError::new(format!("cannot install `{name}` of `{}`: it is in more than one index", list.display()))
        .because(format!("`{first}` and `{second}` both have it, and nothing declares which one to use"))
        .hint(format!("give its URL: `{name} @ https://…`, or its hash: `{name}==… --hash=sha256:…`"))
        .hint("or pin its index in `pyproject.toml`, with `[tool.uv.sources]` and `explicit = true` on the index")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_uv_counts_before_the_project() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("pyproject.toml"), "[tool.uv]\nindex-url = 'https://a'\n").unwrap();
        let project = Project::of(place.path()).unwrap();
        let of = || Indexes::of(place.path(), project.as_ref(), None).unwrap();
        assert_eq!(of().main.as_deref(), Some("https://a"));
        std::fs::write(place.path().join("uv.toml"), "extra-index-url = ['https://b']\nno-index = true\n").unwrap();
        assert_eq!((of().main, of().extra, of().none), (None, vec!["https://b".to_owned()], true));
    }
}
