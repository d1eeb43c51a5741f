//! A list of Python packages: which ones to install, and from where.

use std::path::{Path, PathBuf};

use super::dependency::Dependency;
use super::foreign_sources::{self, ForeignSource};
use super::indexes::Indexes;
use super::lock::UvLock;
use super::pip_log::Log;
use super::project::{self, Project};
use super::pylock::Pylock;
use super::requirements_txt::Listed;
use super::sources::{self, Source};
use super::target::Target;
use super::{lock, messages, requirements_txt, surroundings};
use crate::address;
use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool;

/// The packages to install.
pub(super) struct List {
    /// The file that lists them.
    pub file: PathBuf,
    /// Where the tools run.
    pub directory: PathBuf,
    pub content: Content,
    /// Sources in the project's other files.
    pub elsewhere: Vec<ForeignSource>,
    /// The indexes of the project's uv settings.
    pub indexes: Indexes,
    /// What may help if a package is not found.
    pub hints: Vec<String>,
}

pub(super) enum Content {
    /// `requirements.txt`, or another file in that format: its text, and what it lists.
    Requirements(String, Listed),
    /// A project without a lock, and the root of its workspace.
    Project(Box<Project>, Option<Box<Project>>),
    /// The complete resolution from `uv.lock`.
    Resolved(Pylock),
    /// The complete resolution from another lock.
    Packages(Vec<Dependency>),
}

impl List {
    /// What a file lists for the app in `directory`; `None` if it lists nothing.
    ///
    /// # Errors
    /// When it cannot be read, or has a package with an unknown source.
    pub(super) async fn read(
        file: &Path,
        directory: &Path,
        platform: &Platform,
        notes: &mut Vec<String>,
    ) -> Result<Option<List>, BuildError> {
        let list = match file.file_name().and_then(|name| name.to_str()).unwrap_or_default() {
            "uv.lock" => List::of_lock(file, &member(file, directory)?, platform).await?,
            project::FILE => List::of_project(file, directory, platform).await?,
            "Pipfile" => {
                let message = format!("cannot install the dependencies in `{}` without a lock", file.display());
                return Err(BuildError::new(message).hint("run `pipenv lock`"));
            }
            name => match lock::packages(file, platform, notes)? {
                // Its files are in it, and uv installs exactly those.
                Some(_) if lock::is_pylock(name) && tool::find("uv").is_some() => {
                    let pylock = Pylock::parse(&tool::text(file)?, &tool::around(file))?;
                    List::complete(file, Content::Resolved(pylock))
                }
                Some(packages) => List::complete(file, Content::Packages(packages)),
                None => List::of_requirements(file, directory)?,
            },
        };
        Ok((!list.is_empty()).then_some(list))
    }

    /// A lock that says everything itself.
    fn complete(file: &Path, content: Content) -> List {
        List::new(file, &tool::around(file), content, Vec::new(), Indexes::default())
    }

    fn new(file: &Path, directory: &Path, content: Content, elsewhere: Vec<ForeignSource>, indexes: Indexes) -> List {
        List { file: file.to_owned(), directory: directory.to_owned(), content, elsewhere, indexes, hints: Vec::new() }
    }

    async fn of_lock(lock: &Path, directory: &Path, platform: &Platform) -> Result<List, BuildError> {
        let missing =
            || BuildError::new(format!("cannot use `{}`: its project has no `{}`", lock.display(), project::FILE));
        let project = Project::of(directory)?.ok_or_else(missing)?;
        let target = Target::of(platform);
        let found = UvLock::read(lock, &project, &target, platform.runtime.as_str())?;
        let root = project.workspace_root();
        let declarations = sources::declarations(&project, root.as_ref());
        let Some(uv) = tool::find("uv") else {
            let packages = found.packages(&target)?;
            lock::refuse_undeclared(&packages, &declarations, lock)?;
            return Ok(List::new(lock, directory, Content::Packages(packages), Vec::new(), Indexes::default()));
        };
        let mut pylock = found.export(&uv).await?;
        let indexes = Indexes::of(directory, Some(&project), root.as_ref())?;
        pylock.refuse_undeclared(&declarations, &indexes, lock)?;
        // uv locks the latest version from any place, which may be a public package with a private package's name.
        let pinned = sources::pinned_to_indexes(&declarations);
        pylock.prefer_links(&directories(&indexes.links, directory), &pinned, lock)?;
        Ok(List::new(lock, directory, Content::Resolved(pylock), Vec::new(), Indexes::default()))
    }

