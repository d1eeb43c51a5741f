//! Which registry serves which packages of Node, by the `.npmrc` files of the project and the settings of yarn, pnpm and
//! bun.
//!
//! A scope of a private registry must not be requested from the public one, where anyone may have registered it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use super::yaml;
use crate::tool;

/// Other settings that decide which package npm installs.
const OTHERS: [&str; 6] = ["before", "tag", "min-release-age", "legacy-peer-deps", "install-strategy", "prefer-dedupe"];

/// The lines of a `.npmrc` for a `package.json`; nearer files take precedence. Empty if there are none.
pub(super) fn npmrc(list: &Path) -> String {
    let mut lines = BTreeMap::new();
    let mut several = Vec::new();
    for directory in directories(list).iter().rev() {
        for line in others(directory).into_iter().chain(own(directory)) {
            match line.split_once('=') {
                Some((key, _)) if key.trim_end().ends_with("[]") => several.push(line.clone()),
                Some((key, _)) => _ = lines.insert(key.trim().to_owned(), line.clone()),
                None => {}
            }
        }
    }
    lines.into_values().chain(several).map(|line| line + "\n").collect()
}

/// The registries in npm's own settings: of the user, of the machine, and in variables. npm omits passwords.
pub(super) async fn in_force(npm: &Path) -> String {
    let mut command = Command::new(npm);
    // The root directory is in no project.
    command.args(["config", "list", "--json"]).current_dir("/");
    let text = tool::output("npm", command).await.unwrap_or_default();
    let settings: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let decides = |key: &str| key.contains("registry") || OTHERS.contains(&key);
    let mut found: Vec<String> = settings.iter().filter(|(key, _)| decides(key)).map(|it| format!("{it:?}")).collect();
    if found.is_empty() {
        // This npm cannot list its settings, so the files and variables count as they are.
        let is_of_npm = |name: &str| name.to_lowercase().starts_with("npm_config_");
        found.extend(std::env::vars().filter(|(name, _)| is_of_npm(name)).map(|it| format!("{it:?}")));
        found.sort();
        let home = std::env::var_os("HOME").unwrap_or_default();
        found.push(tool::text(&Path::new(&home).join(".npmrc")).unwrap_or_default());
    }
    found.join("\n")
}

/// Gives the project's `.npmrc` precedence over variables, which yarn and npm set for the programs that they run.
pub(super) fn keep(command: &mut Command, npmrc: &str) {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| is_named(name, npmrc)).for_each(|name| _ = command.env_remove(name));
}

/// Whether a variable sets a registry that the lines of a `.npmrc` set.
fn is_named(variable: &str, npmrc: &str) -> bool {
    let variable = variable.to_lowercase();
    let Some(key) = variable.strip_prefix("npm_config_").filter(|key| key.ends_with("registry")) else { return false };
    npmrc.lines().filter_map(|line| line.split_once('=')).any(|(name, _)| name.trim().eq_ignore_ascii_case(key))
}

