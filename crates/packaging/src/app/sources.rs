//! Where a project says that its packages come from: `[tool.uv.sources]`, and the indexes of uv.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::project::{self, Project};
use super::requirement::{Requirement, normalised};
use super::tool;
use crate::error::BuildError;

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The index that the machine or the list names for all packages.
    Default,
    Index {
        name: String,
        address: Option<String>,
    },
    /// Another member of the workspace.
    Workspace,
    Directory(PathBuf),
    /// A wheel, or an archive with sources.
    File(PathBuf),
    Git {
        address: String,
        revision: Option<String>,
        subdirectory: Option<String>,
    },
    Archive {
        address: String,
        subdirectory: Option<String>,
    },
}

impl Source {
    /// For messages, without credentials.
    pub fn shown(&self) -> String {
        use super::address::without_credentials as plain;
        match self {
            Source::Default => "the default index".to_owned(),
            Source::Index { name, address: None } => format!("the index `{name}`"),
            Source::Index { name, address: Some(address) } if name.is_empty() => {
                format!("the index `{}`", plain(address))
            }
            Source::Index { name, address: Some(address) } => format!("the index `{name}` ({})", plain(address)),
            Source::Workspace => "the workspace".to_owned(),
            Source::Directory(path) => format!("the directory `{}`", path.display()),
            Source::File(path) => format!("the file `{}`", path.display()),
            Source::Git { address, .. } => format!("the Git repository `{}`", plain(address)),
            Source::Archive { address, .. } => format!("`{}`", plain(address)),
        }
    }
}

/// One entry of `[tool.uv.sources]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub source: Source,
    /// When it holds: nothing is always.
    pub condition: String,
    /// `FILE:LINE`.
    pub place: String,
}

pub type Declarations = BTreeMap<String, Vec<Declaration>>;

/// The packages that are declared to come from an index of their own.
pub fn pinned_to_indexes(declarations: &Declarations) -> BTreeSet<String> {
    let is_pinned = |entry: &Declaration| matches!(entry.source, Source::Index { .. });
    let pinned = declarations.iter().filter(|(_, entries)| entries.iter().any(is_pinned));
    pinned.map(|(name, _)| name.clone()).collect()
}

/// What a member says, and what the root of its workspace says of names that the member does not mention. Entries of extras
/// and groups are no part of it: neither is installed.
pub fn declarations(project: &Project, root: Option<&Project>) -> Declarations {
    let indexes: Vec<Index> = [Some(project), root].into_iter().flatten().flat_map(indexes).collect();
    let mut found = Declarations::new();
    for project in [root, Some(project)].into_iter().flatten() {
        for (name, value) in project.table_at(&["tool", "uv", "sources"]).into_iter().flatten() {
            let one = std::slice::from_ref(value);
            let entries = value.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_table);
            let wanted = entries.filter(|entry| !entry.contains_key("extra") && !entry.contains_key("group"));
            let place = project.place(&["tool", "uv", "sources", &normalised(name)]);
            let entry = |entry: &Table| {
                let condition = entry.get("marker").and_then(Value::as_str).unwrap_or_default().to_owned();
                Some(Declaration {
                    source: source(entry, &project.directory, &indexes)?,
                    condition,
                    place: place.clone(),
                })
            };
            found.insert(normalised(name), wanted.filter_map(entry).collect());
        }
    }
    found.retain(|_, entries| !entries.is_empty());
    found
}

fn source(entry: &Table, directory: &Path, indexes: &[Index]) -> Option<Source> {
    let text = |key| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    if entry.get("workspace").and_then(Value::as_bool) == Some(true) {
        return Some(Source::Workspace);
    }
    if let Some(path) = text("path") {
        return Some(of_path(directory.join(path)));
    }
    if let Some(address) = text("git") {
        let revision = text("rev").or_else(|| text("tag")).or_else(|| text("branch"));
        return Some(Source::Git { address, revision, subdirectory: text("subdirectory") });
    }
    if let Some(address) = text("url") {
        return Some(Source::Archive { address, subdirectory: text("subdirectory") });
    }
    let name = text("index")?;
    let known = indexes.iter().find(|index| index.name.as_deref() == Some(&*name));
    Some(Source::Index { address: known.map(|index| index.address.clone()), name })
}

