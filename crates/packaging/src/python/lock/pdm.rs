//! `pdm.lock`: the default group of its project.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::graph::{self, Graph, Locked, Need, Packages};
use crate::error::BuildError;
use crate::python::dependency::Dependency;
use crate::python::project::{self, Project};
use crate::python::range::Range;
use crate::python::requirement::normalised;
use crate::python::sources::Source;
use crate::python::target::Target;
use crate::{address, tool};

const UPDATE: &str = "pdm lock";

/// The packages that the project needs at run time, with their digests and sources.
///
/// # Errors
/// When a file cannot be read, or the lock does not match the project or the platform; or when it does not say which of
/// several indexes a package comes from.
pub(super) fn packages(lock: &Path, target: &Target, runtime: &str) -> Result<Vec<Dependency>, BuildError> {
    let directory = tool::around(lock);
    let missing = || BuildError::new(format!("cannot read `{}`", directory.join(project::FILE).display()));
    let project = Project::of(&directory)?.ok_or_else(|| missing().because("the file does not exist"))?;
    let table = tool::read_table(lock)?;
    if let Some(python) = project.at(&["project", "requires-python"]).and_then(Value::as_str) {
        graph::refuse_another_python(lock, python, Range::of_specifiers(python), (target, runtime), UPDATE)?;
    }
    refuse_another_platform(lock, &table, target, runtime)?;
    let index = index(lock, &project)?;
    let packages = read(lock, &table, &index)?;
    let roots = Need::of_project(&project)?;
    Graph { lock, project: project.file.clone(), packages, target, update: UPDATE, unlocked: &[] }.needed(roots)
}

/// A lock may be for certain platforms alone.
fn refuse_another_platform(lock: &Path, table: &Table, target: &Target, runtime: &str) -> Result<(), BuildError> {
    let targets = table.get("metadata").and_then(|metadata| metadata.get("targets")?.as_array());
    let Some(targets) = targets.filter(|targets| !targets.is_empty()) else { return Ok(()) };
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let fits = |entry: &Value| {
        let (python, platform) = (text(entry, "requires_python"), text(entry, "platform"));
        let is_platform = platform.is_empty()
            || (platform.contains("linux")
                && !platform.contains("musl")
                && (!platform.contains('_') || platform.ends_with(target.machine())));
        Range::of_specifiers(&python).is_none_or(|range| target.is_in(&range)) && is_platform
    };
    if targets.iter().any(fits) {
        return Ok(());
    }
    let made = |entry: &Value| format!("{} {}", text(entry, "requires_python"), text(entry, "platform"));
    let made: Vec<String> = targets.iter().map(made).map(|made| format!("`{}`", made.trim())).collect();
    let (lock, machine) = (lock.display(), target.machine());
    let message = format!("cannot use `{lock}` for `{runtime}` on `{machine}`: it was made for {}", made.join(", "));
    Err(BuildError::new(message).hint(format!("lock for all platforms: `{UPDATE} --strategy no_inherit_metadata`")))
}

/// The index of all packages: PDM asks all of its sources, and locks no index.
fn index(lock: &Path, project: &Project) -> Result<Source, BuildError> {
    let sources = project.at(&["tool", "pdm", "source"]).and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let private: Vec<(String, String)> = sources
        .filter_map(|entry| Some((text(entry, "name").unwrap_or_default(), text(entry, "url")?)))
        .filter(|(_, address)| !address::is_public(address))
        .collect();
    match &private[..] {
        [] => Ok(Source::Default),
        // A source of this name replaces the public index.
        [(name, address)] if name == "pypi" => {
            Ok(Source::Index { name: name.clone(), address: Some(address::with_variables(address)) })
        }
        [(name, _), ..] => {
            let place = project.place(&["tool", "pdm", "source"]);
            Err(BuildError::new(format!(
                "cannot use `{}`: it does not say which index a package comes from",
                lock.display()
            ))
            .because(format!("`{place}` adds the index `{name}` to the public one"))
            .hint("export a list with hashes: `pdm export --output requirements.txt`, and set `dependencies` to it"))
        }
    }
}

