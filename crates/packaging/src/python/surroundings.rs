//! What the projects around a list declare about its packages.
//!
//! A list may be in another directory than the project of its app, and a project in a directory above both. Its sources apply
//! anyway: pip and uv read a list without them.

use std::path::{Path, PathBuf};

use super::foreign_sources::{self, ForeignSource, PROJECT};
use super::indexes::Indexes;
use super::project::Project;
use super::requirement::Requirement;
use super::settings::Settings;
use super::sources::{self, Declarations};
use crate::error::BuildError;
use crate::{address, tool};

/// Files that make a directory that of a project.
const FILES: [&str; 4] = ["Pipfile", "Pipfile.lock", "pdm.lock", "pylock.toml"];

/// A directory with dependencies, and its `pyproject.toml` if it has one.
struct Surrounding {
    directory: PathBuf,
    project: Option<Project>,
    /// The root of the project's workspace.
    root: Option<Project>,
}

impl Surrounding {
    /// The project that a directory is part of: its own, or the nearest one above, up to the repository's root.
    ///
    /// # Errors
    /// When a `pyproject.toml` cannot be read.
    fn of(directory: &Path) -> Result<Option<Surrounding>, BuildError> {
        let canonical = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let above = tool::upwards(&canonical, tool::is_repository).into_iter().skip(1);
        for directory in std::iter::once(directory.to_owned()).chain(above) {
            let project = Project::of(&directory)?;
            let is_one = FILES.iter().any(|name| directory.join(name).is_file());
            if is_one || project.as_ref().is_some_and(Project::declares) {
                let root = project.as_ref().and_then(Project::workspace_root);
                return Ok(Some(Surrounding { directory, project, root }));
            }
        }
        Ok(None)
    }

    fn is_at(&self, directory: &Path) -> bool {
        tool::is_same(&self.directory, directory)
    }

    /// The indexes of its uv settings.
    fn indexes(&self) -> Result<Indexes, BuildError> {
        Indexes::of(&self.directory, self.project.as_ref(), self.root.as_ref())
    }

    /// All sources that it declares, for a list in `directory`.
    fn sources(&self, directory: &Path) -> Result<Vec<ForeignSource>, BuildError> {
        let project = self.project.as_ref();
        let mut found = foreign_sources::in_directory(&self.directory, project)?;
        let Some(project) = project else { return Ok(found) };
        let declarations = sources::declarations(project, self.root.as_ref());
        found.extend(foreign_sources::of_uv(&declarations));
        found.extend(of_requirements(project));
        let cure = |_: &str, member: &Path| {
            format!("list its directory instead of its name: `{}`", tool::relative(member, directory).display())
        };
        found.extend(of_members(project, self.root.as_ref(), &declarations, cure));
        Ok(found)
    }
}

/// The indexes for a list in `directory`: those of the project that it is part of.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn indexes(directory: &Path) -> Result<Indexes, BuildError> {
    match Surrounding::of(directory)? {
        // The nearest settings count.
        Some(around) if around.project.is_some() && !directory.join("uv.toml").is_file() => around.indexes(),
        Some(around) if around.is_at(directory) => around.indexes(),
        _ => Indexes::of(directory, None, None),
    }
}

/// The sources that are declared around the directories of `starts`, for a list in `directory`. `known` are the indexes that
/// it uses in any case.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn around(directory: &Path, starts: &[PathBuf], known: &Indexes) -> Result<Vec<ForeignSource>, BuildError> {
    let machine = Settings::of(directory)?;
    let (known, own) = ([known, &machine.uv, &machine.pip], Surrounding::of(directory)?);
    let (mut found, mut seen): (Vec<ForeignSource>, Vec<Surrounding>) = (Vec::new(), Vec::new());
    for start in starts {
        let Some(around) = Surrounding::of(start)? else { continue };
        if seen.iter().any(|known| known.is_at(&around.directory)) {
            continue;
        }
        found.extend(around.sources(directory)?);
        if !own.as_ref().is_some_and(|own| own.is_at(&around.directory)) {
            let project = around.root.as_ref().or(around.project.as_ref());
            let place = project.map_or(&around.directory, |project| &project.file).display().to_string();
            found.extend(of_indexes(&around.indexes()?, &known, &place));
        }
        seen.push(around);
    }
    Ok(found)
}

