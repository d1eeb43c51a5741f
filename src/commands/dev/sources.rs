//! The directories and files that a function's package is made of.

use crate::commands::project::Project;
use crate::manifest::{CodeSource, Dependencies, Function};
use ignore::WalkBuilder;
use std::fs;
use std::path::{Path, PathBuf};

/// Where Node.js finds packages; those of a workspace are links.
const NODE_MODULES: &str = "node_modules";

pub(super) async fn of(project: &Project, function: &Function) -> Vec<PathBuf> {
    let command = function.build.command.as_ref();
    let built =
        command.and_then(|command| command.directory.as_ref()).map(|directory| project.path(Path::new(directory)));
    let sources = match &function.source {
        CodeSource::Crate { directory, .. } => {
            let directory = project.path(directory);
            // Cargo itself reports a crate that cannot be read.
            let packages = packaging::local_packages(&directory).await.unwrap_or_default();
            return [vec![directory], packages].concat();
        }
        CodeSource::App { directory, dependencies, .. } => {
            let directory = project.path(directory);
            let list = match dependencies {
                Dependencies::File(list) => Some(project.path(list)),
                Dependencies::Auto | Dependencies::None => None,
            };
            linked(&directory).into_iter().chain(list).chain([directory]).collect()
        }
        CodeSource::Package { path, .. } => vec![project.path(path)],
    };
    built.into_iter().chain(sources).collect()
}

/// What links of an app lead to outside of it: its own, and those to the packages of a workspace that it belongs to.
fn linked(app: &Path) -> Vec<PathBuf> {
    let Ok(app) = fs::canonicalize(app) else { return Vec::new() };
    let own = WalkBuilder::new(&app).build().flatten().filter(|entry| entry.path_is_symlink());
    let packages = app.ancestors().filter(|directory| directory.join("package.json").is_file());
    let packages = packages.flat_map(|directory| entries(&directory.join(NODE_MODULES)));
    // Packages with a scope are one level below.
    let scoped = |path: PathBuf| if is_scope(&path) { entries(&path) } else { vec![path] };
    let links = own.map(ignore::DirEntry::into_path).chain(packages.flat_map(scoped));
    let targets = links.filter(|path| path.is_symlink()).filter_map(|link| fs::canonicalize(link).ok());
    // A package manager installs these again; developers do not edit them.
    let is_installed = |path: &PathBuf| path.components().any(|part| part.as_os_str() == NODE_MODULES);
    // A directory elsewhere on this machine, such as one of data, may be too large to be watched.
    let is_root = |directory: &&Path| directory.join(".git").exists() || directory.join("package.json").is_file();
    let root = app.ancestors().filter(is_root).last().unwrap_or(&app);
    let is_near = |target: &PathBuf| target.is_file() || target.starts_with(root);
    targets.filter(|target| !target.starts_with(&app) && !is_installed(target) && is_near(target)).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn is_scope(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@')) && !path.is_symlink()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_to_files_of_others_and_to_packages_of_the_workspace() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(directory.path()).expect("its path");
        for made in ["apps/web", "libs/words", "libs/scoped", "shared", "node_modules/@own", "node_modules/real"] {
            fs::create_dir_all(root.join(made)).expect("it is made");
        }
        for written in ["package.json", "apps/web/package.json", "apps/web/server.js", "shared/mod.py"] {
            fs::write(root.join(written), "").expect("it is written");
        }
        for (target, link) in [
            ("libs/words", "node_modules/words"),
            ("libs/scoped", "node_modules/@own/scoped"),
            ("node_modules/real", "node_modules/other"),
            ("apps/web/server.js", "apps/web/again.js"),
            ("shared/mod.py", "apps/web/mod.py"),
            ("nowhere", "apps/web/dangling"),
            ("..", "apps/web/far"),
        ] {
            symlink(root.join(target), root.join(link)).expect("a link");
        }
        let mut found = linked(&root.join("apps/web"));
        found.sort();
        assert_eq!(found, ["libs/scoped", "libs/words", "shared/mod.py"].map(|path| root.join(path)));
    }
}
