//! Sources that a project declares in files of other tools, which uv and pip ignore.
//!
//! Anyone can upload a package with the name of a private one to a public index (dependency confusion). A package that
//! Poetry, PDM, Pipenv or another lock gets from a directory, a repository or its own index is therefore never installed
//! from the default index.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::project::{self, Project};
use super::requirement::{Requirement, normalised};
use super::sources::{Declaration, Declarations, Source};
use crate::error::BuildError;
use crate::{address, tool};

/// A source declared for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignSource {
    /// Normalized by PEP 503; `None` for all packages.
    pub name: Option<String>,
    /// Such as ``the directory `../six` ``.
    pub what: String,
    /// The URL, if it is an index.
    pub index: Option<String>,
    /// `FILE:LINE`.
    pub place: String,
    pub cure: String,
}

impl ForeignSource {
    pub(super) fn refusal(&self, name: &str, list: &Path) -> BuildError {
        let (what, place) = (&self.what, &self.place);
        let message = format!("cannot install `{name}` of `{}` from the default index", list.display());
        let error = BuildError::new(message).because(format!("`{place}` declares that it comes from {what}"));
        error.hint(self.cure.clone()).hint(format!(
            "or give its location in a `requirements.txt`: `{name} @ https://…`, `{name} @ git+https://…`, `{name} @ file:…`"
        ))
    }
}

pub(super) const PROJECT: &str =
    "use the project instead: `dependencies = \"pyproject.toml\"`, which uses its `uv.lock` if there is one";
const PDM: &str = "export a list with hashes: `pdm export --output requirements.txt`";
const RYE: &str = "set the index in the list of requirements: `--index-url https://…`";
const PIPENV: &str = "export a list with hashes: `pipenv requirements --hash > requirements.txt`";
const POETRY: &str = "lock the project: `poetry lock`";

/// All sources in a directory's files, except uv's own tables.
///
/// # Errors
/// When a lock cannot be read.
pub(super) fn in_directory(directory: &Path, project: Option<&Project>) -> Result<Vec<ForeignSource>, BuildError> {
    let mut found = Vec::new();
    if let Some(project) = project {
        found.extend(of_poetry(project));
        found.extend(of_pdm(project));
        found.extend(of_rye(project));
    }
    found.extend(of_pdm_lock(directory)?);
    found.extend(of_pylock(directory)?);
    found.extend(of_pipenv(directory)?);
    found.extend(of_pipfile(directory)?);
    Ok(found)
}

/// The sources of uv's tables, for a list that they do not apply to.
pub(super) fn of_uv(declarations: &Declarations) -> Vec<ForeignSource> {
    let of = |(name, entries): (&String, &Vec<Declaration>)| {
        let entry = entries.first()?;
        let index = match &entry.source {
            Source::Index { address, .. } => address.clone(),
            _ => None,
        };
        let (what, place, cure) = (entry.source.shown(), entry.place.clone(), PROJECT.to_owned());
        Some(ForeignSource { name: Some(name.clone()), what, index, place, cure })
    };
    declarations.iter().filter_map(of).collect()
}

/// `path`, `git`, `url` and `source` of Poetry's dependencies, and its indexes for all packages.
pub(super) fn of_poetry(project: &Project) -> Vec<ForeignSource> {
    let mut found = Vec::new();
    for (name, value) in project.table_at(&["tool", "poetry", "dependencies"]).into_iter().flatten() {
        let one = std::slice::from_ref(value);
        for entry in value.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_table) {
            let Some((what, index)) = place_in(entry, &["path", "git", "url", "file"], "source") else { continue };
            let place = project.place(&["tool", "poetry", "dependencies", &normalised(name)]);
            found.push(ForeignSource { name: Some(normalised(name)), what, index, place, cure: POETRY.to_owned() });
        }
    }
    let place = project.place(&["tool", "poetry", "source"]);
    let is_explicit = |source: &Table| source.get("priority").and_then(Value::as_str) == Some("explicit");
    let sources = tables(project.at(&["tool", "poetry", "source"])).filter(|source| !is_explicit(source));
    found.extend(sources.filter_map(|source| of_index(source, &place, POETRY)));
    found
}