pub fn of_path(path: PathBuf) -> Source {
    if path.is_dir() { Source::Directory(path) } else { Source::File(path) }
}

/// One `[[tool.uv.index]]`.
#[derive(Clone, Debug)]
pub struct Index {
    name: Option<String>,
    pub address: String,
    pub explicit: bool,
    pub default: bool,
    pub flat: bool,
}

fn indexes(project: &Project) -> Vec<Index> {
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

/// The indexes that hold for all packages of a project, as uv is told: pip has to be told, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    pub main: Option<String>,
    /// The first counts before the next, and all of them before `main`.
    pub extra: Vec<String>,
    pub links: Vec<String>,
    pub none: bool,
    pub constraints: Vec<String>,
    /// `FILE:LINE` of `override-dependencies`, which pip does not support, and the names in it.
    pub overrides: Option<(String, String)>,
}

impl Indexes {
    /// Those of the project's `uv.toml`, or of its `[tool.uv]`; of the workspace's root, if the project is a member.
    ///
    /// # Errors
    /// When `uv.toml` cannot be read.
    pub fn of(directory: &Path, project: Option<&Project>, root: Option<&Project>) -> Result<Indexes, BuildError> {
        let project = root.or(project);
        let directory = project.map_or(directory, |project| &project.directory);
        let file = directory.join("uv.toml");
        if file.is_file() {
            let text = tool::text(&file)?;
            let broken = |error: toml::de::Error| {
                BuildError::new(format!("cannot read `{}`", file.display())).because(error.message())
            };
            let table: Table = text.parse().map_err(broken)?;
            let place = project::place(&file, &text, &["override-dependencies"]);
            return Ok(read(&table, directory, place));
        }
        let Some(project) = project else { return Ok(Indexes::default()) };
        let place = project.place(&["tool", "uv", "override-dependencies"]);
        Ok(project.table_at(&["tool", "uv"]).map(|table| read(table, directory, place)).unwrap_or_default())
    }

    /// Whether more than one place is asked for a package.
    pub fn are_several(&self) -> bool {
        !self.extra.is_empty() || !self.links.is_empty()
    }
}

/// What a table of uv's settings says; `place` is where it has `override-dependencies`.
pub fn read(table: &Table, directory: &Path, place: String) -> Indexes {
    // `[tool.uv.pip]` counts before what is around it.
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

/// A path is meant from where it is written.
fn absolute(text: &str, directory: &Path) -> String {
    if text.contains("://") { text.to_owned() } else { directory.join(text).display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_says_more_than_its_root() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "pyproject.toml",
            "[tool.uv.workspace]\nmembers = ['app']\n[tool.uv.sources]\nSix = { path = 'six' }\nroot = { git = 'https://h/r', tag = 'v1' }\n\
             [[tool.uv.index]]\nname = 'corp'\nurl = 'https://u:p@corp/simple'\nexplicit = true\n",
        );
        write(
            "app/pyproject.toml",
            "[project]\nname = 'app'\n[tool.uv.sources]\nsix = [{ index = 'corp' }, { url = 'x', extra = 'gpu' }]\n",
        );
        let project = Project::of(&place.path().join("app")).unwrap().unwrap();
        let root = project.workspace_root();
        let found = declarations(&project, root.as_ref());
        assert_eq!(found["six"].len(), 1);
        assert_eq!(found["six"][0].source.shown(), "the index `corp` (https://****@corp/simple)");
        assert!(found["six"][0].place.ends_with("app/pyproject.toml:4"));
        assert!(matches!(&found["root"][0].source, Source::Git { revision: Some(tag), .. } if tag == "v1"));
        // An explicit index answers for nothing else.
        assert_eq!(Indexes::of(&project.directory, Some(&project), root.as_ref()).unwrap(), Indexes::default());
    }

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
