//! Says at a deploy which settings of cargo-lambda a crate has that lamstream does not use.

use super::cargo_lambda::described;
use super::{Beside, ManifestRules, resolved};
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::manifest::{CodeSource, Function};
use crate::text::list;
use import::Options;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What is in a `Cargo.toml` that has settings of cargo-lambda.
const TABLE: &str = "metadata.lambda";
/// What `cargo lambda deploy` uses if nothing is set.
const DEFAULTS: [(&str, i64); 1] = [("timeout", 30)];

/// One note for each function whose crate has settings that its manifest lacks. A crate that cannot be read is left to
/// the build.
pub(in crate::commands) async fn note_unused(session: &Session, project: &Project) {
    for function in &project.functions {
        let CodeSource::Crate { directory, bin, .. } = &function.source else { continue };
        let directory = resolved(&project.path(directory));
        let Some(source) = source(&directory) else { continue };
        let Some(imported) = imported(&directory, bin.as_deref()).await else { continue };
        let unset = unset(&imported, &own(project, function));
        if unset.is_empty() {
            continue;
        }
        let (name, shown) = (&function.name, shown(project, &source));
        session.console.note(&format!(
            "`{name}`: cargo-lambda's settings in `{shown}` are not used: {}; `lamstream import cargo-lambda` writes them for \
             the manifest",
            list::quoted_and(&unset)
        ));
    }
}

/// The file with cargo-lambda's settings for a crate, if there is one.
fn source(directory: &Path) -> Option<PathBuf> {
    let has_table = |path: &PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text.contains(TABLE));
    let manifest = Some(directory.join("Cargo.toml")).filter(has_table);
    manifest.or_else(|| Some(directory.join("CargoLambda.toml")).filter(|path| path.is_file()))
}

/// The function's table, as the import would write it.
async fn imported(directory: &Path, bin: Option<&str>) -> Option<Table> {
    let found = packaging::Workspace::read(directory).await.ok()?;
    let workspace = described(&found, directory, &|_| String::new()).ok()?;
    let options = Options {
        app: "app",
        region: None,
        account: None,
        template_directory: "",
        rules: &ManifestRules,
        files: &Beside(found.directory.clone()),
    };
    let imported = import::cargo_lambda(&workspace, options).ok()?;
    let manifest: Table = imported.manifest.parse().ok()?;
    let functions: Vec<&Table> = manifest.get("functions")?.as_table()?.values().filter_map(Value::as_table).collect();
    let is_wanted = |table: &&&Table| table.get("bin").is_none_or(|name| name.as_str() == bin);
    functions.iter().find(is_wanted).or(functions.first()).map(|table| (*table).clone())
}

/// The function's table in the manifest, with that of the stage over it.
fn own(project: &Project, function: &Function) -> Table {
    let manifest: Table = project.text.parse().unwrap_or_default();
    let at = |table: &Table| table.get("functions")?.get(&function.name)?.as_table().cloned();
    let mut own = at(&manifest).unwrap_or_default();
    let stage = project.manifest.stage.as_ref().and_then(|stage| manifest.get("stages")?.get(stage)?.as_table());
    own.extend(stage.and_then(at).unwrap_or_default());
    own
}

/// The keys that only `imported` has; of the environment, its variables.
fn unset(imported: &Table, own: &Table) -> Vec<String> {
    let is_default = |key: &str, value: &Value| {
        DEFAULTS.iter().any(|(name, usual)| *name == key && value.as_integer() == Some(*usual))
    };
    let mut unset = Vec::new();
    for (key, value) in
        imported.iter().filter(|(key, value)| !["crate", "bin"].contains(&key.as_str()) && !is_default(key, value))
    {
        match (key.as_str(), own.get(key)) {
            ("environment", found) => {
                let has = |name: &str| found.is_some_and(|found| found.get(name).is_some());
                let names = value.as_table().into_iter().flat_map(Table::keys);
                unset.extend(names.filter(|name| !has(name)).map(|name| format!("environment.{name}")));
            }
            (_, None) => unset.push(key.clone()),
            (_, Some(_)) => {}
        }
    }
    unset
}

/// The path from the manifest, if it is below it.
fn shown(project: &Project, path: &Path) -> String {
    path.strip_prefix(resolved(&project.directory)).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_manifest_sets_is_used_whatever_its_value() {
        let imported =
            "crate = \".\"\nmemory = 512\ntimeout = 30\nlayers = []\nenvironment = { A = \"1\", B = \"2\" }\n";
        let own = "crate = \"x\"\nmemory = 128\nenvironment = { A = \"3\" }\n";
        assert_eq!(unset(&imported.parse().unwrap(), &own.parse().unwrap()), ["environment.B", "layers"]);
        assert!(unset(&own.parse().unwrap(), &own.parse().unwrap()).is_empty());
    }
}