/// The indexes that a local directory's project declares: its built package does not mention them.
pub(super) fn of_dependency(project: &Project) -> Vec<ForeignSource> {
    let listed = without_place(&project.dependencies());
    let of_table = project.table_at(&["tool", "poetry", "dependencies"]).into_iter().flatten();
    let names: Vec<String> = listed.into_iter().chain(of_table.map(|(name, _)| normalised(name))).collect();
    let all = of_poetry(project)
        .into_iter()
        .chain(of_pdm(project))
        .chain(of_rye(project))
        .filter(|entry| entry.index.is_some());
    let each = |entry: ForeignSource| -> Vec<ForeignSource> {
        match &entry.name {
            Some(_) => vec![entry],
            None => names.iter().map(|name| ForeignSource { name: Some(name.clone()), ..entry.clone() }).collect(),
        }
    };
    all.flat_map(each).collect()
}

fn of_pdm(project: &Project) -> Vec<ForeignSource> {
    let place = project.place(&["tool", "pdm", "source"]);
    tables(project.at(&["tool", "pdm", "source"])).filter_map(|source| of_index(source, &place, PDM)).collect()
}

fn of_rye(project: &Project) -> Vec<ForeignSource> {
    let place = project.place(&["tool", "rye", "sources"]);
    tables(project.at(&["tool", "rye", "sources"])).filter_map(|source| of_index(source, &place, RYE)).collect()
}

/// An index for all packages, unless it is the public one.
fn of_index(source: &Table, place: &str, cure: &str) -> Option<ForeignSource> {
    let text = |key| source.get(key).and_then(Value::as_str);
    let address = text("url")?;
    if address::is_public(address) {
        return None;
    }
    let shown = Source::Index { name: text("name").unwrap_or_default().to_owned(), address: Some(address.to_owned()) };
    let (what, index, place) = (shown.shown(), Some(address.to_owned()), place.to_owned());
    Some(ForeignSource { name: None, what, index, place, cure: cure.to_owned() })
}

/// The path or URL of an entry, or its index.
fn place_in(entry: &Table, places: &[&str], index: &str) -> Option<(String, Option<String>)> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let plain = |text: &str| address::without_credentials(text).into_owned();
    if let Some((key, text)) = places.iter().find_map(|key| Some((key, text(key)?))) {
        return Some((format!("`{key} = \"{}\"`", plain(text)), None));
    }
    let name = text(index)?;
    // Poetry's name of the public index.
    (!name.eq_ignore_ascii_case("pypi")).then(|| (format!("the index `{name}`"), Some(name.to_owned())))
}

fn of_pdm_lock(directory: &Path) -> Result<Vec<ForeignSource>, BuildError> {
    let Some((file, text, lock)) = lock(directory, "pdm.lock")? else { return Ok(Vec::new()) };
    let place = project::place(&file, &text, &["package"]);
    let of = |package: &Table| {
        let (what, index) = place_in(package, &["path", "git", "url"], "index")?;
        let name = package.get("name").and_then(Value::as_str).map(normalised)?;
        let (place, cure) = (place_of(&file, &text, &name).unwrap_or(place.clone()), PDM.to_owned());
        Some(ForeignSource { name: Some(name), what, index, place, cure })
    };
    Ok(tables(lock.get("package")).filter_map(of).collect())
}

fn of_pylock(directory: &Path) -> Result<Vec<ForeignSource>, BuildError> {
    let Some((file, text, lock)) = lock(directory, "pylock.toml")? else { return Ok(Vec::new()) };
    let of = |package: &Table| {
        let name = package.get("name").and_then(Value::as_str).map(normalised)?;
        let local = ["directory", "vcs", "archive"].into_iter().find_map(|kind| {
            let entry = package.get(kind)?.as_table()?;
            let place = ["path", "url"].into_iter().find_map(|key| entry.get(key)?.as_str()).unwrap_or_default();
            Some((format!("{kind} `{}`", address::without_credentials(place)), None))
        });
        let index = package.get("index").and_then(Value::as_str).filter(|index| !address::is_public(index));
        let of_index =
            |index: &str| (format!("the index `{}`", address::without_credentials(index)), Some(index.to_owned()));
        let (what, index) = local.or_else(|| index.map(of_index))?;
        let place = place_of(&file, &text, &name).unwrap_or_else(|| file.display().to_string());
        let cure = "lock with `uv lock` or `poetry lock`, or list the packages with their hashes".to_owned();
        Some(ForeignSource { name: Some(name), what, index, place, cure })
    };
    Ok(tables(lock.get("packages")).filter_map(of).collect())
}

