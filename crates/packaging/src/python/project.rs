//! A `pyproject.toml`, and its uv workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};
use walkdir::WalkDir;

use super::requirement::{Requirement, normalised};
use crate::error::BuildError;
use crate::tool;

pub(super) const FILE: &str = "pyproject.toml";
/// The tools with dependencies in it, by the names of their tables.
const TOOLS: [&str; 4] = ["uv", "poetry", "pdm", "rye"];
/// How deep below its root the members of a workspace are searched.
const DEPTH: usize = 12;

/// One `pyproject.toml`.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub file: PathBuf,
    pub directory: PathBuf,
    pub table: Table,
    text: String,
}

impl Project {
    /// The project in a directory, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or is not TOML.
    pub(super) fn of(directory: &Path) -> Result<Option<Project>, BuildError> {
        let file = directory.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let text = tool::text(&file)?;
        let table = tool::table(&file, &text)?;
        Ok(Some(Project { directory: directory.to_owned(), table, text, file }))
    }

    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.table.get(*first)?, |value, key| value.get(*key))
    }

    pub(super) fn table_at(&self, path: &[&str]) -> Option<&Table> {
        self.at(path)?.as_table()
    }

    /// The strings of an array; empty if there is none.
    pub(super) fn strings(&self, path: &[&str]) -> Vec<String> {
        let items = self.at(path).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The dependencies of `[project]`, without groups and extras.
    pub(super) fn dependencies(&self) -> Vec<String> {
        self.strings(&["project", "dependencies"])
    }

    /// Whether only a build of the project knows its dependencies.
    pub(super) fn is_dynamic(&self) -> bool {
        self.strings(&["project", "dynamic"]).iter().any(|field| field == "dependencies")
    }

    /// Its name, normalized by PEP 503.
    pub(super) fn name(&self) -> Option<String> {
        self.at(&["project", "name"]).and_then(Value::as_str).map(normalised)
    }

    /// `pyproject.toml:7`: where a key is.
    pub(super) fn place(&self, path: &[&str]) -> String {
        place(&self.file, &self.text, path)
    }

    /// `pyproject.toml:7`: where `[project]` requires a package.
    pub(super) fn place_of_dependency(&self, name: &str) -> String {
        let line = line_of_dependency(&self.text, name);
        line.map_or_else(|| self.place(&["project", "dependencies"]), |line| format!("{}:{line}", self.file.display()))
    }

    /// Whether it declares what an app depends on, and is not only a formatter's settings.
    pub(super) fn declares(&self) -> bool {
        self.at(&["project"]).is_some() || TOOLS.iter().any(|tool| self.at(&["tool", tool]).is_some())
    }

    /// The root of the workspace that the project is a member of, in a directory above.
    pub(super) fn workspace_root(&self) -> Option<Project> {
        if self.at(&["tool", "uv", "workspace"]).is_some() {
            return None;
        }
        let directory = self.directory.canonicalize().ok()?;
        let above = directory.ancestors().skip(1).filter_map(|above| Project::of(above).ok().flatten());
        let root = above.into_iter().find(|project| project.at(&["tool", "uv", "workspace"]).is_some())?;
        let inner = directory.strip_prefix(&root.directory).ok()?;
        root.has_member(inner).then_some(root)
    }

    fn has_member(&self, inner: &Path) -> bool {
        let any =
            |key| patterns(&self.strings(&["tool", "uv", "workspace", key])).iter().any(|glob| glob.is_match(inner));
        any("members") && !any("exclude")
    }

    /// The packages of the workspace whose root this is, by name.
    pub(super) fn members(&self) -> BTreeMap<String, PathBuf> {
        let patterns = self.strings(&["tool", "uv", "workspace", "members"]);
        let is_deep = patterns.iter().any(|pattern| pattern.contains("**"));
        let deepest = patterns.iter().map(|pattern| pattern.split('/').count()).max().unwrap_or(0);
        let depth = if is_deep { DEPTH } else { deepest.min(DEPTH) };
        let mut members: BTreeMap<String, PathBuf> =
            self.name().into_iter().map(|name| (name, self.directory.clone())).collect();
        let is_hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.') || name == "node_modules";
        let walk = WalkDir::new(&self.directory).min_depth(1).max_depth(depth).follow_links(false).into_iter();
        for entry in walk.filter_entry(|entry| !is_hidden(entry.file_name())).flatten() {
            let inner = entry.path().strip_prefix(&self.directory).unwrap_or(entry.path());
            if entry.file_type().is_dir() && self.has_member(inner) {
                let project = Project::of(entry.path()).ok().flatten();
                members.extend(project.and_then(|project| Some((project.name()?, entry.path().to_owned()))));
            }
        }
        members
    }
}

