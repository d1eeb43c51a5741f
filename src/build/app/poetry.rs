//! What `poetry.lock` and `pyproject.toml` list, as pip reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

use crate::build::error::BuildError;

/// One package of a lock file.
struct Package<'a> {
    version: &'a str,
    table: &'a Table,
}

/// Whether a package is needed: by whom, under which conditions. No condition at all is every case.
type Needed = BTreeMap<String, BTreeSet<String>>;

/// The locked versions with their digests, of what the project needs and not of what its development does: the closure of
/// its main dependencies, since older locks do not say to which group a package belongs.
///
/// # Errors
/// When a file cannot be read, or a package comes from elsewhere than an index.
pub fn requirements(lock: &Path) -> Result<String, BuildError> {
    let project = read(&lock.with_file_name("pyproject.toml"))?;
    let locked = read(lock)?;
    let packages: BTreeMap<String, Package<'_>> = locked
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|package| {
            let table = package.as_table()?;
            let name = normalised(table.get("name")?.as_str()?);
            Some((name, Package { version: table.get("version")?.as_str()?, table }))
        })
        .collect();
    let mut lines = String::new();
    for (name, conditions) in needed(&project, &packages) {
        let Some(package) = packages.get(&name) else { continue };
        if let Some(kind) = package.table.get("source").and_then(|source| source.get("type")).and_then(Value::as_str)
            && kind != "legacy"
        {
            let error =
                BuildError::new(format!("cannot install `{name}` of `{}`: it comes from a {kind}", lock.display()));
            return Err(error.hint("build its wheel and put it on an index, or bring it along in the directory"));
        }
        lines.push_str(&line(&name, package, &conditions));
    }
    Ok(lines)
}

/// The dependencies of a `[project]` table, without its groups and extras.
pub fn of_project(file: &Path) -> Result<String, BuildError> {
    let project = read(file)?;
    let listed = project.get("project").and_then(|project| project.get("dependencies")).and_then(Value::as_array);
    let lines: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    if lines.is_empty() && poetry_table(&project).is_some_and(|table| table.keys().any(|name| name != "python")) {
        let error = BuildError::new(format!("cannot install what `{}` lists without a lock", file.display()));
        return Err(error.hint("run `poetry lock`"));
    }
    Ok(lines.join("\n"))
}

fn needed(project: &Table, packages: &BTreeMap<String, Package<'_>>) -> Needed {
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
        let (what, condition) = text.split_once(';').unwrap_or((text, ""));
        let end = what.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
        open.push((normalised(&what[..end.unwrap_or(what.len())]), condition.trim().to_owned()));
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
        let dependencies = packages.get(&name).and_then(|package| package.table.get("dependencies")?.as_table());
        for (dependency, value) in dependencies.filter(|_| !known).into_iter().flatten() {
            // What an extra asks for is in the lock only where somebody wanted that extra.
            let own = condition_without_extra(value);
            open.push((normalised(dependency), own));
        }
    }
    needed
}

/// `name==version ; condition --hash=…`.
fn line(name: &str, package: &Package<'_>, conditions: &BTreeSet<String>) -> String {
    let mut line = format!("{name}=={}", package.version);
    if !conditions.contains("") {
        let conditions: Vec<String> = conditions.iter().map(|condition| format!("({condition})")).collect();
        line.push_str(&format!(" ; {}", conditions.join(" or ")));
    }
    for file in package.table.get("files").and_then(Value::as_array).into_iter().flatten() {
        if let Some(hash) = file.get("hash").and_then(Value::as_str) {
            line.push_str(&format!(" --hash={hash}"));
        }
    }
    line.push('\n');
    line
}

/// Under which circumstances a dependency is one; several entries are alternatives.
fn condition(value: &Value) -> String {
    match value {
        Value::Array(alternatives) => {
            let conditions: Vec<String> = alternatives.iter().map(condition).collect();
            if conditions.iter().any(String::is_empty) {
                return String::new();
            }
            conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" or ")
        }
        value => value.get("markers").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

fn condition_without_extra(value: &Value) -> String {
    let condition = condition(value);
    if condition.contains("extra ==") { String::new() } else { condition }
}

fn poetry_table(project: &Table) -> Option<&Table> {
    project.get("tool")?.get("poetry")?.get("dependencies")?.as_table()
}

/// As PEP 503 has it.
fn normalised(name: &str) -> String {
    let mut normal = String::new();
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            letter => normal.push(letter.to_ascii_lowercase()),
        }
    }
    normal
}

fn read(file: &Path) -> Result<Table, BuildError> {
    let failed = || BuildError::new(format!("cannot read `{}`", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed().because(error))?;
    text.parse().map_err(|error: toml::de::Error| failed().because(error.message()))
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
        requirements(&directory.path().join("poetry.lock"))
    }

    #[test]
    fn a_lock_gives_what_the_project_needs_and_not_its_development() {
        let expected =
            "fastapi==0.110.0 --hash=sha256:aa\nstarlette-core==0.36.3\nwin==1.0 ; (sys_platform == 'win32')\n";
        assert_eq!(lines(LOCK).unwrap(), expected);
    }

    #[test]
    fn what_comes_from_a_repository_is_named() {
        let from_git =
            LOCK.replace("version = \"0.36.3\"", "version = \"0.36.3\"\nsource = {type = \"git\", url = \"x\"}");
        assert!(lines(&from_git).unwrap_err().message.contains("`starlette-core`"));
    }
}
