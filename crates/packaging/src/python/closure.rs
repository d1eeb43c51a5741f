//! The private packages among a project's transitive dependencies, for pip: it does not support `[tool.uv.sources]`, and
//! would look up each name in an index.
//!
//! The dependencies of a local directory count, too: what has a source of its own is installed from that source.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dependency::Dependency;
use super::foreign_sources::{self, ForeignSource};
use super::project::Project;
use super::requirement::Requirement;
use super::sources::{self, Declaration, Declarations, Source};
use super::surroundings;
use crate::error::BuildError;
use crate::tool;

/// What is found by following a list into local directories.
#[derive(Default)]
pub(super) struct Closure {
    /// The list's own packages, and those of directories that do not come from the default index.
    pub packages: BTreeMap<String, Dependency>,
    /// Sources that directories declare for other tools.
    pub elsewhere: Vec<ForeignSource>,
    seen: Vec<PathBuf>,
}

impl Closure {
    /// # Errors
    /// When a source has no equivalent for pip.
    pub(super) fn of_project(project: &Project, root: Option<&Project>) -> Result<Closure, BuildError> {
        let mut closure = Closure::default();
        closure.seen.extend(project.directory.canonicalize());
        let requirements: Vec<String> = project.dependencies();
        closure.add(project, root, &requirements, true)?;
        Ok(closure)
    }

    /// Of directories that a list names itself: only the packages with a source of their own.
    ///
    /// # Errors
    /// When a source has no equivalent for pip.
    pub(super) fn of_directories(directories: &[PathBuf]) -> Result<Closure, BuildError> {
        let mut closure = Closure::default();
        directories.iter().try_for_each(|directory| closure.enter(directory, ""))?;
        Ok(closure)
    }

    fn enter(&mut self, directory: &Path, extras: &str) -> Result<(), BuildError> {
        let canonical = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        if self.seen.contains(&canonical) {
            return Ok(());
        }
        self.seen.push(canonical);
        let Some(project) = Project::of(directory)? else { return Ok(()) };
        self.elsewhere.extend(foreign_sources::of_dependency(&project));
        let mut requirements = project.dependencies();
        for extra in extras.trim_matches(['[', ']']).split(',').map(str::trim).filter(|extra| !extra.is_empty()) {
            requirements.extend(project.strings(&["project", "optional-dependencies", extra]));
        }
        self.add(&project, project.workspace_root().as_ref(), &requirements, false)
    }

    fn add(
        &mut self,
        project: &Project,
        root: Option<&Project>,
        requirements: &[String],
        is_list: bool,
    ) -> Result<(), BuildError> {
        let declarations = sources::declarations(project, root);
        let cure = |name: &str, _: &Path| surroundings::cure_of_member(project, name);
        let members = surroundings::of_members(project, root, &declarations, cure);
        for text in requirements {
            let text = with_root(text, &project.directory);
            let Some(found) = Requirement::parse(&text) else {
                let message = format!("cannot install `{text}` of `{}`", project.file.display());
                return Err(BuildError::new(message).because("it is not a valid requirement"));
            };
            let (source, place) = source(&found, project, root, &declarations)?;
            if source == Source::Default {
                let place = project.place_of_dependency(&found.name);
                foreign_sources::refuse_from_default([(&*found.name, Path::new(&place))], &members, None)?;
            }
            if source == Source::Default && !is_list {
                continue;
            }
            if let Source::Directory(directory) = &source {
                self.enter(directory, &found.extras)?;
            }
            let Requirement { name, extras, specifier, condition, .. } = found;
            let package =
                Dependency { name: name.clone(), extras, specifier, condition, hashes: Vec::new(), source, place };
            match self.packages.get(&name) {
                // Several lines for one name are alternatives or narrow each other; pip handles both.
                Some(known) if known.source != package.source => return Err(two_sources(known, &package)),
                _ => _ = self.packages.insert(name, package),
            }
        }
        Ok(())
    }
}

/// Whether a dependency uses Hatch's context formatting, which only Hatch supports.
pub(super) fn is_of_hatch(project: &Project) -> bool {
    project.dependencies().iter().any(|text| text.contains("{root:"))
}

/// Replaces Hatch's reference to the project's directory, as in `{root:uri}/../six`.
fn with_root(text: &str, directory: &Path) -> String {
    let mut text = text.to_owned();
    let directory = tool::absolute(directory);
    let mut parents = String::new();
    for above in directory.ancestors().take(4) {
        text = text.replace(&format!("{{root{parents}:uri}}"), &format!("file://{}", above.display()));
        parents.push_str(":parent");
    }
    text
}