    /// The lock of a workspace is at its root.
    async fn of_project(file: &Path, app: &Path, platform: &Platform) -> Result<List, BuildError> {
        let directory = tool::around(file);
        let missing = || BuildError::new(format!("cannot read `{}`", file.display()));
        let project = Project::of(&directory)?.ok_or_else(missing)?;
        let root = project.workspace_root();
        let lock = root.as_ref().map(|root| root.directory.join("uv.lock")).filter(|lock| lock.is_file());
        if let Some(lock) = lock {
            return List::of_lock(&lock, &directory, platform).await;
        }
        lock::refuse_unlisted(&project)?;
        let indexes = Indexes::of(&directory, Some(&project), root.as_ref())?;
        let mut elsewhere = foreign_sources::in_directory(&directory, Some(&project))?;
        let declarations = sources::declarations(&project, root.as_ref());
        let cure = |name: &str, _: &Path| surroundings::cure_of_member(&project, name);
        elsewhere.extend(surroundings::of_members(&project, root.as_ref(), &declarations, cure));
        if !tool::is_same(app, &directory) {
            let around = surroundings::around(&directory, &[app.to_owned()], &indexes)?;
            let is_declared = |name: &String| declarations.contains_key(name);
            elsewhere.extend(around.into_iter().filter(|entry| !entry.name.as_ref().is_some_and(is_declared)));
        }
        let named = foreign_sources::without_place(&project.dependencies());
        let named = named.into_iter().map(|name| (PathBuf::from(project.place_of_dependency(&name)), name));
        let named: Vec<(PathBuf, String)> = named.collect();
        let named = named.iter().map(|(place, name)| (&**name, &**place));
        foreign_sources::refuse_from_default(named, &elsewhere, None)?;
        let content = Content::Project(Box::new(project), root.map(Box::new));
        Ok(List::new(file, &directory, content, elsewhere, indexes))
    }

    fn of_requirements(file: &Path, app: &Path) -> Result<List, BuildError> {
        let (directory, text) = (tool::around(file), tool::text(file)?);
        let listed = requirements_txt::listed(file, &text, &directory)?;
        let indexes = surroundings::indexes(&directory)?;
        // It may include lists in other directories.
        let lists = listed.places.values().map(|place| tool::around(Path::new(place)));
        let starts: Vec<PathBuf> = [directory.clone(), app.to_owned()].into_iter().chain(lists).collect();
        let mut elsewhere = surroundings::around(&directory, &starts, &indexes)?;
        let is_pinned = |entry: &&ForeignSource| {
            let hashes = entry.name.as_ref().and_then(|name| listed.packages.get(name));
            hashes.is_some_and(|hashes| !hashes.is_empty())
        };
        let hint = |entry: &ForeignSource| {
            let (name, place, what) = (entry.name.as_deref().unwrap_or_default(), &entry.place, &entry.what);
            format!("`{place}` declares that `{name}` comes from {what}, but the list does not; {}", entry.cure)
        };
        let hints = elsewhere.iter().filter(is_pinned).map(hint).collect();
        // A hash identifies a package better than an index.
        elsewhere.retain(|entry| match &entry.name {
            Some(name) => listed.packages.get(name).is_none_or(Vec::is_empty),
            None => listed.main.is_none() && listed.extra.is_empty() && listed.links.is_empty() && !listed.none,
        });
        let unpinned = listed.packages.iter().filter(|(_, hashes)| hashes.is_empty());
        let named = unpinned.filter_map(|(name, _)| Some((&**name, Path::new(listed.places.get(name)?))));
        let only = listed.only_index(&indexes);
        foreign_sources::refuse_from_default(named, &elsewhere, only)?;
        let list = List::new(file, &directory, Content::Requirements(text, listed), elsewhere, indexes);
        Ok(List { hints, ..list })
    }

    fn is_empty(&self) -> bool {
        match &self.content {
            Content::Requirements(text, _) => {
                text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
            }
            Content::Project(project, _) => project.dependencies().is_empty(),
            Content::Resolved(pylock) => pylock.is_empty(),
            Content::Packages(packages) => packages.is_empty(),
        }
    }

    /// Everything that decides what is installed; `None` if local directories do, which are built again each time.
    ///
    /// # Errors
    /// When a file that it names cannot be read.
    pub(super) fn key(&self) -> Result<Option<String>, BuildError> {
        match &self.content {
            Content::Requirements(text, _) => {
                let content = requirements_txt::content(&self.file, text, &self.directory)?;
                Ok(content.map(|content| format!("{content}\n{:?}\n{:?}", self.indexes, self.elsewhere)))
            }
            Content::Project(project, root) => {
                let declarations = sources::declarations(project, root.as_deref());
                let declared = declarations.values().flatten().map(|entry| entry.source.clone());
                let content =
                    requirements_txt::content(&self.file, &project.dependencies().join("\n"), &self.directory)?;
                let (Some(mut content), Some(sources)) = (content, of_sources(declared)?) else { return Ok(None) };
                content.push_str(&format!("{sources}\n{declarations:?}\n{:?}\n{:?}", self.indexes, self.elsewhere));
                Ok(Some(content))
            }
            Content::Resolved(pylock) => pylock.content(),
            Content::Packages(packages) => {
                let sources = of_sources(packages.iter().map(|package| package.source.clone()))?;
                Ok(sources.map(|sources| format!("{sources}\n{packages:?}")))
            }
        }
    }

