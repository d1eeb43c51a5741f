//! The packages of a `poetry.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

use super::dependency::Dependency;
use super::foreign_sources::{self, ForeignSource};
use super::project::{self, Project};
use super::requirement::{Requirement, normalised};
use super::sources::Source;
use crate::error::BuildError;
use crate::tool;

/// One package of a lock file.
struct Entry<'a> {
    version: &'a str,
    table: &'a Table,
}

/// The packages that are needed, each with the markers under which it is. An empty marker is always true.
type Needed = BTreeMap<String, BTreeSet<String>>;

/// The entries of each package: several if the version depends on markers.
type Entries<'a> = BTreeMap<String, Vec<Entry<'a>>>;

/// The locked packages that the project needs at run time, with their hashes and sources: the closure of its main
/// dependencies, because older locks do not record the group of a package.
///
/// # Errors
/// When a file cannot be read, or the lock does not match the project.
pub fn packages(lock: &Path) -> Result<Vec<Dependency>, BuildError> {
    let directory = tool::around(lock);
    let missing = || BuildError::new(format!("cannot read `{}`", directory.join(project::FILE).display()));
    let project = Project::of(&directory)?.ok_or_else(|| missing().because("there is no such file"))?;
    let locked = tool::read_table(lock)?;
    let mut entries = Entries::new();
    for package in locked.get("package").and_then(Value::as_array).into_iter().flatten() {
        let text = |key| package.get(key).and_then(Value::as_str);
        if let (Some(table), Some(name), Some(version)) = (package.as_table(), text("name"), text("version")) {
            entries.entry(normalised(name)).or_default().push(Entry { version, table });
        }
    }
    let declared = foreign_sources::of_poetry(&project);
    let mut packages = Vec::new();
    for (name, conditions) in needed(&project.table, &entries) {
        let entries = entries.get(&name).map(Vec::as_slice).unwrap_or_default();
        refuse_another_source(&name, entries, &declared, lock)?;
        for entry in entries {
            let own = own_condition(entry.table.get("markers"));
            if own.is_empty() && entries.len() > 1 {
                let error = BuildError::new(format!(
                    "cannot install `{name}` of `{}`: it is locked in several versions, and no markers tell them apart",
                    lock.display()
                ));
                return Err(error.hint("lock with Poetry 2, which records the markers: `poetry lock`"));
            }
            packages.push(package(lock, &name, entry, &conditions, &own)?);
        }
    }
    Ok(packages)
}

