//! The sources that a project declares for its packages: `[tool.uv.sources]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::indexes::{Index, indexes};
use super::project::Project;
use super::requirement::normalised;

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The machine's or the list's index for all packages.
    Default,
    Index {
        name: String,
        address: Option<String>,
    },
    /// Another member of the workspace.
    Workspace,
    Directory(PathBuf),
    /// A wheel or a source archive.
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
    pub(super) fn shown(&self) -> String {
        use crate::address::without_credentials as plain;
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
pub(super) struct Declaration {
    pub source: Source,
    /// The marker; empty if it always applies.
    pub condition: String,
    /// `FILE:LINE`.
    pub place: String,
}

pub(super) type Declarations = BTreeMap<String, Vec<Declaration>>;

/// The packages with an index of their own.
pub(super) fn pinned_to_indexes(declarations: &Declarations) -> BTreeSet<String> {
    let is_pinned = |entry: &Declaration| matches!(entry.source, Source::Index { .. });
    let pinned = declarations.iter().filter(|(_, entries)| entries.iter().any(is_pinned));
    pinned.map(|(name, _)| name.clone()).collect()
}

/// The sources of a member, and those of its workspace's root for other names. Entries of extras
/// and groups are omitted: neither is installed.
pub(super) fn declarations(project: &Project, root: Option<&Project>) -> Declarations {
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

pub(super) fn of_path(path: PathBuf) -> Source {
    if path.is_dir() { Source::Directory(path) } else { Source::File(path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::indexes::Indexes;

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
        // An explicit index is not used for anything else.
        assert_eq!(Indexes::of(&project.directory, Some(&project), root.as_ref()).unwrap(), Indexes::default());
    }
}
