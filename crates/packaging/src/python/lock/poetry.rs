//! `poetry.lock`: the main dependencies of its project.

use std::path::Path;

use toml::{Table, Value};

use super::graph::{self, Graph, Locked, Need, Packages};
use crate::error::BuildError;
use crate::python::dependency::Dependency;
use crate::python::foreign_sources::{self, ForeignSource};
use crate::python::messages::UV_EXPORT;
use crate::python::project::{self, Project};
use crate::python::range::Range;
use crate::python::requirement::normalised;
use crate::python::sources::Source;
use crate::python::target::Target;
use crate::tool;

const UPDATE: &str = "poetry lock";
/// Before version 1.5, Poetry did not lock what comes with an environment.
const UNLOCKED: [&str; 4] = ["setuptools", "pip", "wheel", "distribute"];

/// The packages that the project needs at run time, with their digests and sources.
///
/// # Errors
/// When a file cannot be read, or the lock does not match the project or the Python.
pub(super) fn packages(lock: &Path, target: &Target, runtime: &str) -> Result<Vec<Dependency>, BuildError> {
    let directory = tool::around(lock);
    let missing = || BuildError::new(format!("cannot read `{}`", directory.join(project::FILE).display()));
    let project = Project::of(&directory)?.ok_or_else(|| missing().because("the file does not exist"))?;
    let table = tool::read_table(lock)?;
    let python = table.get("metadata").and_then(|metadata| metadata.get("python-versions")?.as_str());
    let python = python.unwrap_or("*");
    graph::refuse_another_python(lock, python, Range::of_poetry(python), (target, runtime), UPDATE)?;
    let reader = Reader { lock, target, table: &table };
    let packages = reader.packages()?;
    let roots = reader.roots(&project)?;
    let graph = Graph { lock, project: project.file.clone(), packages, target, update: UPDATE, unlocked: &UNLOCKED };
    let needed = graph.needed(roots)?;
    refuse_another_source(&needed, &foreign_sources::of_poetry(&project), lock)?;
    Ok(needed)
}

/// A lock that is older than a source in the project would install the package of that name from the default index.
fn refuse_another_source(needed: &[Dependency], declared: &[ForeignSource], lock: &Path) -> Result<(), BuildError> {
    for package in needed.iter().filter(|package| package.source == Source::Default) {
        if let Some(meant) = declared.iter().find(|entry| entry.name.as_ref() == Some(&package.name)) {
            return Err(meant.refusal(&package.name, lock));
        }
    }
    Ok(())
}

/// Refuses a project whose dependencies are unknown without a lock, or without building it.
///
/// # Errors
/// With what to do instead.
pub(in crate::python) fn refuse_unlisted(project: &Project) -> Result<(), BuildError> {
    let file = project.file.display();
    let is_listed = |table: &Table| table.keys().any(|name| name != "python");
    if project.dependencies().is_empty() && project.table_at(&["tool", "poetry", "dependencies"]).is_some_and(is_listed)
    {
        let error = BuildError::new(format!("cannot install the dependencies in `{file}` without a lock"));
        return Err(error.hint(format!("run `{UPDATE}`")));
    }
    if project.is_dynamic() {
        let error = BuildError::new(format!(
            "cannot install the dependencies in `{file}`: `dependencies` is `dynamic`, so only a build of the project knows them"
        ));
        return Err(error
            .hint("set the file that lists them, such as `dependencies = \"requirements.txt\"`")
            .hint(format!("if uv manages the project, it writes that file: `{UV_EXPORT}`")));
    }
    Ok(())
}

struct Reader<'a> {
    lock: &'a Path,
    target: &'a Target,
    table: &'a Table,
}