/// Refuses packages from an index that a local directory requires by the name of a package of its workspace.
///
/// # Errors
/// With the package, and where it is required.
pub(super) fn refuse_lost_members(directories: &[PathBuf], from_indexes: &[String]) -> Result<(), BuildError> {
    for directory in directories {
        let Some(project) = Project::of(directory)? else { continue };
        let root = project.workspace_root();
        let declarations = sources::declarations(&project, root.as_ref());
        let members = of_members(&project, root.as_ref(), &declarations, |name, _| cure_of_member(&project, name));
        for name in foreign_sources::without_place(&project.dependencies()) {
            let place = project.place_of_dependency(&name);
            let lost = from_indexes.contains(&name).then_some((&*name, Path::new(&place)));
            foreign_sources::refuse_from_default(lost, &members, None)?;
        }
    }
    Ok(())
}

/// The packages of a project's workspace without a source of their own in `declarations`. uv refuses them by name alone.
/// `cure` gets a package's name and its directory.
pub(super) fn of_members(
    project: &Project,
    root: Option<&Project>,
    declarations: &Declarations,
    cure: impl Fn(&str, &Path) -> String,
) -> Vec<ForeignSource> {
    let workspace = root.unwrap_or(project);
    if workspace.at(&["tool", "uv", "workspace"]).is_none() {
        return Vec::new();
    }
    let own = project.name();
    let members = workspace.members().into_iter();
    let members = members.filter(|(name, _)| own.as_ref() != Some(name) && !declarations.contains_key(name));
    let of = |(name, directory): (String, PathBuf)| {
        let member = Project::of(&directory).ok().flatten();
        let place = member.map(|member| member.place(&["project", "name"]))?;
        let (what, cure) = (format!("the workspace of `{}`", workspace.file.display()), cure(&name, &directory));
        Some(ForeignSource { name: Some(name), what, index: None, place, cure })
    };
    members.filter_map(of).collect()
}

/// The edit that makes a project use the workspace's package.
pub(super) fn cure_of_member(project: &Project, name: &str) -> String {
    format!("add `{name} = {{ workspace = true }}` to `[tool.uv.sources]` of `{}`", project.file.display())
}

/// The requirements of `[project]` with a path or URL, for a list that has only their names.
pub(super) fn of_requirements(project: &Project) -> Vec<ForeignSource> {
    let of = |text: String| {
        let Requirement { name, place: Some(what), .. } = Requirement::parse(&text)? else { return None };
        let (what, place) = (format!("`{}`", address::without_credentials(&what)), project.place_of_dependency(&name));
        Some(ForeignSource { name: Some(name), what, index: None, place, cure: PROJECT.to_owned() })
    };
    project.dependencies().into_iter().filter_map(of).collect()
}

/// The indexes of a project whose settings do not apply to the list.
pub(super) fn of_indexes(indexes: &Indexes, known: &[&Indexes], place: &str) -> Vec<ForeignSource> {
    let is_known = |address: &String| {
        let all =
            |known: &Indexes| known.main.iter().chain(&known.extra).chain(&known.links).cloned().collect::<Vec<_>>();
        address::is_public(address) || known.iter().flat_map(|it| all(it)).any(|it| address::is_same(&it, address))
    };
    let of = |(kind, address): (&str, &String)| ForeignSource {
        name: None,
        what: format!("the {kind} `{}`", address::without_credentials(address)),
        index: Some(address.clone()),
        place: place.to_owned(),
        cure: "name it in the list: `--index-url https://…` or `--find-links DIR`".to_owned(),
    };
    let all = indexes.main.iter().chain(&indexes.extra).map(|address| ("index", address));
    let links = indexes.links.iter().map(|link| ("`find-links` location", link));
    let mut found: Vec<ForeignSource> = all.chain(links).filter(|(_, address)| !is_known(address)).map(of).collect();
    if found.is_empty() && indexes.none && !known.iter().any(|known| known.none) {
        let (what, cure) = ("no index".to_owned(), "add `--no-index` to the list".to_owned());
        found.push(ForeignSource { name: None, what, index: None, place: place.to_owned(), cure });
    }
    found
}
