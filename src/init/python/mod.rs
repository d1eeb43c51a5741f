//! Apps in Python: FastAPI, Flask, Django and others, and MCP servers.

mod apps;
mod dependencies;
mod imports;
mod layout;
mod models;
mod parameters;
mod routes;
mod server;
mod settings;
mod views;

use super::found::Found;
use super::runtime::Installed;
use super::tree::Tree;
use apps::App;
use dependencies::Dependencies;
use imports::Module;
use layout::{is_test, project_of};

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
