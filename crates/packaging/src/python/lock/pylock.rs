//! `pylock.toml`, which any tool may have written (PEP 751).

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::graph::{self, Graph, Locked, Need, Packages};
use crate::error::BuildError;
use crate::python::dependency::Dependency;
use crate::python::project::Project;
use crate::python::range::Range;
use crate::python::requirement::normalised;
use crate::python::sources::Source;
use crate::python::target::Target;
use crate::{address, tool};

/// The commands that write such a lock, by the tools that say so in it.
const UPDATES: [(&str, &str); 4] = [
    ("uv", "uv export --no-dev --no-emit-project -o pylock.toml"),
    ("pdm", "pdm lock"),
    ("pip", "pip lock -r requirements.txt"),
    ("poetry", "poetry export -f pylock.toml -o pylock.toml"),
];

/// The packages to install, with their digests and sources.
///
/// # Errors
/// When a file cannot be read, or the lock does not match the project beside it or the Python.
pub(super) fn packages(lock: &Path, target: &Target, runtime: &str) -> Result<Vec<Dependency>, BuildError> {
    let table = tool::read_table(lock)?;
    let by = table.get("created-by").and_then(Value::as_str).unwrap_or_default();
    let update = UPDATES.iter().find(|(tool, _)| *tool == by).unwrap_or(&UPDATES[0]).1;
    refuse_another_environment(lock, &table, target, runtime)?;
    if let Some(python) = table.get("requires-python").and_then(Value::as_str) {
        graph::refuse_another_python(lock, python, Range::of_specifiers(python), (target, runtime), update)?;
    }
    let groups = strings(&table, "default-groups");
    let mut needs = Vec::new();
    let mut packages = Packages::new();
    for package in table.get("packages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table) {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let Some(name) = text("name").map(normalised) else { continue };
        let condition = without_groups(text("marker").unwrap_or_default(), &groups);
        let version = text("version").unwrap_or("0").to_owned();
        let range = match text("version") {
            Some(version) => Range::of_specifiers(&format!("==={version}")).unwrap_or_default(),
            None => Range::default(),
        };
        let place = lock.display().to_string();
        let need = Need {
            name: name.clone(),
            extras: Vec::new(),
            range,
            text: name.clone(),
            condition: condition.clone(),
            place,
        };
        needs.push(need);
        let (hashes, source) = (hashes(package), source(lock, package));
        packages.entry(name).or_default().push(Locked {
            version,
            condition,
            needs: Vec::new(),
            extras: None,
            hashes,
            source,
            is_package: true,
        });
    }
    let project = Project::of(&tool::around(lock))?;
    let file = project.as_ref().map_or_else(|| lock.to_owned(), |project| project.file.clone());
    let graph = Graph { lock, project: file, packages, target, update, unlocked: &[] };
    if let Some(project) = project.filter(|_| !is_named(lock)) {
        graph.needed(Need::of_project(&project)?)?;
    }
    graph.needed(needs)
}

/// A lock may be for certain environments alone.
fn refuse_another_environment(lock: &Path, table: &Table, target: &Target, runtime: &str) -> Result<(), BuildError> {
    let environments = strings(table, "environments");
    if environments.is_empty() || environments.iter().any(|marker| target.holds(marker, []) == Some(true)) {
        return Ok(());
    }
    let (lock, machine) = (lock.display(), target.machine());
    let environments = environments.iter().map(|marker| format!("`{marker}`")).collect::<Vec<_>>().join(", ");
    let message = format!("cannot use `{lock}` for `{runtime}` on `{machine}`: it was made for {environments}");
    Err(BuildError::new(message).hint("lock for Lambda's platform, too"))
}

/// `pylock.NAME.toml` may be of something else than the project.
fn is_named(lock: &Path) -> bool {
    lock.file_name().is_some_and(|name| name != "pylock.toml")
}

/// A marker in which the default groups and no extras are chosen: `'x' in dependency_groups`, `'x' in extras`.
fn without_groups(marker: &str, groups: &[String]) -> String {
    const ALWAYS: &str = "python_version >= '0'";
    const NEVER: &str = "python_version < '0'";
    let mut marker = marker.to_owned();
    for (list, chosen) in [("dependency_groups", groups), ("extras", &[][..])] {
        for (words, is_in) in [(" not in ", false), (" in ", true)] {
            let end = format!("{words}{list}");
            while let Some(at) = marker.find(&end) {
                let Some(quote) = marker[..at].chars().last() else { return marker };
                let Some(start) = marker[..at - 1].rfind(quote) else { return marker };
                let name = normalised(&marker[start + 1..at - 1]);
                let known = chosen.iter().any(|group| normalised(group) == name);
                marker.replace_range(start..at + end.len(), if known == is_in { ALWAYS } else { NEVER });
            }
        }
    }
    marker
}

