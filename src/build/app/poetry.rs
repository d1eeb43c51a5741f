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

/// The entries of each package: several where what is needed depends on circumstances.
type Packages<'a> = BTreeMap<String, Vec<Package<'a>>>;

/// The locked versions with their digests, of what the project needs and not of what its development does: the closure of
/// its main dependencies, since older locks do not say to which group a package belongs.
///
/// # Errors
/// When a file cannot be read, or a package comes from elsewhere than an index.
pub fn requirements(lock: &Path) -> Result<String, BuildError> {
    let project = read(&lock.with_file_name("pyproject.toml"))?;
    let locked = read(lock)?;
    let mut packages = Packages::new();
    for package in locked.get("package").and_then(Value::as_array).into_iter().flatten() {
        let text = |key| package.get(key).and_then(Value::as_str);
        if let (Some(table), Some(name), Some(version)) = (package.as_table(), text("name"), text("version")) {
            packages.entry(normalised(name)).or_default().push(Package { version, table });
        }
    }
    let mut lines = String::new();
    for (name, conditions) in needed(&project, &packages) {
        let entries = packages.get(&name).map(Vec::as_slice).unwrap_or_default();
        for package in entries {
            refuse_a_source(lock, &name, package)?;
            let own = own_condition(package.table.get("markers"));
            if own.is_empty() && entries.len() > 1 {
                let error = BuildError::new(format!(
                    "cannot install `{name}` of `{}`: it is there in several versions, and nothing says which is meant when",
                    lock.display()
                ));
                return Err(error.hint("lock with Poetry 2, whose locks say so: `poetry lock`"));
            }
            lines.push_str(&line(&name, package, &conditions, &own));
        }
    }
    Ok(lines)
}

fn refuse_a_source(lock: &Path, name: &str, package: &Package<'_>) -> Result<(), BuildError> {
    let kind = package.table.get("source").and_then(|source| source.get("type")).and_then(Value::as_str);
    match kind {
        None | Some("legacy") => Ok(()),
        Some(kind) => {
            let error =
                BuildError::new(format!("cannot install `{name}` of `{}`: it comes from a {kind}", lock.display()));
            Err(error.hint("build its wheel and put it on an index, or bring it along in the directory"))
        }
    }
}

/// When a package is needed, in the lock's own words: one condition, or one for each group that asks for it.
fn own_condition(markers: Option<&Value>) -> String {
    match markers {
        Some(Value::String(markers)) => markers.clone(),
        Some(Value::Table(groups)) => groups.get("main").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

/// The dependencies of a `[project]` table, without its groups and extras.
pub fn of_project(file: &Path) -> Result<String, BuildError> {
    let project = read(file)?;
    let listed = project.get("project").and_then(|project| project.get("dependencies")).and_then(Value::as_array);
    let lines: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    let dynamic = project.get("project").and_then(|project| project.get("dynamic")).and_then(Value::as_array);
    if dynamic.into_iter().flatten().any(|field| field.as_str() == Some("dependencies")) {
        let error = BuildError::new(format!(
            "cannot install what `{}` lists: its `dynamic` leaves `dependencies` to the build, and it lists none",
            file.display()
        ));
        return Err(error.hint("name the file that does list them, such as `dependencies = \"requirements.txt\"`"));
    }
    if lines.is_empty() && poetry_table(&project).is_some_and(|table| table.keys().any(|name| name != "python")) {
        let error = BuildError::new(format!("cannot install what `{}` lists without a lock", file.display()));
        return Err(error.hint("run `poetry lock`"));
    }
    Ok(lines.join("\n"))
}

fn needed(project: &Table, packages: &Packages<'_>) -> Needed {
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
        let entries = packages.get(&name).filter(|_| !known).into_iter().flatten();
        let dependencies = entries.filter_map(|package| package.table.get("dependencies")?.as_table());
        for (dependency, value) in dependencies.flatten() {
            // What an extra asks for is in the lock only where somebody wanted that extra.
            let own = condition_without_extra(value);
            open.push((normalised(dependency), own));
        }
    }
    needed
}

/// `name==version ; condition --hash=…`.
fn line(name: &str, package: &Package<'_>, conditions: &BTreeSet<String>, own: &str) -> String {
    let mut line = format!("{name}=={}", package.version);
    let asked = if conditions.contains("") { Vec::new() } else { conditions.iter().cloned().collect() };
    let condition = all_of([any_of(asked), own.to_owned()]);
    if !condition.is_empty() {
        line.push_str(&format!(" ; {condition}"));
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

/// Poetry's range of Pythons, such as `^3.9 || ~3.7`, as a condition.
fn versions(range: &str) -> String {
    let alternatives = range.split("||").flat_map(|part| part.split(" | ")).map(|part| {
        let bounds: Vec<String> = part.split([',', ' ']).filter(|bound| !bound.is_empty()).flat_map(bounds).collect();
        bounds.join(" and ")
    });
    let alternatives: Vec<String> = alternatives.collect();
    if alternatives.iter().any(String::is_empty) { String::new() } else { any_of(alternatives) }
}

/// One bound of a range; the operator stands directly before its version.
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
            "fastapi==0.110.0 --hash=sha256:aa\nstarlette-core==0.36.3\nwin==1.0 ; sys_platform == 'win32'\n";
        assert_eq!(lines(LOCK).unwrap(), expected);
    }

    #[test]
    fn what_comes_from_a_repository_is_named() {
        let from_git =
            LOCK.replace("version = \"0.36.3\"", "version = \"0.36.3\"\nsource = {type = \"git\", url = \"x\"}");
        assert!(lines(&from_git).unwrap_err().message.contains("`starlette-core`"));
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
        let file = directory.path().join("pyproject.toml");
        std::fs::write(&file, "[project]\nname = 'x'\ndynamic = ['version', 'dependencies']\n").unwrap();
        assert!(of_project(&file).unwrap_err().message.contains("`dynamic`"));
    }
}