fn read(lock: &Path, table: &Table, index: &Source) -> Result<Packages, BuildError> {
    let mut found = Packages::new();
    for package in table.get("package").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table) {
        let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, version) = (normalised(text("name")), text("version"));
        let extras: BTreeSet<String> = strings(package, "extras").iter().map(|extra| normalised(extra)).collect();
        let needs = needs(lock, &name, version, package, &extras)?;
        let entries = found.entry(name.clone()).or_default();
        if extras.is_empty() {
            entries.push(Locked {
                version: version.to_owned(),
                condition: text("marker").to_owned(),
                needs,
                extras: Some(BTreeSet::new()),
                hashes: hashes(table, package, text("name"), version),
                source: source(lock, package, index),
                is_package: true,
            });
        } else if let Some(entry) = entries.iter_mut().find(|entry| entry.version == version) {
            entry.needs.extend(needs);
            entry.extras.get_or_insert_default().extend(extras);
        }
    }
    Ok(found)
}

/// An entry with extras has what these need, and the package itself.
fn needs(
    lock: &Path,
    name: &str,
    version: &str,
    package: &Table,
    extras: &BTreeSet<String>,
) -> Result<Vec<Need>, BuildError> {
    let of_extras: Vec<String> = extras.iter().map(|extra| format!("extra == '{extra}'")).collect();
    let mut found = Vec::new();
    for text in strings(package, "dependencies") {
        let mut need = Need::parse(&text, format!("{name} {version}")).ok_or_else(|| {
            BuildError::new(format!("cannot read `{}`", lock.display()))
                .because(format!("`{name}`: `{text}` is not a valid requirement"))
        })?;
        if need.name == name {
            continue;
        }
        if !of_extras.is_empty() {
            let extras = of_extras.join(" or ");
            need.condition =
                if need.condition.is_empty() { extras } else { format!("({}) and ({extras})", need.condition) };
        }
        found.push(need);
    }
    Ok(found)
}

/// The digests beside the package, or in the table that older locks have at the end.
fn hashes(table: &Table, package: &Table, name: &str, version: &str) -> Vec<(String, String)> {
    let old = || table.get("metadata")?.get("files")?.get(format!("{name} {version}"));
    let files = package.get("files").or_else(old).and_then(Value::as_array).into_iter().flatten();
    let hash = |file: &Value| {
        let text = |key| file.get(key).and_then(Value::as_str);
        let name = text("file").or_else(|| text("url")?.split(['#', '?']).next()?.rsplit('/').next())?;
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
        Some((name, text("hash")?.to_owned()))
    };
    files.filter_map(hash).collect()
}

fn source(lock: &Path, package: &Table, index: &Source) -> Source {
    let text = |key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    let (directory, subdirectory) = (tool::around(lock), text("subdirectory"));
    if let Some(address) = text("git") {
        return Source::Git { address, revision: text("revision").or_else(|| text("ref")), subdirectory };
    }
    if let Some(path) = text("path") {
        return crate::python::sources::of_path(directory.join(path.replace("file:///${PROJECT_ROOT}/", "")));
    }
    match text("url") {
        Some(address) if address.contains("${PROJECT_ROOT}") => {
            let path = address.split("${PROJECT_ROOT}").nth(1).unwrap_or_default().trim_start_matches('/');
            crate::python::sources::of_path(directory.join(path))
        }
        Some(address) => Source::Archive { address, subdirectory },
        None => index.clone(),
    }
}

