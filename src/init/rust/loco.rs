//! Loco: the command `start` of its program is the server, and reads `config/ENVIRONMENT.yaml`.

use super::crates::Crate;
use super::module::Module;
use crate::init::found::{Function, Port};
use crate::init::route::{Check, CheckFound};
use crate::init::tree::{Tree, join};

/// The package that an app of Loco depends on.
pub(super) const PACKAGE: &str = "loco-rs";

/// Adds what an app of Loco needs; `bin` is its program.
pub(super) fn add(
    function: &mut Function,
    notes: &mut Vec<String>,
    tree: &Tree,
    of: &Crate,
    modules: &[Module],
    bin: &str,
) {
    if !of.needs(PACKAGE) {
        return;
    }
    function.run = Some(format!("{bin} start"));
    let directories = ["config", "assets"].into_iter().filter(|name| {
        let is_known = function.include.iter().any(|known| known == name);
        !is_known && tree.below(&join(&of.directory, name)).next().is_some()
    });
    let directories: Vec<String> = directories.map(str::to_owned).collect();
    function.include.extend(directories);
    if let Some(text) = tree.text(&join(&of.directory, "config/production.yaml")) {
        function.environment = vec![("LOCO_ENV", "production".to_owned())];
        function.port = port(text);
        let missing = required(text);
        if !missing.is_empty() {
            let names = crate::text::list::quoted(missing);
            notes.push(format!("`config/production.yaml` needs variables: set them in `environment`: {names}"));
        }
    }
    let has_own = |module: &Module| module.source.has_word(module.source.all(), &["with_default_routes"]);
    if matches!(function.check, CheckFound::None) && modules.iter().any(has_own) {
        let path = "/_ping".to_owned();
        function.check = CheckFound::Complete(Check { method: "GET".to_owned(), path, ..Check::default() });
    }
}

/// The port of `server.port`, which may come from a variable.
fn port(configuration: &str) -> Port {
    let value = configuration.lines().find_map(|line| line.trim().strip_prefix("port:")).map(str::trim);
    match value {
        Some(value) if value.contains("\"PORT\"") => Port::FromVariable,
        Some(value) => value.parse().map_or(Port::Unknown, Port::Fixed),
        None => Port::Unknown,
    }
}

/// The variables that a configuration reads without a default, in `get_env(name="HOST")`.
fn required(configuration: &str) -> Vec<String> {
    let lines = configuration.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut names: Vec<String> = Vec::new();
    for call in lines.flat_map(|line| line.split("get_env(").skip(1)) {
        let arguments = call.split(')').next().unwrap_or_default();
        let name = arguments.split_once("name=\"").and_then(|(_, rest)| rest.split('"').next());
        if let Some(name) =
            name.filter(|name| !arguments.contains("default=") && !names.iter().any(|known| known == name))
        {
            names.push(name.to_owned());
        }
    }
    names
}