fn own(directory: &Path) -> Vec<String> {
    let text = tool::text(&directory.join(".npmrc")).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']) && !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// The directory of the list and those above it, nearest first, up to the root of the repository or of the workspace; never
/// the home directory, whose `.npmrc` npm reads itself, nor a directory of another user.
pub(super) fn directories(list: &Path) -> Vec<PathBuf> {
    let Ok(list) = list.canonicalize() else { return vec![tool::around(list)] };
    let is_last = |at: &Path| tool::is_repository(at) || at.join("pnpm-workspace.yaml").exists() || is_workspace(at);
    tool::upwards(&tool::around(&list), is_last)
}

fn is_workspace(directory: &Path) -> bool {
    let package = tool::text(&directory.join("package.json")).ok();
    package
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .is_some_and(|package| package["workspaces"] != Value::Null)
}

/// The registries of other tools' settings, as lines of a `.npmrc`.
fn others(directory: &Path) -> Vec<String> {
    let text = |name: &str| tool::text(&directory.join(name)).ok();
    let mut lines = Vec::new();
    if let Some(berry) = text(".yarnrc.yml").and_then(|text| yaml::value(&text)) {
        lines.extend(of_berry("registry", &berry));
        for (scope, settings) in berry["npmScopes"].as_object().into_iter().flatten() {
            lines.extend(of_berry(&format!("@{scope}:registry"), settings));
        }
        for (registry, settings) in berry["npmRegistries"].as_object().into_iter().flatten() {
            lines.extend(token(registry, settings));
        }
    }
    // `"@corp:registry" "https://…"`.
    for line in text(".yarnrc").unwrap_or_default().lines() {
        if let Some((key, address)) = line.trim().split_once(' ') {
            let key = key.trim_matches('"');
            if key == "registry" || key.ends_with(":registry") {
                lines.push(format!("{key}={}", address.trim().trim_matches('"')));
            }
        }
    }
    if let Some(pnpm) = text("pnpm-workspace.yaml").and_then(|text| yaml::value(&text)) {
        for (scope, address) in pnpm["registries"].as_object().into_iter().flatten() {
            let key = if scope == "default" { "registry".to_owned() } else { format!("{scope}:registry") };
            lines.extend(address.as_str().map(|address| format!("{key}={address}")));
        }
    }
    if let Some(bun) = text("bunfig.toml").and_then(|text| text.parse::<toml::Table>().ok()) {
        let install = bun.get("install");
        let address = |value: &toml::Value| value.as_str().or_else(|| value.get("url")?.as_str()).map(str::to_owned);
        lines.extend(install.and_then(|it| it.get("registry")).and_then(address).map(|it| format!("registry={it}")));
        for (scope, value) in install.and_then(|it| it.get("scopes")?.as_table()).into_iter().flatten() {
            let scope = scope.trim_start_matches('@');
            lines.extend(address(value).map(|address| format!("@{scope}:registry={address}")));
        }
    }
    lines
}

fn of_berry(key: &str, settings: &Value) -> Vec<String> {
    let Some(server) = settings["npmRegistryServer"].as_str() else { return Vec::new() };
    let mut lines = vec![format!("{key}={server}")];
    lines.extend(token(server, settings));
    lines
}

fn token(registry: &str, settings: &Value) -> Option<String> {
    let token = settings["npmAuthToken"].as_str()?;
    let place = registry.split_once(':').map_or(registry, |(_, place)| place).trim_end_matches('/');
    Some(format!("{place}/:_authToken={token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_does_not_replace_what_the_project_names() {
        let npmrc = "@corp:registry=https://corp/\nregistry = https://near/\n";
        for name in ["npm_config_registry", "NPM_CONFIG_REGISTRY", "npm_config_@corp:registry"] {
            assert!(is_named(name, npmrc), "{name}");
        }
        for name in ["npm_config_@other:registry", "npm_config_cache", "REGISTRY"] {
            assert!(!is_named(name, npmrc), "{name}");
        }
    }

    #[test]
    fn registries_of_the_project_and_above_are_known() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("root/package.json", r#"{"workspaces": ["*"]}"#);
        write("root/.npmrc", "# all\n@corp:registry=https://corp/\nregistry=https://above/\n");
        write(
            "root/.yarnrc.yml",
            "npmScopes:\n  own:\n    npmRegistryServer: https://own/npm/\n    npmAuthToken: ${T}\n",
        );
        write("root/app/.npmrc", "registry=https://near/\n");
        write("root/app/.yarnrc", "\"@old:registry\" \"https://old/\"\n");
        write("root/app/bunfig.toml", "[install.scopes]\nbun = { url = 'https://bun/' }\n");
        write("root/app/package.json", "{}");
        write(".npmrc", "registry=https://outside/\n");
        let found = npmrc(&place.path().join("root/app/package.json"));
        let expected = "//own/npm/:_authToken=${T}\n@bun:registry=https://bun/\n@corp:registry=https://corp/\n@old:registry=https://old/\n\
                        @own:registry=https://own/npm/\nregistry=https://near/\n";
        assert_eq!(found, expected);
    }
}