/// Where a requirement's package comes from, and where that is declared.
fn source(
    requirement: &Requirement,
    project: &Project,
    root: Option<&Project>,
    declarations: &Declarations,
) -> Result<(Source, String), BuildError> {
    let place = project.place_of_dependency(&requirement.name);
    if let Some(text) = &requirement.place {
        return Ok((of_place(text, &project.directory), place));
    }
    let Some(entries) = declarations.get(&requirement.name) else { return Ok((Source::Default, place)) };
    let [Declaration { source, condition, place }] = &entries[..] else {
        return Err(only_uv(&requirement.name, &entries[0].place, "has several sources"));
    };
    if !condition.is_empty() {
        return Err(only_uv(&requirement.name, place, "has a source with a condition"));
    }
    let source = match source {
        Source::Workspace => {
            let members = root.unwrap_or(project).members();
            let member = members.get(&requirement.name).cloned().map(Source::Directory);
            member.ok_or_else(|| only_uv(&requirement.name, place, "is not found in the workspace"))?
        }
        Source::Index { address: None, name } => {
            return Err(only_uv(&requirement.name, place, &format!("uses the index `{name}`, which is not declared")));
        }
        other => other.clone(),
    };
    Ok((source, place.clone()))
}

/// `git+https://…@revision`, `file:///…`, or the URL of a file.
fn of_place(text: &str, directory: &Path) -> Source {
    if text.starts_with("git+") {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let subdirectory = fragment.split('&').find_map(|part| part.strip_prefix("subdirectory=")).map(str::to_owned);
        let path = address.find("://").map_or(0, |at| at + 3);
        let path = path + address[path..].find('/').unwrap_or(0);
        let (address, revision) = match address[path..].rfind('@') {
            Some(at) => (&address[..path + at], Some(address[path + at + 1..].to_owned())),
            None => (address, None),
        };
        return Source::Git { address: address.trim_start_matches("git+").to_owned(), revision, subdirectory };
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.strip_prefix("localhost").unwrap_or(path).split('#').next().unwrap_or_default();
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        return sources::of_path(directory.join(&*path));
    }
    if !text.contains("://") {
        return sources::of_path(directory.join(text));
    }
    Source::Archive { address: text.to_owned(), subdirectory: None }
}

fn only_uv(name: &str, place: &str, why: &str) -> BuildError {
    BuildError::new(format!("cannot install `{name}` with pip"))
        .because(format!("`{place}`: `{name}` {why}"))
        .hint("install uv, which supports it: https://docs.astral.sh/uv/")
}

fn two_sources(one: &Dependency, other: &Dependency) -> BuildError {
    BuildError::new(format!("cannot install `{}`: two sources are declared for it", one.name))
        .because(format!("`{}`: {}", one.place, one.source.shown()))
        .because(format!("`{}`: {}", other.place, other.source.shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_repository_a_file_or_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let of = |text: &str| of_place(text, directory.path());
        let git = |address: &str, revision: Option<&str>, subdirectory: Option<&str>| Source::Git {
            address: address.to_owned(),
            revision: revision.map(str::to_owned),
            subdirectory: subdirectory.map(str::to_owned),
        };
        assert_eq!(of("git+https://u@h/x@v1#subdirectory=a"), git("https://u@h/x", Some("v1"), Some("a")));
        assert_eq!(of("git+ssh://git@h/x"), git("ssh://git@h/x", None, None));
        assert_eq!(
            of(&format!("file://{}", directory.path().display())),
            Source::Directory(directory.path().to_owned())
        );
        assert_eq!(of("file:///no/a%20b.whl"), Source::File("/no/a b.whl".into()));
        assert!(matches!(of("https://h/x.whl"), Source::Archive { .. }));
    }

    #[test]
    fn what_leads_to_private_packages_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name).join("pyproject.toml");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "",
            "[tool.uv.workspace]\nmembers = ['*']\n[tool.uv.sources]\nmid = { workspace = true }\nsix = { path = 'six' }\n",
        );
        write("app", "[project]\nname = 'app'\ndependencies = ['mid', 'leaf>=1', 'hatched @ {root:parent:uri}/six']\n");
        write("mid", "[project]\nname = 'mid'\ndependencies = ['six', 'other']\n");
        write("six", "[project]\nname = 'six'\n");
        let project = Project::of(&place.path().join("app")).unwrap().unwrap();
        let closure = Closure::of_project(&project, project.workspace_root().as_ref()).unwrap();
        assert_eq!(closure.packages.keys().collect::<Vec<_>>(), ["hatched", "leaf", "mid", "six"]);
        assert_eq!(closure.packages["leaf"].source, Source::Default);
        for name in ["hatched", "mid", "six"] {
            assert!(matches!(closure.packages[name].source, Source::Directory(_)), "{name}");
        }
    }
}
