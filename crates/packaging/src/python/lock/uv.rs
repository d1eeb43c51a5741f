//! `uv.lock`: the packages of one project in it, without development dependencies.
//!
//! uv itself exports them if it is installed; otherwise they are read here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use toml::{Table, Value};

use super::graph::{self, Graph, Locked, Need, Packages};
use crate::address;
use crate::error::BuildError;
use crate::python::dependency::Dependency;
use crate::python::messages;
use crate::python::project::Project;
use crate::python::pylock::{self, Pylock};
use crate::python::range::Range;
use crate::python::requirement::{Requirement, normalised};
use crate::python::sources::{self, Source};
use crate::python::target::Target;
use crate::tool::{self, failed};

const UPDATE: &str = "uv lock";

/// A lock, and the project in it that is deployed.
pub(in crate::python) struct UvLock<'a> {
    lock: &'a Path,
    project: &'a Project,
    table: Table,
}

impl<'a> UvLock<'a> {
    /// # Errors
    /// When it cannot be read, or does not match the project or the Python.
    pub(in crate::python) fn read(
        lock: &'a Path,
        project: &'a Project,
        target: &Target,
        runtime: &str,
    ) -> Result<UvLock<'a>, BuildError> {
        let found = UvLock { lock, project, table: tool::read_table(lock)? };
        let locked = found.table.get("requires-python").and_then(Value::as_str);
        for python in
            [locked, project.at(&["project", "requires-python"]).and_then(Value::as_str)].into_iter().flatten()
        {
            graph::refuse_another_python(lock, python, Range::of_specifiers(python), (target, runtime), UPDATE)?;
        }
        found.refuse_stale(target)?;
        Ok(found)
    }

    /// The entry of the project itself.
    fn own(&self) -> Result<&Table, BuildError> {
        let name = self.project.name().unwrap_or_default();
        let is_own = |entry: &&Table| {
            let here = self.directory(entry).is_some_and(|path| tool::is_same(&path, &self.project.directory));
            here && text(entry, "name").is_some_and(|found| normalised(found) == name)
        };
        entries(&self.table).find(is_own).ok_or_else(|| {
            let error = graph::stale(self.lock, &self.project.file, UPDATE);
            error.because(format!("it does not have the project `{name}` of `{}`", self.project.file.display()))
        })
    }

    /// The directory that an entry is built from.
    fn directory(&self, entry: &Table) -> Option<PathBuf> {
        let source = entry.get("source")?.as_table()?;
        let path = ["editable", "virtual", "directory"].into_iter().find_map(|key| text(source, key))?;
        Some(tool::around(self.lock).join(path))
    }

    /// uv remembers what it locked for: the requirements of the project, and overrides and constraints of the workspace.
    fn refuse_stale(&self, target: &Target) -> Result<(), BuildError> {
        if self.project.is_dynamic() {
            return self.own().map(|_| ());
        }
        let metadata = self.own()?.get("metadata").and_then(Value::as_table);
        let locked = |key: &str, table: Option<&Table>| {
            let items = table.and_then(|table| table.get(key)?.as_array()).into_iter().flatten();
            items.filter_map(Value::as_table).filter_map(|entry| Required::of_lock(entry, target)).collect::<Vec<_>>()
        };
        if metadata.is_none() && self.own()?.contains_key("dependencies") {
            // Older versions of uv did not remember it.
            return Ok(());
        }
        let declared = self.project.dependencies();
        let declared: Vec<Required> = declared.iter().filter_map(|text| Required::parse(text, target)).collect();
        self.compare(&declared, &locked("requires-dist", metadata), |name| self.project.place_of_dependency(name))?;
        let root = Project::of(&tool::around(self.lock))?;
        let Some(root) = root.as_ref().filter(|root| !root.directory.join("uv.toml").is_file()) else { return Ok(()) };
        let manifest = self.table.get("manifest").and_then(Value::as_table);
        for (key, of_lock) in [("override-dependencies", "overrides"), ("constraint-dependencies", "constraints")] {
            let declared = root.strings(&["tool", "uv", key]);
            let declared: Vec<Required> = declared.iter().filter_map(|text| Required::parse(text, target)).collect();
            self.compare(&declared, &locked(of_lock, manifest), |_| root.place(&["tool", "uv", key]))?;
        }
        Ok(())
    }

    fn compare(
        &self,
        declared: &[Required],
        locked: &[Required],
        place: impl Fn(&str) -> String,
    ) -> Result<(), BuildError> {
        let stale = |cause: String| Err(graph::stale(self.lock, &self.project.file, UPDATE).because(cause));
        if let Some(new) = declared.iter().find(|required| !locked.contains(required)) {
            let known = locked.iter().find(|known| known.name == new.name);
            let known =
                known.map_or("it was locked without it".to_owned(), |known| format!("it was locked for `{known}`"));
            return stale(format!("`{}` has `{new}`, but {known}", place(&new.name)));
        }
        match locked.iter().find(|required| !declared.contains(required)) {
            Some(old) => stale(format!("it was locked for `{old}`, which the project no longer requires")),
            None => Ok(()),
        }
    }

    /// The locked packages, by uv.
    ///
    /// # Errors
    /// When uv cannot read the lock.
    pub(in crate::python) async fn export(&self, uv: &Path) -> Result<Pylock, BuildError> {
        let (message, directory) = (format!("cannot read `{}`", self.lock.display()), tool::around(self.lock));
        let mut command = Command::new(uv);
        command.args(["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-editable"]);
        // From the directory of a member, uv may look for another lock.
        self.project.name().into_iter().for_each(|name| _ = command.args(["--package", &name]));
        command.args(["--format", "pylock.toml"]).current_dir(&directory);
        let text =
            tool::output("uv", command).await.map_err(|said| messages::of_old_uv(failed(message, &said), &said))?;
        Pylock::parse(&text, &directory)
    }

    /// The same without uv.
    ///
    /// # Errors
    /// When a package has a source that pip does not support.
    pub(in crate::python) fn packages(&self, target: &Target) -> Result<Vec<Dependency>, BuildError> {
        let mut packages = Packages::new();
        for entry in entries(&self.table) {
            let Some(name) = text(entry, "name").map(normalised) else { continue };
            let locked = self.locked(&name, entry)?;
            packages.entry(name).or_default().push(locked);
        }
        let own = self.own()?;
        let name = self.project.name().unwrap_or_default();
        let roots = needs(own.get("dependencies"), &name, "");
        let project = self.project.file.clone();
        let graph = Graph { lock: self.lock, project, packages, target, update: UPDATE, unlocked: &[] };
        Ok(graph.needed(roots)?.into_iter().filter(|package| package.name != name).collect())
    }

    fn locked(&self, name: &str, entry: &Table) -> Result<Locked, BuildError> {
        let version = text(entry, "version").unwrap_or("0").to_owned();
        let by = format!("{name} {version}");
        let mut all = needs(entry.get("dependencies"), &by, "");
        let extras = entry.get("optional-dependencies").and_then(Value::as_table).into_iter().flatten();
        for (extra, listed) in extras {
            all.extend(needs(Some(listed), &by, &format!("extra == '{}'", normalised(extra))));
        }
        let markers = entry.get("resolution-markers").and_then(Value::as_array).into_iter().flatten();
        let markers: Vec<String> = markers.filter_map(Value::as_str).map(|marker| format!("({marker})")).collect();
        let source = entry.get("source").and_then(Value::as_table);
        Ok(Locked {
            version,
            condition: markers.join(" or "),
            needs: all,
            extras: None,
            hashes: hashes(entry),
            source: self.source(name, entry)?,
            is_package: source.is_none_or(|source| !source.contains_key("virtual")),
        })
    }

    fn source(&self, name: &str, entry: &Table) -> Result<Source, BuildError> {
        let Some(source) = entry.get("source").and_then(Value::as_table) else { return Ok(Source::Default) };
        if let Some(directory) = self.directory(entry) {
            return Ok(Source::Directory(directory));
        }
        let subdirectory = || text(source, "subdirectory").map(str::to_owned);
        if let Some(git) = text(source, "git") {
            return Ok(of_git(git));
        }
        if let Some(address) = text(source, "url") {
            return Ok(Source::Archive { address: address.to_owned(), subdirectory: subdirectory() });
        }
        if let Some(path) = text(source, "path") {
            return Ok(sources::of_path(tool::around(self.lock).join(path)));
        }
        match text(source, "registry") {
            Some(index) if address::is_public(index) => Ok(Source::Default),
            Some(index) if index.contains("://") => {
                Ok(Source::Index { name: String::new(), address: Some(index.to_owned()) })
            }
            // The file itself is in the lock.
            Some(_) => self.local_wheel(entry).ok_or_else(|| self.only_uv(name, "a local directory of wheels")),
            None => Err(self.only_uv(name, "a source of a new kind")),
        }
    }

    /// The wheel in a local directory, if there is only one.
    fn local_wheel(&self, entry: &Table) -> Option<Source> {
        let registry = text(entry.get("source")?.as_table()?, "registry")?;
        match entry.get("wheels")?.as_array()?.as_slice() {
            [wheel] => {
                let path = wheel.get("path")?.as_str()?;
                Some(Source::File(tool::around(self.lock).join(registry).join(path)))
            }
            _ => None,
        }
    }

    fn only_uv(&self, name: &str, what: &str) -> BuildError {
        BuildError::new(format!("cannot install `{name}` of `{}` without uv", self.lock.display()))
            .because(format!("it comes from {what}"))
            .hint("install uv: https://docs.astral.sh/uv/")
            .hint(format!(
                "or export a list on a machine that has uv, and set `dependencies = \"requirements.txt\"`: `{}`",
                messages::UV_EXPORT
            ))
    }
}