fn patterns(patterns: &[String]) -> Vec<GlobMatcher> {
    let of = |pattern: &String| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        GlobBuilder::new(pattern).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
    };
    patterns.iter().filter_map(of).collect()
}

/// `FILE:LINE` of a key in a TOML file; only the file if the key is not found.
pub(super) fn place(file: &Path, text: &str, path: &[&str]) -> String {
    match line(text, path) {
        Some(line) => format!("{}:{line}", file.display()),
        None => file.display().to_string(),
    }
}

fn line(text: &str, path: &[&str]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (mut table, mut start) = (document.get_ref(), None);
    for (at, key) in path.iter().enumerate() {
        let (found, value) = table.iter().find(|(name, _)| is_key(name.get_ref(), key))?;
        start = Some(found.span().start);
        if at + 1 == path.len() {
            break;
        }
        table = match value.get_ref() {
            DeValue::Table(inner) => inner,
            _ => break,
        };
    }
    Some(text[..start?].matches('\n').count() + 1)
}

/// The line of a string in `project.dependencies`.
fn line_of_dependency(text: &str, name: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let project = document.get_ref().get("project")?.get_ref().as_table()?;
    let listed = project.get("dependencies")?.get_ref().as_array()?;
    let is_meant = |item: &&Spanned<DeValue<'_>>| {
        item.get_ref().as_str().and_then(Requirement::parse).is_some_and(|found| found.name == name)
    };
    let start = listed.iter().find(is_meant)?.span().start;
    Some(text[..start].matches('\n').count() + 1)
}

/// Names of packages are compared after normalization.
fn is_key(found: &str, wanted: &str) -> bool {
    found == wanted || normalised(found) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_finds_its_root_and_the_root_its_members() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(FILE, "[tool.uv.workspace]\nmembers = ['libs/*', './app']\nexclude = ['libs/old']\n");
        write("app/pyproject.toml", "[project]\nname = 'app'\n");
        write("libs/Own_Six/pyproject.toml", "[project]\nname = 'Own_Six'\n");
        write("libs/old/pyproject.toml", "[project]\nname = 'old'\n");
        write("libs/deep/down/pyproject.toml", "[project]\nname = 'down'\n");
        let project = |name: &str| Project::of(&place.path().join(name)).unwrap().unwrap();
        let root = project("app").workspace_root().unwrap();
        assert_eq!(root.members().into_keys().collect::<Vec<_>>(), ["app", "own-six"]);
        assert!(project("libs/old").workspace_root().is_none() && project("").workspace_root().is_none());
    }

    #[test]
    fn a_key_has_a_line() {
        let text =
            "[project]\nname = 'x'\n[tool.uv.sources]\nSix = { workspace = true }\n[[tool.uv.index]]\nname = 'a'\n";
        assert_eq!(line(text, &["tool", "uv", "sources", "six"]), Some(4));
        assert_eq!(line(text, &["tool", "uv", "index"]), Some(5));
        assert_eq!(line(text, &["tool", "poetry"]), None);
        let text = "[project]\ndependencies = [\n  'leaf>=1',\n  'Own_Six[a] ; x', # own-six\n]\n";
        assert_eq!(line_of_dependency(text, "own-six"), Some(4));
        assert_eq!(line_of_dependency(text, "six"), None);
    }
}