impl Reader<'_> {
    /// `[project]`, or Poetry's own table; with both, the second only adds sources to the first.
    fn roots(&self, project: &Project) -> Result<Vec<Need>, BuildError> {
        let mut roots = if project.is_dynamic() { Vec::new() } else { Need::of_project(project)? };
        let own = [&["tool", "poetry", "dependencies"][..], &["tool", "poetry", "group", "main", "dependencies"]];
        if roots.is_empty() {
            for path in own {
                for (name, value) in project.table_at(path).into_iter().flatten() {
                    let place = project.place(&[path, &[&*normalised(name)]].concat());
                    let is_optional = value.get("optional").and_then(Value::as_bool) == Some(true);
                    if name != "python" && !is_optional {
                        roots.extend(self.needs(name, value, &place)?);
                    }
                }
            }
        }
        Ok(roots)
    }

    fn packages(&self) -> Result<Packages, BuildError> {
        let mut found = Packages::new();
        for package in self.table.get("package").and_then(Value::as_array).into_iter().flatten() {
            let text = |key| package.get(key).and_then(Value::as_str);
            if let (Some(table), Some(name), Some(version)) = (package.as_table(), text("name"), text("version")) {
                let entry = self.package(name, version, table)?;
                found.entry(normalised(name)).or_default().push(entry);
            }
        }
        Ok(found)
    }

    fn package(&self, name: &str, version: &str, table: &Table) -> Result<Locked, BuildError> {
        let mut needs = Vec::new();
        for (dependency, value) in table.get("dependencies").and_then(Value::as_table).into_iter().flatten() {
            for mut need in self.needs(dependency, value, &format!("{name} {version}"))? {
                let is_optional = value.get("optional").and_then(Value::as_bool) == Some(true);
                if is_optional && !need.condition.contains("extra") {
                    let extras = extras_with(table, &need.name);
                    need.condition = all_of(&[&need.condition, &extras]);
                }
                needs.push(need);
            }
        }
        Ok(Locked {
            version: version.to_owned(),
            condition: own_condition(table.get("markers")),
            needs,
            extras: None,
            hashes: self.hashes(name, version, table),
            source: source(self.lock, name, table)?,
            is_package: true,
        })
    }

    /// Its requirements in Poetry's form: a range, a table, or alternatives. Those for another Python are omitted.
    fn needs(&self, name: &str, value: &Value, place: &str) -> Result<Vec<Need>, BuildError> {
        let mut found = Vec::new();
        let one = std::slice::from_ref(value);
        for entry in value.as_array().map_or(one, Vec::as_slice) {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let version = entry.as_str().unwrap_or(text("version"));
            let (range, python) = (self.range(version, place)?, self.range(text("python"), place)?);
            if !self.target.is_in(&python) {
                continue;
            }
            let platform = match text("platform") {
                "" => String::new(),
                platform => format!("sys_platform == '{platform}'"),
            };
            let extras = entry.get("extras").and_then(Value::as_array).into_iter().flatten();
            let extras = extras.filter_map(Value::as_str).map(normalised).collect();
            let condition = all_of(&[text("markers"), &platform]);
            let text = format!("{name} {version}").trim_end().to_owned();
            found.push(Need { name: normalised(name), extras, range, text, condition, place: place.to_owned() });
        }
        Ok(found)
    }

    fn range(&self, text: &str, place: &str) -> Result<Range, BuildError> {
        Range::of_poetry(text).ok_or_else(|| {
            let message = format!("cannot use `{}`", self.lock.display());
            BuildError::new(message).because(format!("`{place}`: `{text}` is not a valid range of versions"))
        })
    }

    /// The digests beside the package, or in the table that older locks have at the end.
    fn hashes(&self, name: &str, version: &str, table: &Table) -> Vec<(String, String)> {
        let old = || {
            let files = self.table.get("metadata")?.get("files")?.as_table()?;
            files.iter().find(|(key, _)| normalised(key) == normalised(name)).map(|(_, files)| files)
        };
        let files = table.get("files").or_else(old).and_then(Value::as_array).into_iter().flatten();
        let hash = |file: &Value| {
            let text = |key| file.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((text("file")?, text("hash")?))
        };
        // The old table has the files of all versions of a package.
        let is_of_version = |(file, _): &(String, String)| {
            crate::python::wheel::of_file(file)
                .is_none_or(|(_, found)| found.replace('_', "-") == version.replace('_', "-"))
        };
        let all: Vec<(String, String)> = files.filter_map(hash).collect();
        match table.contains_key("files") {
            true => all,
            false => all.into_iter().filter(is_of_version).collect(),
        }
    }
}