/// A requirement, as far as a change of it makes a lock stale.
#[derive(Debug)]
struct Required {
    name: String,
    extras: Vec<String>,
    /// In order; `None` if a path or URL counts instead.
    specifiers: Option<Vec<String>>,
    /// Whether it applies to the function.
    applies: bool,
}

impl Required {
    fn parse(text: &str, target: &Target) -> Option<Required> {
        let found = Requirement::parse(text)?;
        Some(Required {
            name: found.name,
            extras: sorted(graph::list_of_extras(&found.extras)),
            specifiers: found.place.is_none().then(|| specifiers(&found.specifier)),
            applies: target.holds(&found.condition, [])?,
        })
    }

    /// One that uv remembered; `None` for one of an extra.
    fn of_lock(entry: &Table, target: &Target) -> Option<Required> {
        let marker = text(entry, "marker").unwrap_or_default();
        if marker.contains("extra ==") {
            return None;
        }
        let extras = entry.get("extras").and_then(Value::as_array).into_iter().flatten();
        let has_place =
            ["git", "url", "path", "directory", "editable", "virtual"].iter().any(|key| entry.contains_key(*key));
        Some(Required {
            name: normalised(text(entry, "name")?),
            extras: sorted(extras.filter_map(Value::as_str).map(normalised).collect()),
            specifiers: (!has_place).then(|| specifiers(text(entry, "specifier").unwrap_or_default())),
            applies: target.holds(marker, [])?,
        })
    }
}

