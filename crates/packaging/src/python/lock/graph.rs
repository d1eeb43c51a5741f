//! The packages of a lock that a function needs: from what its project requires, along each package's own requirements.
//!
//! Every marker is evaluated for the function, whatever machine installs. What is required and not in the lock is an error:
//! the lock is older than the project.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::error::BuildError;
use crate::python::dependency::Dependency;
use crate::python::project::Project;
use crate::python::range::Range;
use crate::python::requirement::{Requirement, normalised};
use crate::python::sources::Source;
use crate::python::target::Target;

/// What a project or a package requires.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    pub(super) range: Range,
    /// The requirement, for messages.
    pub(super) text: String,
    pub(super) condition: String,
    /// What requires it: `FILE:LINE`, or a package.
    pub(super) place: String,
}

impl Need {
    /// One in the form of PEP 508; `None` if it is not valid.
    pub(super) fn parse(text: &str, place: String) -> Option<Need> {
        let Requirement { name, extras, specifier, condition, .. } = Requirement::parse(text)?;
        let range = Range::of_specifiers(&specifier)?;
        let text = format!("{name}{extras}{specifier}");
        Some(Need { name, extras: list_of_extras(&extras), range, text, condition, place })
    }

    /// What `[project]` requires.
    ///
    /// # Errors
    /// With a requirement that is not valid.
    pub(super) fn of_project(project: &Project) -> Result<Vec<Need>, BuildError> {
        let need = |text: String| {
            let name = Requirement::parse(&text).map(|found| found.name).unwrap_or_default();
            let place = project.place_of_dependency(&name);
            Need::parse(&text, place).ok_or_else(|| {
                BuildError::new(format!("cannot read `{}`", project.file.display()))
                    .because(format!("`{text}` is not a valid requirement"))
            })
        };
        project.dependencies().into_iter().map(need).collect()
    }
}

/// The names in `[a,b]`.
pub(super) fn list_of_extras(text: &str) -> Vec<String> {
    let names = text.trim().trim_matches(['[', ']']).split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(normalised).collect()
}

/// One package of a lock.
#[derive(Clone, Debug)]
pub(super) struct Locked {
    pub(super) version: String,
    /// Under which it is installed at all.
    pub(super) condition: String,
    /// What it requires, with what its extras require under `extra == '…'`.
    pub(super) needs: Vec<Need>,
    /// The extras that it is locked with, if the lock has an entry for each.
    pub(super) extras: Option<BTreeSet<String>>,
    /// Names of files, if known, and their digests.
    pub(super) hashes: Vec<(String, String)>,
    pub(super) source: Source,
    /// Whether there is something to install, and not only requirements.
    pub(super) is_package: bool,
}

/// All packages of a lock, by name: several if the version depends on markers.
pub(super) type Packages = BTreeMap<String, Vec<Locked>>;

/// A lock, and what it is for.
pub(super) struct Graph<'a> {
    pub(super) lock: &'a Path,
    pub(super) project: PathBuf,
    pub(super) packages: Packages,
    pub(super) target: &'a Target,
    /// The command that updates the lock.
    pub(super) update: &'static str,
    /// Packages that older versions of the tool did not lock.
    pub(super) unlocked: &'static [&'static str],
}