fn source(lock: &Path, package: &Table) -> Source {
    let around = |path: &str| -> PathBuf { tool::around(lock).join(path) };
    let entry = |kind: &str| package.get(kind).and_then(Value::as_table);
    let text = |table: &Table, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(directory) = entry("directory") {
        let path = around(&text(directory, "path").unwrap_or_default());
        return Source::Directory(path.join(text(directory, "subdirectory").unwrap_or_default()));
    }
    if let Some(vcs) = entry("vcs") {
        let address = text(vcs, "url").or_else(|| text(vcs, "path").map(|path| around(&path).display().to_string()));
        let revision = text(vcs, "commit-id").or_else(|| text(vcs, "requested-revision"));
        return Source::Git { address: address.unwrap_or_default(), revision, subdirectory: text(vcs, "subdirectory") };
    }
    if let Some(archive) = entry("archive") {
        return match text(archive, "path") {
            Some(path) => Source::File(around(&path)),
            None => Source::Archive {
                address: text(archive, "url").unwrap_or_default(),
                subdirectory: text(archive, "subdirectory"),
            },
        };
    }
    match package.get("index").and_then(Value::as_str) {
        Some(index) if !address::is_public(index) => {
            Source::Index { name: String::new(), address: Some(index.to_owned()) }
        }
        _ => Source::Default,
    }
}

/// The digests of all of its files.
fn hashes(package: &Table) -> Vec<(String, String)> {
    let wheels = package.get("wheels").and_then(Value::as_array).into_iter().flatten();
    let files = wheels.chain(package.get("sdist")).chain(package.get("archive"));
    let hashes = files.filter_map(|file| Some((file, file.get("hashes")?.as_table()?)));
    let hashes = hashes.flat_map(|(file, hashes)| {
        let name = crate::python::pylock::file_of(file).unwrap_or_default();
        let strong = hashes.iter().filter(|(kind, _)| ["sha256", "sha384", "sha512"].contains(&kind.as_str()));
        strong
            .filter_map(move |(kind, digest)| Some((name.clone(), format!("{kind}:{}", digest.as_str()?))))
            .collect::<Vec<_>>()
    });
    hashes.collect()
}

fn strings(table: &Table, key: &str) -> Vec<String> {
    let items = table.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::{Platform, Runtime};

    const LOCK: &str = r#"
lock-version = "1.0"
requires-python = ">=3.11"
default-groups = ["main"]
[[packages]]
name = "Six"
version = "1.16.0"
index = "http://corp/simple"
sdist = { url = "http://corp/six-1.16.0.tar.gz", hashes = { sha256 = "bb" } }
wheels = [{ url = "http://corp/six-1.16.0-py3-none-any.whl", hashes = { sha256 = "aa", md5 = "x" } }]
[[packages]]
name = "win"
version = "1.0"
marker = "sys_platform == 'win32'"
[[packages]]
name = "grouped"
version = "1.0"
marker = "'main' in dependency_groups and 'x' not in extras"
[[packages]]
name = "dev"
version = "1.0"
marker = "'dev' in dependency_groups or 'x' in extras"
[[packages]]
name = "two"
version = "1.0"
marker = "python_version < '3.12'"
[[packages]]
name = "two"
version = "2.0"
marker = "python_version >= '3.12'"
[[packages]]
name = "own"
directory = { path = "../own" }
"#;

    fn found(project: Option<&str>, lock: &str) -> Result<Vec<Dependency>, BuildError> {
        let directory = tempfile::tempdir().unwrap();
        if let Some(text) = project {
            std::fs::write(directory.path().join("pyproject.toml"), text).unwrap()
        }
        let file = directory.path().join("pylock.toml");
        std::fs::write(&file, lock).unwrap();
        let runtime = Runtime::parse("python3.13").unwrap();
        packages(&file, &Target::of(&Platform::on_lambda(runtime, Architecture::X86_64)), "python3.13")
    }

    #[test]
    fn a_lock_gives_what_its_markers_choose() {
        let all = found(None, LOCK).unwrap();
        let lines: Vec<String> = all.iter().map(Dependency::requirement).collect();
        assert_eq!(lines, ["grouped==1.0", "own==0", "six==1.16.0", "two==2.0"]);
        assert!(matches!(&all[1].source, Source::Directory(path) if path.ends_with("../own")));
        assert_eq!(all[2].source.shown(), "the index `http://corp/simple`");
        let hashes = [("six-1.16.0-py3-none-any.whl", "sha256:aa"), ("six-1.16.0.tar.gz", "sha256:bb")];
        assert_eq!(all[2].hashes, hashes.map(|(file, hash)| (file.to_owned(), hash.to_owned())));
    }

    #[test]
    fn a_lock_that_does_not_fit_is_refused() {
        let project = |dependency: &str| format!("[project]\nname = 'x'\ndependencies = ['{dependency}']\n");
        assert!(found(Some(&project("six>=1")), LOCK).is_ok());
        let error = |dependency: &str| found(Some(&project(dependency)), LOCK).unwrap_err().caused_by[0].clone();
        assert!(error("six>=2").contains("requires `six>=2`, but the lock has 1.16.0"));
        assert!(error("httpx").contains("requires `httpx`, which the lock does not have"));
        let other = found(None, &LOCK.replace(">=3.11", "<3.13")).unwrap_err();
        assert!(other.message.contains("made for Python <3.13"), "{other:?}");
        let environments =
            |marker: &str| LOCK.replace("default-groups", &format!("environments = [\"{marker}\"]\ndefault-groups"));
        assert!(found(None, &environments("sys_platform == 'linux'")).is_ok());
        let other = found(None, &environments("sys_platform == 'win32'")).unwrap_err();
        assert!(other.message.contains("made for `sys_platform == 'win32'`"), "{other:?}");
    }
}
