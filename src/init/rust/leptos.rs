//! Leptos: its server is one feature of a crate, and cargo-leptos builds the site that it serves.

use super::crates::Crate;
use super::module::Module;
use crate::init::found::{Function, Port};
use toml::{Table, Value};

/// Where cargo-leptos puts the site, unless the crate says otherwise.
const SITE: &str = "target/site";
/// Where the files that it compiles are in the site.
const PKG: &str = "pkg";

/// Adds what a crate with `[package.metadata.leptos]` needs; `bin` is its server.
pub(super) fn add(function: &mut Function, notes: &mut Vec<String>, of: &Crate, modules: &[Module], bin: &str) {
    let Some(table) = of.metadata("leptos") else { return };
    let text = |key: &str| table.get(key).and_then(Value::as_str).filter(|value| !value.is_empty());
    let output = text("output-name").unwrap_or(of.function_name());
    let (site, pkg) = (text("site-root").unwrap_or(SITE), text("site-pkg-dir").unwrap_or(PKG));
    function.environment = vec![("LEPTOS_OUTPUT_NAME", output.to_owned())];
    let others = [("LEPTOS_SITE_ROOT", site, SITE), ("LEPTOS_SITE_PKG_DIR", pkg, PKG)];
    let others = others.into_iter().filter(|(_, value, usual)| value != usual);
    function.environment.extend(others.map(|(name, value, _)| (name, value.to_owned())));
    // The address is one variable, in which only a shell can name the port.
    function.run = Some(format!("LEPTOS_SITE_ADDR=127.0.0.1:$PORT exec {bin}"));
    function.port = Port::FromVariable;
    function.include.push(site.to_owned());
    // `get_configuration(Some("Cargo.toml"))` reads the crate's own file.
    let reads = |module: &Module| {
        let source = &module.source;
        source.has(source.all(), &["get_configuration", "(", "Some"])
    };
    if modules.iter().any(reads) {
        function.include.push("Cargo.toml".to_owned());
    }
    function.features = strings(table, "bin-features");
    function.without_default_features = table.get("bin-default-features").and_then(Value::as_bool) != Some(true);
    function.build = Some("cargo leptos build --release --frontend-only".to_owned());
    notes.push("cargo-leptos builds the site: `cargo install --locked cargo-leptos`".to_owned());
    if table.get("hash-files").and_then(Value::as_bool) == Some(true) {
        notes.push("set `hash-files = false` in `Cargo.toml`: the package has no list of hashes".to_owned());
    }
}

fn strings(table: &Table, key: &str) -> Vec<String> {
    let values = table.get(key).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}