    /// The error after pip or uv failed to install it and wrote these lines.
    pub(super) fn not_installed(&self, platform: &Platform, said: &[String], log: Option<&Log>) -> BuildError {
        self.hints.iter().fold(messages::not_installed(&self.file, platform, said, log), BuildError::hint)
    }

    /// The names of a lock's packages; `None` if it is not a lock.
    pub(super) fn locked(&self) -> Option<Vec<String>> {
        match &self.content {
            Content::Packages(packages) => Some(packages.iter().map(|package| package.name.clone()).collect()),
            Content::Resolved(pylock) => Some(pylock.names()),
            Content::Requirements(..) | Content::Project(..) => None,
        }
    }

    /// The `--find-links` directories of the list and the project.
    pub(super) fn links(&self) -> Vec<PathBuf> {
        let listed = match &self.content {
            Content::Requirements(_, listed) => &listed.links[..],
            _ => &[],
        };
        directories(listed.iter().chain(&self.indexes.links), &self.directory)
    }

    /// The list's indexes with a password, also from a variable.
    pub(super) fn indexes_with_password(&self) -> Vec<String> {
        let Content::Requirements(_, listed) = &self.content else { return Vec::new() };
        let all = listed.main.iter().chain(&listed.extra).map(|address| address::with_variables(address));
        all.filter(|address| address::holds_credentials(address)).collect()
    }

    /// The list's or the project's index for all packages.
    pub(super) fn main_index(&self) -> Option<&str> {
        let listed = match &self.content {
            Content::Requirements(_, listed) => listed.main.as_deref(),
            _ => None,
        };
        listed.or(self.indexes.main.as_deref())
    }

    /// All indexes of the list and the project.
    pub(super) fn named_indexes(&self) -> Indexes {
        let own = |address: &String| address::with_variables(address);
        let (extra, links, none) = match &self.content {
            Content::Requirements(_, listed) => (&listed.extra[..], &listed.links[..], listed.none),
            _ => Default::default(),
        };
        Indexes {
            main: self.main_index().map(address::with_variables),
            extra: extra.iter().map(own).chain(self.indexes.extra.iter().cloned()).collect(),
            links: links.iter().map(own).chain(self.indexes.links.iter().cloned()).collect(),
            none: none || self.indexes.none,
            ..Indexes::default()
        }
    }

    /// The indexes that each package may come from, if the list or the project has a main one and extra ones.
    pub(super) fn mixed_indexes(&self) -> Option<Vec<String>> {
        let listed = match &self.content {
            Content::Requirements(_, listed) => &listed.extra[..],
            _ => &[],
        };
        let extra: Vec<String> = listed.iter().chain(&self.indexes.extra).cloned().collect();
        let all = std::iter::once(self.main_index()?.to_owned()).chain(extra.iter().cloned()).collect();
        (!extra.is_empty()).then_some(all)
    }
}

/// The directory for `uv export`: the app's, if it is a member of the lock's workspace; otherwise the lock's.
fn member(lock: &Path, directory: &Path) -> Result<PathBuf, BuildError> {
    let beside = tool::around(lock);
    let root = Project::of(directory)?.and_then(|project| project.workspace_root());
    let is_of_lock = root.is_some_and(|root| beside.canonicalize().is_ok_and(|beside| beside == root.directory));
    Ok(if is_of_lock { directory.to_owned() } else { beside })
}

/// The hashes of the local files among sources; `None` if there is a directory.
fn of_sources(sources: impl Iterator<Item = Source>) -> Result<Option<String>, BuildError> {
    let mut content = String::new();
    for source in sources {
        match source {
            Source::Directory(_) | Source::Workspace => return Ok(None),
            Source::File(path) => content.push_str(&format!("{}\n", tool::digest(&path)?)),
            Source::Default | Source::Index { .. } | Source::Git { .. } | Source::Archive { .. } => {}
        }
    }
    Ok(Some(content))
}
/// The local directories among `links`, which may be relative to `base`.
fn directories<'a>(links: impl IntoIterator<Item = &'a String>, base: &Path) -> Vec<PathBuf> {
    let path = |link: &String| base.join(link.strip_prefix("file://").unwrap_or(link));
    links.into_iter().map(path).filter(|path| path.is_dir()).collect()
}
