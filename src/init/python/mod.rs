//! Apps in Python: FastAPI, Flask, Django and others, and MCP servers.

mod apps;
mod dependencies;
mod imports;
mod models;
mod parameters;
mod routes;
mod server;
mod views;

use super::found::Found;
use super::runtime::Installed;
use super::tree::{Tree, join, relative, split};
use apps::App;
use dependencies::Dependencies;
use imports::Module;

/// Files that list what is installed. A directory with one of them is a project.
const LISTS: [&str; 7] =
    ["requirements.txt", "pyproject.toml", "Pipfile", "pylock.toml", "setup.py", "setup.cfg", "requirements"];
/// Directories whose apps are not what a project is about.
const ASIDE: [&str; 9] = ["tests", "test", "docs", "doc", "examples", "example", "scripts", "benchmarks", "migrations"];

/// One app of each project.
pub(super) fn find(tree: &Tree, installed: &Installed) -> Vec<Found> {
    let is_source = |path: &str| path.ends_with(".py") && !is_test(path);
    let paths = tree.below("").filter(|(path, _)| is_source(path));
    let modules: Vec<Module> = paths.map(|(path, text)| Module::new(path, text)).collect();
    let mut projects: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let apps = apps::apps(&modules);
    for app in &apps {
        let project = project_of(tree, &modules[app.module].path);
        if !projects.contains(&project) {
            projects.push(project);
        }
    }
    for project in projects {
        let is_inside = |app: &&App| project_of(tree, &modules[app.module].path) == project;
        let mut apps: Vec<&App> = apps.iter().filter(is_inside).collect();
        apps.sort_by_key(|app| app.rank(&modules[app.module].path, &project));
        let dependencies = Dependencies::read(tree, &project);
        found.extend(server::described(tree, &modules, &apps, &project, &dependencies, installed));
    }
    found
}

fn is_test(path: &str) -> bool {
    let (directory, name) = split(path);
    let is_test =
        name.starts_with("test_") || name.ends_with("_test.py") || ["conftest.py", "setup.py"].contains(&name);
    is_test || directory.split('/').any(|part| ["tests", "test"].contains(&part))
}

/// The deepest directory around a file that lists packages; without one, the directory above the file's package.
fn project_of(tree: &Tree, path: &str) -> String {
    let mut directory = split(path).0;
    loop {
        if LISTS.iter().any(|list| tree.has(&join(directory, list))) {
            return directory.to_owned();
        }
        if directory.is_empty() {
            return above_package(tree, split(path).0).to_owned();
        }
        directory = split(directory).0;
    }
}

/// The directory in which a package's top-level name is found.
fn above_package<'a>(tree: &Tree, mut directory: &'a str) -> &'a str {
    while !directory.is_empty() && tree.has(&join(directory, "__init__.py")) {
        directory = split(directory).0;
    }
    directory
}

/// Where Python finds a module: the directory, relative to the project, and its dotted name there.
fn import_name(tree: &Tree, module: &Module, project: &str) -> (String, String) {
    let directory = split(&module.path).0;
    let above = above_package(tree, directory);
    // A directory without `__init__.py` is a package, too, unless its files import each other without its name.
    let is_sibling = |name: &String| {
        let name = name.split('.').next().unwrap_or_default();
        let exists = |directory: &str| {
            tree.has(&join(directory, &format!("{name}.py"))) || tree.below(&join(directory, name)).next().is_some()
        };
        exists(above) && !exists(project)
    };
    let stays = above == directory && module.imported().any(|name| is_sibling(&name));
    let in_project = relative(&module.path, project).unwrap_or(&module.path);
    let root = if stays || in_project.starts_with("src/") { above } else { project };
    let root = if relative(&module.path, root).is_some() { root } else { project };
    let name = relative(&module.path, root).unwrap_or(&module.path).trim_end_matches(".py");
    let name = name.trim_end_matches("/__init__").replace('/', ".");
    (relative(root, project).filter(|_| root != project).unwrap_or_default().to_owned(), name)
}

/// Whether a path is in a directory that a project has beside its app.
fn is_aside(path: &str) -> bool {
    split(path).0.split('/').any(|part| ASIDE.contains(&part))
}