/// A lock that is older than a source in the project would install the package of that name from the default index.
fn refuse_another_source(
    name: &str,
    entries: &[Entry<'_>],
    declared: &[ForeignSource],
    lock: &Path,
) -> Result<(), BuildError> {
    let is_from_default = |entry: &Entry<'_>| entry.table.get("source").is_none();
    let meant = declared.iter().find(|entry| entry.name.as_deref() == Some(name));
    match meant {
        Some(meant) if !entries.is_empty() && entries.iter().all(is_from_default) => Err(meant.refusal(name, lock)),
        _ => Ok(()),
    }
}

/// The source of a package by the lock; paths are relative to the lock.
fn source(lock: &Path, name: &str, entry: &Entry<'_>) -> Result<Source, BuildError> {
    let Some(source) = entry.table.get("source") else { return Ok(Source::Default) };
    let text = |key| source.get(key).and_then(Value::as_str).map(str::to_owned);
    let (address, subdirectory) = (text("url").unwrap_or_default(), text("subdirectory"));
    let here = || tool::around(lock).join(&address);
    match text("type").as_deref() {
        Some("legacy") => Ok(Source::Index { name: text("reference").unwrap_or_default(), address: Some(address) }),
        Some("directory") => Ok(Source::Directory(here())),
        Some("file") => Ok(Source::File(here())),
        Some("url") => Ok(Source::Archive { address, subdirectory }),
        Some("git") => {
            let revision = text("resolved_reference").or_else(|| text("reference"));
            Ok(Source::Git { address, revision, subdirectory })
        }
        kind => {
            let kind = kind.unwrap_or("source without a type");
            let error =
                BuildError::new(format!("cannot install `{name}` of `{}`: it comes from a {kind}", lock.display()));
            Err(error.hint("build its wheel and publish it to an index, or put it into the directory"))
        }
    }
}

/// The lock's own marker: one for the package, or one for each group.
fn own_condition(markers: Option<&Value>) -> String {
    match markers {
        Some(Value::String(markers)) => markers.clone(),
        Some(Value::Table(groups)) => groups.get("main").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

/// Refuses a project whose dependencies are unknown without a lock, or without building it.
///
/// # Errors
/// With what to do instead.
pub fn refuse_unlisted(project: &Project) -> Result<(), BuildError> {
    let file = project.file.display();
    if project.strings(&["project", "dynamic"]).iter().any(|field| field == "dependencies") {
        let error = BuildError::new(format!(
            "cannot install the dependencies in `{file}`: `dependencies` is `dynamic`, so only a build of the project knows them"
        ));
        return Err(error.hint("set the file that lists them, such as `dependencies = \"requirements.txt\"`"));
    }
    let is_listed = |table: &Table| table.keys().any(|name| name != "python");
    if project.dependencies().is_empty() && poetry_table(&project.table).is_some_and(is_listed) {
        let error = BuildError::new(format!("cannot install the dependencies in `{file}` without a lock"));
        return Err(error.hint("run `poetry lock`"));
    }
    Ok(())
}

fn needed(project: &Table, packages: &Entries<'_>) -> Needed {
    let mut needed = Needed::new();
    let mut open: Vec<(String, String)> = Vec::new();
    for requirement in project
        .get("project")
        .and_then(|table| table.get("dependencies"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(text) = requirement.as_str() else { continue };
        open.extend(Requirement::parse(text).map(|found| (found.name, found.condition)));
    }
    for (name, value) in poetry_table(project).into_iter().flatten() {
        let optional = value.get("optional").and_then(Value::as_bool).unwrap_or(false);
        if name != "python" && !optional {
            open.push((normalised(name), condition(value)));
        }
    }
    while let Some((name, condition)) = open.pop() {
        let known = needed.contains_key(&name);
        needed.entry(name.clone()).or_default().insert(condition.clone());
        let entries = packages.get(&name).filter(|_| !known).into_iter().flatten();
        let dependencies = entries.filter_map(|package| package.table.get("dependencies")?.as_table());
        for (dependency, value) in dependencies.flatten() {
            // An extra's dependencies are locked only if the extra is used.
            let own = condition_without_extra(value);
            open.push((normalised(dependency), own));
        }
    }
    needed
}

fn package(
    lock: &Path,
    name: &str,
    entry: &Entry<'_>,
    conditions: &BTreeSet<String>,
    own: &str,
) -> Result<Dependency, BuildError> {
    let asked = if conditions.contains("") { Vec::new() } else { conditions.iter().cloned().collect() };
    let files = entry.table.get("files").and_then(Value::as_array).into_iter().flatten();
    let hash = |file: &Value| {
        let text = |key| file.get(key).and_then(Value::as_str).map(str::to_owned);
        Some((text("file")?, text("hash")?))
    };
    Ok(Dependency {
        name: name.to_owned(),
        extras: String::new(),
        specifier: format!("=={}", entry.version),
        condition: all_of([any_of(asked), own.to_owned()]),
        hashes: files.filter_map(hash).collect(),
        source: source(lock, name, entry)?,
        place: lock.display().to_string(),
    })
}

/// The marker of a dependency; several entries are alternatives.
fn condition(value: &Value) -> String {
    if let Value::Array(alternatives) = value {
        let conditions: Vec<String> = alternatives.iter().map(condition).collect();
        return if conditions.iter().any(String::is_empty) { String::new() } else { any_of(conditions) };
    }
    let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let platform = match text("platform") {
        "" => String::new(),
        platform => format!("sys_platform == '{platform}'"),
    };
    all_of([text("markers").to_owned(), versions(text("python")), platform])
}

/// Poetry's range of Python versions, such as `^3.9 || ~3.7`, as a marker.
fn versions(range: &str) -> String {
    let alternatives = range.split("||").flat_map(|part| part.split(" | ")).map(|part| {
        let bounds: Vec<String> = part.split([',', ' ']).filter(|bound| !bound.is_empty()).flat_map(bounds).collect();
        bounds.join(" and ")
    });
    let alternatives: Vec<String> = alternatives.collect();
    if alternatives.iter().any(String::is_empty) { String::new() } else { any_of(alternatives) }
}

/// One bound of a range; the operator directly precedes the version.
fn bounds(bound: &str) -> Vec<String> {
    let at = bound.find(|letter: char| letter.is_ascii_digit() || letter == '*').unwrap_or(bound.len());
    let (operator, version) = bound.split_at(at);
    let compare = |operator: &str, version: &str| format!("python_full_version {operator} '{version}'");
    let parts: Vec<u32> = version.trim_end_matches(".*").split('.').map_while(|part| part.parse().ok()).collect();
    match (operator, &parts[..]) {
        (_, []) => Vec::new(),
        ("^", [major, ..]) => vec![compare(">=", version), compare("<", &(major + 1).to_string())],
        ("~", [major, minor, ..]) => vec![compare(">=", version), compare("<", &format!("{major}.{}", minor + 1))],
        ("" | "=" | "==" | "~", [_] | [_, _]) => vec![compare("==", &format!("{}.*", version.trim_end_matches(".*")))],
        ("" | "=", _) => vec![compare("==", version)],
        (operator, _) => vec![compare(operator, version)],
    }
}

fn any_of(conditions: Vec<String>) -> String {
    match &conditions[..] {
        [one] => one.clone(),
        many => many.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" or "),
    }
}

fn all_of<const N: usize>(conditions: [String; N]) -> String {
    let conditions: Vec<String> = conditions.into_iter().filter(|condition| !condition.is_empty()).collect();
    match &conditions[..] {
        [one] => one.clone(),
        many => many.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" and "),
    }
}

fn condition_without_extra(value: &Value) -> String {
    let condition = condition(value);
    if condition.contains("extra ==") { String::new() } else { condition }
}

fn poetry_table(project: &Table) -> Option<&Table> {
    project.get("tool")?.get("poetry")?.get("dependencies")?.as_table()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "[tool.poetry.dependencies]\npython = \"^3.11\"\nFastAPI = \"^0.110\"\nwin = {version = \"1\", markers = \"sys_platform == 'win32'\"}\n\
                           [tool.poetry.group.dev.dependencies]\npytest = \"*\"\n";
    const LOCK: &str = r#"
[[package]]
name = "fastapi"
version = "0.110.0"
files = [{file = "fastapi-0.110.0-py3-none-any.whl", hash = "sha256:aa"}]
[package.dependencies]
Starlette_Core = ">=0.36"
uvloop = {version = "*", optional = true, markers = "extra == \"all\""}
[[package]]
name = "starlette-core"
version = "0.36.3"
files = []
[[package]]
name = "win"
version = "1.0"
files = []
[[package]]
name = "pytest"
version = "8.0"
files = []
"#;

    fn lines(lock: &str) -> Result<String, BuildError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pyproject.toml"), PROJECT).unwrap();
        std::fs::write(directory.path().join("poetry.lock"), lock).unwrap();
        Ok(packages(&directory.path().join("poetry.lock"))?.iter().map(Dependency::line).collect())
    }

    #[test]
    fn a_lock_gives_what_the_project_needs_and_not_its_development() {
        let expected =
            "fastapi==0.110.0 --hash=sha256:aa\nstarlette-core==0.36.3\nwin==1.0 ; sys_platform == 'win32'\n";
        assert_eq!(lines(LOCK).unwrap(), expected);
    }

    #[test]
    fn a_package_has_the_source_that_the_lock_names() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pyproject.toml"), PROJECT).unwrap();
        let lock = directory.path().join("poetry.lock");
        let found = |source: &str| {
            let new = format!("version = \"0.36.3\"\nsource = {source}");
            std::fs::write(&lock, LOCK.replace("version = \"0.36.3\"", &new)).unwrap();
            packages(&lock)
                .map(|packages| packages.into_iter().find(|found| found.name == "starlette-core").unwrap().source)
        };
        let git = found("{type = 'git', url = 'https://h/x', reference = 'main', resolved_reference = 'abc'}").unwrap();
        assert!(matches!(git, Source::Git { revision: Some(revision), .. } if revision == "abc"));
        let index = found("{type = 'legacy', url = 'https://h/simple', reference = 'corp'}").unwrap();
        assert_eq!(index, Source::Index { name: "corp".into(), address: Some("https://h/simple".into()) });
        let own = found("{type = 'directory', url = '../own'}").unwrap();
        assert_eq!(own, Source::Directory(directory.path().join("../own")));
        assert!(found("{type = 'hg'}").unwrap_err().message.contains("`starlette-core`"));
    }

    #[test]
    fn a_lock_that_is_older_than_a_source_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let project = PROJECT.replace("FastAPI = \"^0.110\"", "FastAPI = {path = \"../own\"}");
        std::fs::write(directory.path().join("pyproject.toml"), project).unwrap();
        std::fs::write(directory.path().join("poetry.lock"), LOCK).unwrap();
        let error = packages(&directory.path().join("poetry.lock")).unwrap_err();
        assert!(error.message.contains("`fastapi`") && error.caused_by[0].contains("pyproject.toml:3"), "{error:?}");
    }

    #[test]
    fn several_versions_of_a_package_go_by_their_conditions() {
        let entry = |version: &str, rest: &str| {
            format!("[[package]]\nname = \"win\"\nversion = \"{version}\"\nfiles = []\n{rest}\n")
        };
        let several = |old: &str, new: &str| lines(&[entry("1.0", old), entry("2.0", new)].concat());
        let expected = "win==1.0 ; (sys_platform == 'win32') and (python_version < '3.12')\n\
                        win==2.0 ; (sys_platform == 'win32') and (python_version >= '3.12')\n";
        let old = "markers = \"python_version < '3.12'\"";
        let new = "markers = {main = \"python_version >= '3.12'\", dev = \"x\"}";
        assert_eq!(several(old, new).unwrap(), expected);
        assert!(several("", "").unwrap_err().message.contains("several versions"));
    }

    #[test]
    fn ranges_and_platforms_are_conditions() {
        let value: Table = "x = {python = '^3.9', platform = 'linux', markers = 'm'}".parse().unwrap();
        let expected =
            "(m) and (python_full_version >= '3.9' and python_full_version < '4') and (sys_platform == 'linux')";
        assert_eq!(condition(&value["x"]), expected);
        assert_eq!(versions("<3.12"), "python_full_version < '3.12'");
        assert_eq!(versions("3.11.*"), "python_full_version == '3.11.*'");
        assert_eq!(versions("~3.7 || >=3.9,<3.13").matches(" or ").count(), 1);
        assert_eq!(versions("*"), "");
    }

    #[test]
    fn what_only_the_build_lists_is_not_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[project]\nname = 'x'\ndynamic = ['version', 'dependencies']\n";
        std::fs::write(directory.path().join("pyproject.toml"), text).unwrap();
        let project = Project::of(directory.path()).unwrap().unwrap();
        assert!(refuse_unlisted(&project).unwrap_err().message.contains("`dynamic`"));
    }
}