fn of_pipenv(directory: &Path) -> Result<Vec<ForeignSource>, BuildError> {
    let file = directory.join("Pipfile.lock");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = tool::text(&file)?;
    let lock: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| BuildError::new(format!("cannot read `{}`", file.display())).because(error))?;
    let sources = lock["_meta"]["sources"].as_array().cloned().unwrap_or_default();
    let index = |name: &str| {
        let source = sources.iter().find(|source| source["name"] == name)?;
        source["url"].as_str().filter(|address| !address::is_public(address)).map(str::to_owned)
    };
    let mut found = Vec::new();
    for (name, package) in lock["default"].as_object().into_iter().flatten() {
        let text_of = |key: &str| package[key].as_str();
        let local = ["path", "git", "file"].into_iter().find_map(|key| Some((key, text_of(key)?)));
        let place_of =
            |(key, text): (&str, &str)| (format!("`\"{key}\": \"{}\"`", address::without_credentials(text)), None);
        let of_index = |name: &str| Some((format!("the index `{name}`"), Some(index(name)?)));
        // Pipenv's default is its first source.
        let source = text_of("index").or_else(|| sources.first()?["name"].as_str());
        let Some((what, index)) = local.map(place_of).or_else(|| source.and_then(of_index)) else { continue };
        let line = text.lines().position(|line| line.contains(&format!("\"{name}\":")));
        let place = line.map_or(file.display().to_string(), |line| format!("{}:{}", file.display(), line + 1));
        let cure = PIPENV.to_owned();
        found.push(ForeignSource { name: Some(normalised(name)), what, index, place, cure });
    }
    Ok(found)
}

/// The sources of `[packages]`, and the first `[[source]]`, which is the default for all others.
fn of_pipfile(directory: &Path) -> Result<Vec<ForeignSource>, BuildError> {
    let Some((file, text, pipfile)) = lock(directory, "Pipfile")? else { return Ok(Vec::new()) };
    let sources: Vec<&Table> = tables(pipfile.get("source")).collect();
    let of_source = |name: &str| {
        let named = sources.iter().find(|source| source.get("name").and_then(Value::as_str) == Some(name));
        named.and_then(|source| source.get("url")?.as_str()).unwrap_or(name).to_owned()
    };
    let mut found = Vec::new();
    for (name, value) in pipfile.get("packages").and_then(Value::as_table).into_iter().flatten() {
        let Some(entry) = value.as_table() else { continue };
        let index = entry.get("index").and_then(Value::as_str).map(|name| (name, of_source(name)));
        let index = index.filter(|(_, address)| !address::is_public(address));
        let of_index = |(name, address): (&str, String)| {
            (format!("the index `{}`", address::without_credentials(name)), Some(address))
        };
        let local = place_in(entry, &["path", "git", "file", "hg", "svn", "bzr"], "");
        let Some((what, index)) = local.or_else(|| index.map(of_index)) else { continue };
        let place = project::place(&file, &text, &["packages", &normalised(name)]);
        found.push(ForeignSource { name: Some(normalised(name)), what, index, place, cure: PIPENV.to_owned() });
    }
    let asks_all = pipfile.get("pipenv").and_then(|it| it.get("install_search_all_sources")?.as_bool()) == Some(true);
    let asked = if asks_all { &sources[..] } else { &sources[..sources.len().min(1)] };
    let place = project::place(&file, &text, &["source"]);
    found.extend(asked.iter().filter_map(|source| of_index(source, &place, PIPENV)));
    Ok(found)
}

fn lock(directory: &Path, name: &str) -> Result<Option<(PathBuf, String, Table)>, BuildError> {
    let file = directory.join(name);
    if !file.is_file() {
        return Ok(None);
    }
    let text = tool::text(&file)?;
    let table = tool::table(&file, &text)?;
    Ok(Some((file, text, table)))
}