/// The marker of the extras that include a package, such as `extra == 'all'`.
fn extras_with(table: &Table, name: &str) -> String {
    let extras = table.get("extras").and_then(Value::as_table).into_iter().flatten();
    let with = extras.filter(|(_, listed)| {
        let mut texts = listed.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.any(|text| Need::parse(text, String::new()).is_some_and(|need| need.name == name))
    });
    let conditions: Vec<String> = with.map(|(extra, _)| format!("extra == '{}'", normalised(extra))).collect();
    match conditions.is_empty() {
        // No extra needs it.
        true => "python_version < '0'".to_owned(),
        false => conditions.join(" or "),
    }
}

/// The source of a package; paths are relative to the lock.
fn source(lock: &Path, name: &str, table: &Table) -> Result<Source, BuildError> {
    let Some(source) = table.get("source") else { return Ok(Source::Default) };
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

fn all_of(conditions: &[&str]) -> String {
    let conditions: Vec<&str> = conditions.iter().copied().filter(|condition| !condition.is_empty()).collect();
    match &conditions[..] {
        [one] => (*one).to_owned(),
        many => many.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::{Platform, Runtime};

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

    fn found(project: &str, lock: &str) -> Result<Vec<Dependency>, BuildError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pyproject.toml"), project).unwrap();
        let file = directory.path().join("poetry.lock");
        std::fs::write(&file, lock).unwrap();
        let runtime = Runtime::parse("python3.13").unwrap();
        let target = Target::of(&Platform::on_lambda(runtime, Architecture::X86_64));
        packages(&file, &target, "python3.13")
    }

    fn lines(project: &str, lock: &str) -> Result<String, BuildError> {
        Ok(found(project, lock)?.iter().map(Dependency::line).collect())
    }

    #[test]
    fn a_lock_gives_what_the_project_needs_and_not_its_development() {
        assert_eq!(lines(PROJECT, LOCK).unwrap(), "fastapi==0.110.0 --hash=sha256:aa\nstarlette-core==0.36.3\n");
        // Older locks have all digests at the end.
        let old = "[metadata.files]\nfastapi = [{file = 'fastapi-0.110.0.tar.gz', hash = 'sha256:bb'}, {file = 'fastapi-0.1.tar.gz', hash = 'sha256:cc'}]\n";
        let old =
            LOCK.replace("files = [{file = \"fastapi-0.110.0-py3-none-any.whl\", hash = \"sha256:aa\"}]", "") + old;
        assert!(lines(PROJECT, &old).unwrap().starts_with("fastapi==0.110.0 --hash=sha256:bb\n"));
    }

    #[test]
    fn a_marker_holds_for_all_that_only_its_package_needs() {
        let project = "[tool.poetry.dependencies]\npython = \"^3.11\"\nwmi = {version = '*', platform = 'win32'}\n";
        let wmi = "[[package]]\nname = 'wmi'\nversion = '1.5'\nfiles = []\n[package.dependencies]\npywin32 = '*'\n\
                   [[package]]\nname = 'pywin32'\nversion = '306'\nfiles = []\n";
        assert_eq!(lines(project, wmi).unwrap(), "");
        assert_eq!(lines(&project.replace("'win32'", "'linux'"), wmi).unwrap(), "pywin32==306\nwmi==1.5\n");
    }

    #[test]
    fn an_extra_includes_its_packages_and_has_to_be_locked() {
        let project = PROJECT.replace("\"^0.110\"", "{version = '^0.110', extras = ['all']}");
        let error = lines(&project, LOCK).unwrap_err();
        assert!(error.caused_by[0].contains("`fastapi 0.110.0` requires `uvloop *`"), "{error:?}");
        let with = format!("{LOCK}[[package]]\nname = 'uvloop'\nversion = '0.21'\nfiles = []\n");
        assert!(lines(&project, &with).unwrap().contains("uvloop==0.21"));
        assert!(!lines(PROJECT, &with).unwrap().contains("uvloop"));
        // Without the extra in the marker, the list of extras decides.
        let listed = with.replace(
            ", markers = \"extra == \\\"all\\\"\"}",
            "}\n[package.extras]\nAll = ['uvloop (>=0.1) ; sys_platform != \"win32\"']",
        );
        assert!(lines(&project, &listed).unwrap().contains("uvloop==0.21"));
        assert!(!lines(PROJECT, &listed).unwrap().contains("uvloop"));
    }

    #[test]
    fn a_lock_that_is_older_than_its_project_is_refused() {
        for (from, to, words) in [
            ("FastAPI = \"^0.110\"", "FastAPI = \"^0.111\"", "requires `FastAPI ^0.111`, but the lock has 0.110.0"),
            ("FastAPI", "httpx = \"*\"\nFastAPI", "requires `httpx *`, which the lock does not have"),
        ] {
            let error = lines(&PROJECT.replace(from, to), LOCK).unwrap_err();
            assert!(error.caused_by[0].contains(words), "{error:?}");
            assert!(error.caused_by[0].contains("pyproject.toml:3"), "{error:?}");
            assert_eq!(error.hints, ["update the lock: `poetry lock`"]);
        }
        let other = format!("{LOCK}[metadata]\npython-versions = '^3.14'\n");
        assert!(lines(PROJECT, &other).unwrap_err().message.contains("it was made for Python ^3.14"));
        let source = PROJECT.replace("FastAPI = \"^0.110\"", "FastAPI = {path = \"../own\"}");
        let error = lines(&source, LOCK).unwrap_err();
        assert!(error.message.contains("`fastapi`") && error.caused_by[0].contains("pyproject.toml:3"), "{error:?}");
    }

    #[test]
    fn both_forms_of_a_project_are_read() {
        let project = "[project]\nname = 'x'\ndependencies = ['fastapi (>=0.110,<0.111)']\n[tool.poetry.dependencies]\nfastapi = {source = 'pypi'}\n";
        assert!(lines(project, LOCK).unwrap().starts_with("fastapi==0.110.0"));
        let group = "[tool.poetry.group.main.dependencies]\nfastapi = '*'\n";
        assert!(lines(group, LOCK).unwrap().starts_with("fastapi==0.110.0"));
    }

    #[test]
    fn a_package_has_the_source_that_the_lock_names() {
        let source = |source: &str| {
            let new = format!("version = \"0.36.3\"\nsource = {source}");
            let all = found(PROJECT, &LOCK.replace("version = \"0.36.3\"", &new));
            all.map(|all| all.into_iter().find(|found| found.name == "starlette-core").unwrap().source)
        };
        let git =
            source("{type = 'git', url = 'https://h/x', reference = 'main', resolved_reference = 'abc'}").unwrap();
        assert!(matches!(git, Source::Git { revision: Some(revision), .. } if revision == "abc"));
        let index = source("{type = 'legacy', url = 'https://h/simple', reference = 'corp'}").unwrap();
        assert_eq!(index, Source::Index { name: "corp".into(), address: Some("https://h/simple".into()) });
        assert!(
            matches!(source("{type = 'directory', url = '../own'}").unwrap(), Source::Directory(path) if path.ends_with("../own"))
        );
        assert!(source("{type = 'hg'}").unwrap_err().message.contains("`starlette-core`"));
    }

    #[test]
    fn several_versions_of_a_package_go_by_their_markers_or_by_what_requires_them() {
        let entry = |version: &str, rest: &str| {
            format!("[[package]]\nname = \"win\"\nversion = \"{version}\"\nfiles = []\n{rest}\n")
        };
        let several =
            |project: &str, old: &str, new: &str| lines(project, &[entry("1.0", old), entry("2.0", new)].concat());
        let any = "[tool.poetry.dependencies]\nwin = '*'\n";
        let old = "markers = \"python_version < '3.12'\"";
        let new = "markers = {main = \"python_version >= '3.12'\", dev = \"x\"}";
        assert_eq!(several(any, old, new).unwrap(), "win==2.0\n");
        assert!(several(any, "", "").unwrap_err().message.contains("several versions"));
        let apart = "[tool.poetry.dependencies]\nwin = [{version = '^1', python = '<3.12'}, {version = '^2', python = '>=3.12'}]\n";
        assert_eq!(several(apart, "", "").unwrap(), "win==2.0\n");
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
