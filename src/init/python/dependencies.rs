//! What a Python project depends on, and which Python it wants.

use crate::init::runtime::{first_version, image_version};
use crate::init::tree::{Tree, join, split};
use toml::{Table, Value};

/// Lists with other names, of which the first is taken.
const OTHERS: [&str; 8] = [
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/base.txt",
    "requirements/requirements.txt",
    "requirements/main.txt",
    "requirements-prod.txt",
    "requirements.prod.txt",
    "requirements/common.txt",
];

/// Packages that install a server, with the extras that do so; none means in any case.
const INCLUDED: &[(&str, &[&str], &str)] = &[
    ("fastapi", &["standard", "all", "standard-no-fastapi-cloud-cli"], "uvicorn"),
    ("litestar", &["standard", "full"], "uvicorn"),
    ("mcp", &[], "uvicorn"),
    ("fastmcp", &[], "uvicorn"),
    ("python-fasthtml", &[], "uvicorn"),
    ("uvicorn-worker", &[], "uvicorn"),
    ("quart", &[], "hypercorn"),
];

#[derive(Clone, Debug, Default)]
pub(super) struct Dependencies {
    /// The file that lists them, relative to the project.
    pub file: Option<String>,
    /// Whether the manifest has to name the file.
    pub is_elsewhere: bool,
    /// Names, normalised, with their extras.
    packages: Vec<(String, Vec<String>)>,
    /// Ranges and versions of Python.
    pub python: Vec<String>,
}

impl Dependencies {
    pub(super) fn read(tree: &Tree, project: &str) -> Dependencies {
        let text = |name: &str| tree.text(&join(project, name));
        let table = |name: &str| text(name).and_then(|text| text.parse::<Table>().ok());
        let project_table = table("pyproject.toml").filter(lists_packages);
        let pipfile = table("Pipfile");
        let has = |name: &str| tree.has(&join(project, name));
        let is_locked = ["uv.lock", "poetry.lock", "pdm.lock"].into_iter().any(has);
        let mut found = Dependencies::default();
        if let (true, Some(table)) = (is_locked || text("requirements.txt").is_none(), &project_table) {
            found.packages = of_project(table);
            found.file = Some("pyproject.toml".to_owned());
        } else if let (true, Some(table)) = (has("Pipfile.lock"), &pipfile) {
            found.packages = keys(table.get("packages"));
            found.file = Some("Pipfile".to_owned());
        } else if let Some(list) = text("requirements.txt") {
            found.packages = of_list(tree, project, list, 0);
            found.file = Some("requirements.txt".to_owned());
        } else if let Some(other) = OTHERS.iter().find(|name| has(name)) {
            let directory = join(project, split(other).0);
            found.packages = of_list(tree, directory.trim_end_matches('/'), text(other).unwrap_or_default(), 0);
            found.file = Some((*other).to_owned());
            found.is_elsewhere = true;
        }
        found.python = wanted_python(tree, project, project_table.as_ref(), pipfile.as_ref());
        found
    }

    pub(super) fn has(&self, name: &str) -> bool {
        let is_included = |(package, extras): &(String, Vec<String>)| {
            INCLUDED.iter().any(|(by, with, server)| {
                *server == name
                    && by == package
                    && (with.is_empty() || extras.iter().any(|extra| with.contains(&extra.as_str())))
            })
        };
        self.packages.iter().any(|package| package.0 == name || is_included(package))
    }
}

/// Whether a pyproject.toml lists packages, and does not only configure tools.
fn lists_packages(table: &Table) -> bool {
    let poetry = table.get("tool").and_then(|tool| tool.get("poetry")).and_then(|poetry| poetry.get("dependencies"));
    table.contains_key("project") || poetry.is_some()
}

fn of_project(table: &Table) -> Vec<(String, Vec<String>)> {
    let listed = table.get("project").and_then(|project| project.get("dependencies")).and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str).filter_map(requirement);
    let poetry = table.get("tool").and_then(|tool| tool.get("poetry")).and_then(|poetry| poetry.get("dependencies"));
    listed.chain(keys(poetry)).collect()
}

/// Packages as the keys of a table, as Poetry and Pipenv have them.
fn keys(table: Option<&Value>) -> Vec<(String, Vec<String>)> {
    let table = table.and_then(Value::as_table).into_iter().flatten();
    let extras = |value: &Value| {
        let extras = value.get("extras").and_then(Value::as_array).into_iter().flatten();
        extras.filter_map(Value::as_str).map(str::to_lowercase).collect()
    };
    table.map(|(name, value)| (normal(name), extras(value))).collect()
}