fn strings(package: &Table, key: &str) -> Vec<String> {
    let items = package.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::{Platform, Runtime};

    const PROJECT: &str =
        "[project]\nname = 'x'\nrequires-python = '>=3.11'\ndependencies = ['Uvicorn[standard]~=0.22', 'leaf']\n";
    const LOCK: &str = r#"
[metadata]
groups = ["default", "test"]
lock_version = "4.4"
[[package]]
name = "uvicorn"
version = "0.22.0"
dependencies = ["click>=7", "typing-extensions>=4; python_version < \"3.11\""]
files = [{file = "uvicorn-0.22.0-py3-none-any.whl", hash = "sha256:aa"}]
[[package]]
name = "uvicorn"
version = "0.22.0"
extras = ["standard"]
dependencies = ["uvicorn==0.22.0", "uvloop>=0.14; sys_platform != \"win32\"", "colorama; sys_platform == \"win32\""]
[[package]]
name = "click"
version = "8.1.3"
[[package]]
name = "uvloop"
version = "0.17.0"
[[package]]
name = "leaf"
version = "1.0"
git = "https://h/leaf"
ref = "main"
revision = "abc"
[[package]]
name = "pytest"
version = "8.0"
"#;

    fn found(project: &str, lock: &str) -> Result<Vec<Dependency>, BuildError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pyproject.toml"), project).unwrap();
        let file = directory.path().join("pdm.lock");
        std::fs::write(&file, lock).unwrap();
        let runtime = Runtime::parse("python3.13").unwrap();
        packages(&file, &Target::of(&Platform::on_lambda(runtime, Architecture::X86_64)), "python3.13")
    }

    #[test]
    fn a_lock_gives_the_default_group_with_extras() {
        let all = found(PROJECT, LOCK).unwrap();
        let lines: Vec<String> = all.iter().map(Dependency::requirement).collect();
        assert_eq!(lines, ["click==8.1.3", "leaf==1.0", "uvicorn==0.22.0", "uvloop==0.17.0"]);
        assert!(matches!(&all[1].source, Source::Git { revision: Some(revision), .. } if revision == "abc"));
        assert_eq!(all[2].hashes, [("uvicorn-0.22.0-py3-none-any.whl".to_owned(), "sha256:aa".to_owned())]);
        let plain = found(&PROJECT.replace("[standard]", ""), LOCK).unwrap();
        assert!(!plain.iter().any(|package| package.name == "uvloop"));
        let old = "[metadata.files]\n\"click 8.1.3\" = [{url = 'https://h/a/click-8.1.3%2Bx-py3-none-any.whl', hash = 'sha256:bb'}]\n";
        let old = found(PROJECT, &format!("{LOCK}{old}")).unwrap();
        assert_eq!(old[0].hashes, [("click-8.1.3+x-py3-none-any.whl".to_owned(), "sha256:bb".to_owned())]);
    }

    #[test]
    fn a_lock_that_does_not_fit_is_refused() {
        for (from, to, words) in [
            ("'leaf'", "'leaf', 'httpx'", "requires `httpx`, which the lock does not have"),
            ("~=0.22", ">=0.23", "requires `uvicorn[standard]>=0.23`, but the lock has 0.22.0"),
            ("[standard]", "[other]", "requires `uvicorn[other]~=0.22`, which the lock has without `other`"),
        ] {
            let error = found(&PROJECT.replace(from, to), LOCK).unwrap_err();
            assert!(error.caused_by[0].contains(words), "{error:?}");
            assert_eq!(error.hints, ["update the lock: `pdm lock`"]);
        }
        let other = PROJECT.replace(">=3.11", "<3.13");
        assert!(found(&other, LOCK).unwrap_err().message.contains("made for Python <3.13"));
        let targets = "[[metadata.targets]]\nrequires_python = '>=3.11'\nplatform = 'windows_amd64'\n";
        let error = found(PROJECT, &format!("{LOCK}{targets}")).unwrap_err();
        assert!(error.message.contains("made for `>=3.11 windows_amd64`"), "{error:?}");
        let fits = targets.replace("windows_amd64", "manylinux_2_17_x86_64");
        assert!(found(PROJECT, &format!("{LOCK}{fits}")).is_ok());
        let source =
            |name: &str| format!("{PROJECT}[[tool.pdm.source]]\nname = '{name}'\nurl = 'http://corp/simple'\n");
        assert!(found(&source("corp"), LOCK).unwrap_err().hints[0].contains("pdm export"));
        let mirror = found(&source("pypi"), LOCK).unwrap();
        assert!(
            matches!(&mirror[0].source, Source::Index { address: Some(address), .. } if address == "http://corp/simple")
        );
    }
}