impl PartialEq for Required {
    /// A version does not matter for a package from a path or URL.
    fn eq(&self, other: &Required) -> bool {
        let is_same = |(one, other): (&Vec<String>, &Vec<String>)| one == other;
        let specifiers = self.specifiers.as_ref().zip(other.specifiers.as_ref()).is_none_or(is_same);
        specifiers && self.name == other.name && self.extras == other.extras && self.applies == other.applies
    }
}

impl std::fmt::Display for Required {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extras = if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras.join(",")) };
        write!(formatter, "{}{extras}{}", self.name, self.specifiers.as_deref().unwrap_or_default().join(","))
    }
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list
}

/// The bounds of a specifier; `*` is none.
fn specifiers(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches('(').trim_end_matches(')');
    let bounds = text.split(',').map(|bound| bound.split_whitespace().collect::<String>());
    sorted(bounds.filter(|bound| !bound.is_empty() && bound != "*").collect())
}

/// `https://host/x?rev=main&subdirectory=a#COMMIT`.
fn of_git(address: &str) -> Source {
    let (address, commit) = address.split_once('#').unwrap_or((address, ""));
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let values: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let decoded = |text: &&str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Source::Git {
        address: address.to_owned(),
        revision: Some(commit.to_owned()).filter(|commit| !commit.is_empty()),
        subdirectory: values.get("subdirectory").map(decoded),
    }
}

/// A list of requirements with an additional condition. One names its version only if there are several.
fn needs(listed: Option<&Value>, by: &str, condition: &str) -> Vec<Need> {
    let items = listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table);
    let need = |entry: &Table| {
        let name = normalised(text(entry, "name")?);
        let marker = text(entry, "marker").unwrap_or_default();
        let condition = match (marker, condition) {
            ("", other) | (other, "") => other.to_owned(),
            (one, other) => format!("({one}) and ({other})"),
        };
        let extras = entry.get("extra").and_then(Value::as_array).into_iter().flatten();
        let version = text(entry, "version").map(|version| format!("==={version}")).unwrap_or_default();
        Some(Need {
            extras: extras.filter_map(Value::as_str).map(normalised).collect(),
            range: Range::of_specifiers(&version)?,
            text: format!("{name}{version}"),
            name,
            condition,
            place: by.to_owned(),
        })
    };
    items.filter_map(need).collect()
}

fn hashes(entry: &Table) -> Vec<(String, String)> {
    let wheels = entry.get("wheels").and_then(Value::as_array).into_iter().flatten();
    let hash = |file: &Value| Some((pylock::file_of(file)?, file.get("hash")?.as_str()?.to_owned()));
    wheels.chain(entry.get("sdist")).filter_map(hash).collect()
}

fn entries(table: &Table) -> impl Iterator<Item = &Table> {
    table.get("package").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Value::as_str)
}