/// The line of a `name = "…"` in a lock.
fn place_of(file: &Path, text: &str, name: &str) -> Option<String> {
    let is_name = |line: &str| {
        let value = line.trim().strip_prefix("name").and_then(|rest| rest.trim_start().strip_prefix('='));
        value.is_some_and(|value| normalised(value.trim().trim_matches(['"', '\''])) == name)
    };
    let line = text.lines().position(is_name)?;
    Some(format!("{}:{}", file.display(), line + 1))
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

/// Refuses the first of these packages that has a declared source. Each comes with the place where it is required;
/// `index` is the only index that they are installed from, if known.
///
/// # Errors
/// With the package, and where it is declared.
pub(super) fn refuse_from_default<'a>(
    packages: impl IntoIterator<Item = (&'a str, &'a Path)>,
    elsewhere: &[ForeignSource],
    index: Option<&str>,
) -> Result<(), BuildError> {
    for (name, place) in packages {
        let is_meant = |entry: &&ForeignSource| entry.name.as_deref().is_none_or(|meant| meant == name);
        // A package's own entry takes precedence over one for all packages.
        let meant = elsewhere.iter().filter(is_meant).min_by_key(|entry| entry.name.is_none());
        let Some(entry) = meant else { continue };
        let is_asked = |wanted: &String| index.is_some_and(|index| address::is_same(index, wanted));
        if !entry.index.as_ref().is_some_and(is_asked) {
            return Err(entry.refusal(name, place));
        }
    }
    Ok(())
}

/// Refuses packages from an index although the project of a local directory declares another one for them.
///
/// # Errors
/// With the package, and where it is declared.
pub(super) fn refuse_lost_sources(
    directories: &[PathBuf],
    from_indexes: &[String],
    list: &Path,
) -> Result<(), BuildError> {
    for directory in directories {
        let Some(project) = Project::of(directory)? else { continue };
        let names = from_indexes.iter().map(|name| (&**name, list));
        refuse_from_default(names, &of_dependency(&project), None)?;
    }
    Ok(())
}

/// The names of the requirements without a URL.
pub(super) fn without_place(requirements: &[String]) -> Vec<String> {
    let parsed = requirements.iter().filter_map(|text| Requirement::parse(text));
    parsed.filter(|found| found.place.is_none()).map(|found| found.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_pipenv_or_rye_is_not_the_default_one() {
        let public = format!("https://{}/simple", address::PUBLIC[0].join("."));
        let found = |name: &str, text: &str| {
            let place = tempfile::tempdir().unwrap();
            std::fs::write(place.path().join(name), text.replace("{PUBLIC}", &public)).unwrap();
            let project = Project::of(place.path()).unwrap();
            let all = in_directory(place.path(), project.as_ref()).unwrap();
            let shown = |entry: ForeignSource| {
                let line = entry.place.rsplit(':').next().unwrap().to_owned();
                format!("{} {} {line}", entry.name.unwrap_or("*".into()), entry.index.unwrap_or(entry.what))
            };
            all.into_iter().map(shown).collect::<Vec<_>>()
        };
        let sources = "[[source]]\nname = 'pypi'\nurl = '{PUBLIC}'\n[[source]]\nname = 'priv'\nurl = 'http://corp'\n";
        let packages = "[packages]\nleaf = '*'\nA = {index = 'pypi'}\nCorp = {version = '*', index = 'priv'}\nlocal = {path = './x'}\n";
        assert_eq!(
            found("Pipfile", &format!("{sources}{packages}")),
            ["corp http://corp 10", "local `path = \"./x\"` 11"]
        );
        let first = "[[source]]\nname = 'pypi'\nurl = 'http://corp'\n[packages]\nleaf = {index = 'pypi'}\n";
        assert_eq!(found("Pipfile", first), ["leaf http://corp 5", "* http://corp 1"]);
        let all = format!("{sources}[pipenv]\ninstall_search_all_sources = true\n");
        assert_eq!(found("Pipfile", &all), ["* http://corp 1"]);
        let lock = |source: &str| {
            format!(
                "{{\"_meta\": {{\"sources\": [{{\"name\": \"a\", \"url\": \"{source}\"}}]}},\n\"default\": {{\"leaf\": {{}}}}}}"
            )
        };
        assert_eq!(found("Pipfile.lock", &lock("http://corp")), ["leaf http://corp 2"]);
        assert_eq!(found("Pipfile.lock", &lock("{PUBLIC}")), Vec::<String>::new());
        let rye = "[project]\nname = 'x'\n[[tool.rye.sources]]\nname = 'default'\nurl = 'http://corp'\n";
        assert_eq!(found("pyproject.toml", rye), ["* http://corp 3"]);
        assert_eq!(found("pyproject.toml", &rye.replace("http://corp", "{PUBLIC}")), Vec::<String>::new());
    }
}