/// The packages of a requirements.txt, and of those that it includes.
fn of_list(tree: &Tree, directory: &str, text: &str, depth: usize) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        let other = ["-r", "--requirement"].into_iter().find_map(|option| line.strip_prefix(option));
        match other.map(|other| join(directory, other.trim_start_matches(['=', ' ']).trim_start_matches("./").trim())) {
            Some(path) if depth < 4 => {
                let (directory, text) = (split(&path).0, tree.text(&path).unwrap_or_default());
                found.extend(of_list(tree, directory, text, depth + 1));
            }
            _ => found.extend(requirement(line)),
        }
    }
    found
}

/// `name[extra,extra]>=1`
fn requirement(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let end =
        line.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter)).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with('-') {
        return None;
    }
    let extras = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
    let extras = extras.split(',').map(|extra| extra.trim().to_lowercase()).filter(|extra| !extra.is_empty());
    Some((normal(name), extras.collect()))
}

fn normal(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

fn wanted_python(tree: &Tree, project: &str, table: Option<&Table>, pipfile: Option<&Table>) -> Vec<String> {
    let places = [project, ""];
    let file = |name: &str| places.iter().find_map(|place| first_version(tree.text(&join(place, name))?));
    let own = table.and_then(|table| table.get("project")?.get("requires-python")?.as_str());
    let poetry = table.and_then(|table| table.get("tool")?.get("poetry")?.get("dependencies")?.get("python")?.as_str());
    let pipenv = pipfile.and_then(|table| {
        let requires = table.get("requires")?;
        requires.get("python_full_version").or_else(|| requires.get("python_version"))?.as_str()
    });
    let ranges = [own, poetry, pipenv].into_iter().flatten().map(str::to_owned);
    let image = image_version(tree.text(&join(project, "Dockerfile")).unwrap_or_default(), "python");
    // An image's `3` is any version.
    let image = image.filter(|version| version.contains('.'));
    ranges.chain([".python-version", "runtime.txt"].into_iter().filter_map(file)).chain(image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Dependencies {
        Dependencies::read(&Tree::of(files), "")
    }

    #[test]
    fn packages_are_read_from_each_kind_of_list() {
        for files in [
            &[("requirements.txt", "# uv\nFlask==3.0\nUvicorn[standard] >= 0.3 # x\n")][..],
            &[
                ("requirements.txt", "-r requirements/base.txt\n"),
                ("requirements/base.txt", "flask\n-r more.txt\n"),
                ("requirements/more.txt", "uvicorn\n"),
            ],
            &[("requirements/prod.txt", "-r base.txt"), ("requirements/base.txt", "flask\nuvicorn")],
            &[("pyproject.toml", "[project]\ndependencies = ['Flask>=3', 'uvicorn']\n")],
            &[(
                "pyproject.toml",
                "[tool.poetry.dependencies]\nflask = '^3'\nuvicorn = {version = '*', extras = ['standard']}\n",
            )],
            &[("Pipfile", "[packages]\nflask = '*'\nuvicorn = '*'\n"), ("Pipfile.lock", "")],
            &[("pyproject.toml", "[tool.ruff]\n"), ("requirements.txt", "flask\nuvicorn\n")],
        ] {
            let found = read(files);
            assert!(found.has("flask") && found.has("uvicorn") && !found.has("gunicorn"), "{files:?}: {found:?}");
        }
        assert!(read(&[("requirements/prod.txt", "flask")]).is_elsewhere);
        assert_eq!(read(&[("main.py", "")]).file, None);
    }

    #[test]
    fn some_packages_include_a_server() {
        for (list, server, included) in [
            ("fastapi[standard]", "uvicorn", true),
            ("fastapi", "uvicorn", false),
            ("Quart", "hypercorn", true),
            ("mcp[cli]", "uvicorn", true),
        ] {
            assert_eq!(read(&[("requirements.txt", list)]).has(server), included, "{list}");
        }
    }

    #[test]
    fn a_lock_decides_which_list_counts() {
        let files = [
            ("pyproject.toml", "[project]\ndependencies = ['uvicorn']\n"),
            ("requirements.txt", "gunicorn\n"),
            ("uv.lock", ""),
        ];
        assert!(read(&files).has("uvicorn") && !read(&files).has("gunicorn"));
        assert!(read(&files[..2]).has("gunicorn") && !read(&files[..2]).has("uvicorn"));
    }

    #[test]
    fn python_is_wanted_in_several_files() {
        let files = [
            ("pyproject.toml", "[project]\nrequires-python = '>=3.11'\n"),
            (".python-version", "3.12.1\n"),
            ("runtime.txt", "python-3.12.4\n"),
        ];
        assert_eq!(read(&files).python, [">=3.11", "3.12.1", "3.12.4"]);
        assert_eq!(read(&[("Dockerfile", "FROM python:3.12-slim\n")]).python, ["3.12"]);
        assert_eq!(read(&[("Pipfile", "[requires]\npython_version = '3.11'\n")]).python, ["3.11"]);
    }
}
