//! Servers for Bun and Deno, which become programs of their own.

use super::module::Module;
use super::package::{Package, Tool};
use super::sources::modules;
use super::{port, routes};
use crate::init::found::{Found, Function};
use crate::init::route::check_for;
use crate::init::tree::{Tree, join, relative};

/// What Bun needs, unless Node.js runs it as well.
pub(super) fn described(package: &Package, modules: &[Module]) -> Option<Found> {
    let entry = modules.iter().find(|module| calls_bun(module));
    let start = package.script("start").unwrap_or_default();
    let by_script = start.split_whitespace().next() == Some("bun");
    let is_for_bun = by_script || package.tool == Tool::Bun || package.has("@types/bun") || package.has("bun-types");
    // Node.js starts no server that is only exported.
    let is_served = modules.iter().any(port::is_server);
    let named = start.split_whitespace().last().unwrap_or_default();
    let by_name = modules.iter().find(|module| by_script && module.path.ends_with(named.trim_start_matches("./")));
    let exported = || modules.iter().find(|module| port::is_exported(module)).filter(|_| is_for_bun && !is_served);
    let entry = entry.or(by_name).or_else(exported)?;
    let file = relative(&entry.path, &package.directory)?;
    let install = if package.tool == Tool::Bun { package.tool.install() } else { "bun install" };
    let build = format!("{install} && bun build --compile --outfile server {file}");
    Some(program(&package.directory, "a server for Bun", modules, entry, build))
}

/// A server without a package.json.
pub(super) fn alone(tree: &Tree, found: &[Found]) -> Option<Found> {
    let directories = ["deno.json", "deno.jsonc"].into_iter().flat_map(|name| tree.directories_with(name));
    let directories: Vec<&str> = directories.chain([""]).collect();
    directories.into_iter().find_map(|directory| {
        if found.iter().any(|app| app.directory == directory)
            || tree.has(&join(directory, "package.json")) && directory.is_empty()
        {
            return None;
        }
        let modules = modules(tree, directory);
        let deno = modules.iter().find(|module| module.source.has(module.source.all(), &["Deno", ".", "serve", "("]));
        if let Some(entry) = deno {
            let file = relative(&entry.path, directory)?;
            let build = format!("deno compile --allow-all --output server {file}");
            return Some(program(directory, "a server for Deno", &modules, entry, build));
        }
        let entry = modules.iter().find(|module| calls_bun(module))?;
        let build = format!("bun build --compile --outfile server {}", relative(&entry.path, directory)?);
        Some(program(directory, "a server for Bun", &modules, entry, build))
    })
}

fn calls_bun(module: &Module) -> bool {
    module.source.has(module.source.all(), &["Bun", ".", "serve", "("])
}

/// A program that a command compiles.
fn program(directory: &str, what: &str, modules: &[Module], entry: &Module, build: String) -> Found {
    let function = Function {
        name: "api".to_owned(),
        runtime: Some("provided.al2023".to_owned()),
        run: Some("./server".to_owned()),
        port: port::port(modules, Some(&entry.path)),
        dependencies: Some("none".to_owned()),
        build: Some(build),
        exclude: vec!["node_modules"],
        memory: Some(256),
        check: check_for(&routes::routes(modules)),
        ..Function::default()
    };
    Found { directory: directory.to_owned(), what: what.to_owned(), function, notes: Vec::new() }
}