impl Graph<'_> {
    /// The packages to install for these requirements.
    ///
    /// # Errors
    /// When one is not in the lock, or only in another version; or when a marker is not valid.
    pub(super) fn needed(&self, roots: Vec<Need>) -> Result<Vec<Dependency>, BuildError> {
        // The extras of each chosen package, by name and place in the list of its versions.
        let mut chosen: BTreeMap<(String, usize), BTreeSet<String>> = BTreeMap::new();
        let mut open: VecDeque<(Need, BTreeSet<String>)> =
            roots.into_iter().map(|need| (need, BTreeSet::new())).collect();
        while let Some((need, active)) = open.pop_front() {
            if !self.holds(&need.condition, &active, &need.place)? {
                continue;
            }
            let Some(at) = self.choose(&need)? else { continue };
            let locked = &self.packages[&need.name][at];
            let lost = |extra: &&String| locked.extras.as_ref().is_some_and(|known| !known.contains(*extra));
            if let Some(extra) = need.extras.iter().find(lost) {
                return Err(self.older(&need, &format!("which the lock has without `{extra}`")));
            }
            let is_new = !chosen.contains_key(&(need.name.clone(), at));
            let extras = chosen.entry((need.name.clone(), at)).or_default();
            let before = extras.len();
            extras.extend(need.extras.iter().cloned());
            if is_new || extras.len() > before {
                open.extend(locked.needs.iter().map(|need| (need.clone(), extras.clone())));
            }
        }
        let package = |(name, at): (String, usize)| {
            let Locked { version, hashes, source, is_package, .. } = self.packages[&name][at].clone();
            is_package.then(|| Dependency {
                name,
                extras: String::new(),
                specifier: format!("=={version}"),
                condition: String::new(),
                hashes,
                source,
                place: self.lock.display().to_string(),
            })
        };
        Ok(chosen.into_keys().filter_map(package).collect())
    }

    /// Which version of a package a requirement means.
    fn choose(&self, need: &Need) -> Result<Option<usize>, BuildError> {
        let Some(entries) = self.packages.get(&need.name).filter(|entries| !entries.is_empty()) else {
            if self.unlocked.contains(&&*need.name) {
                return Ok(None);
            }
            return Err(self.older(need, "which the lock does not have"));
        };
        let mut fitting = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let applies = self.holds(&entry.condition, &BTreeSet::new(), &need.name)?;
            fitting.extend((applies && need.range.has_text(&entry.version)).then_some(at));
        }
        match &fitting[..] {
            [one] => Ok(Some(*one)),
            [] => {
                let versions: Vec<&str> = entries.iter().map(|entry| &*entry.version).collect();
                let has = format!("but the lock has {} for this platform", versions.join(" and "));
                Err(self.older(need, &has))
            }
            [_, _, ..] => Err(BuildError::new(format!(
                "cannot install `{}` of `{}`: it is locked in several versions, and no markers tell them apart",
                need.name,
                self.lock.display()
            ))
            .hint(format!("lock with a newer version of the tool: `{}`", self.update))),
        }
    }

    fn holds(&self, condition: &str, extras: &BTreeSet<String>, place: &str) -> Result<bool, BuildError> {
        self.target.holds(condition, extras).ok_or_else(|| {
            BuildError::new(format!("cannot read `{}`", self.lock.display()))
                .because(format!("`{place}`: `{condition}` is not a valid marker"))
        })
    }

    fn older(&self, need: &Need, what: &str) -> BuildError {
        let error = stale(self.lock, &self.project, self.update);
        error.because(format!("`{}` requires `{}`, {what}", need.place, need.text))
    }
}

/// The error for a lock that does not fit its project any more, without the cause.
pub(super) fn stale(lock: &Path, project: &Path, update: &str) -> BuildError {
    let (lock, project) = (lock.display(), project.display());
    BuildError::new(format!("cannot use `{lock}`: it does not match `{project}`"))
        .hint(format!("update the lock: `{update}`"))
}

/// Refuses a Python that the lock was not made for: its packages and markers may be others there.
///
/// # Errors
/// With both versions.
pub(super) fn refuse_another_python(
    lock: &Path,
    wanted: &str,
    range: Option<Range>,
    (target, runtime): (&Target, &str),
    update: &str,
) -> Result<(), BuildError> {
    match range {
        Some(range) if !target.is_in(&range) => {
            let message = format!("cannot use `{}` for `{runtime}`: it was made for Python {wanted}", lock.display());
            Err(BuildError::new(message)
                .at(&["runtime"])
                .hint("set `runtime` to such a version")
                .hint(format!("or allow this one in the project, and update the lock: `{update}`")))
        }
        _ => Ok(()),
    }
}
