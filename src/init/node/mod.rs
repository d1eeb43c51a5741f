//! Apps in JavaScript and TypeScript: Next.js, Nest, Hono, Fastify, Express and others, MCP servers, and Bun.

mod body;
mod bun;
mod entry;
mod frameworks;
mod module;
mod package;
mod pages;
mod port;
mod routes;
mod sources;

use super::found::{Found, Function, Port};
use super::route::{Check, CheckFound, check_for, unclear_stream};
use super::runtime::{self, Installed};
use super::tree::{DEEPEST, Tree, depth, join, relative};
use entry::Start;
use frameworks::Framework;
use module::Module;
use package::Package;
use sources::modules;

/// The apps of all packages.
pub(super) fn find(tree: &Tree, installed: &Installed) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for directory in tree.directories_with("package.json") {
        // The app around a package has it.
        let is_inside =
            found.iter().any(|app| relative(directory, &app.directory).is_some() && !app.directory.is_empty());
        if depth(directory) <= DEEPEST && !is_inside {
            found.extend(Package::read(tree, directory).and_then(|package| described(tree, &package, installed)));
        }
    }
    let alone = bun::alone(tree, &found).or_else(|| script(tree, installed, &found));
    found.into_iter().chain(alone).collect()
}

fn is_path(text: &str) -> bool {
    text.len() > 1 && text.starts_with('/')
}

/// A server of Node.js in a directory without any package.json.
fn script(tree: &Tree, installed: &Installed, found: &[Found]) -> Option<Found> {
    let is_alone = found.is_empty() && tree.directories_with("package.json").is_empty();
    let package = is_alone.then(|| Package::none(tree, ""))?;
    let mut found = described(tree, &package, installed)?;
    let packages = modules(tree, "").iter().flat_map(Module::packages).collect::<std::collections::BTreeSet<String>>();
    if !packages.is_empty() {
        let names = crate::text::list::quoted(&packages);
        found.notes.push(format!("no `package.json` lists the app's packages: {names}"));
    }
    Some(found)
}

fn described(tree: &Tree, package: &Package, installed: &Installed) -> Option<Found> {
    let modules = modules(tree, &package.directory);
    let framework = frameworks::framework(package, &modules)?;
    if let Some(found) = bun::described(package, &modules) {
        return Some(found);
    }
    let start = frameworks::start(tree, package, &modules, framework)?;
    let (check, mut notes) = check(tree, package, &modules, framework);
    notes.extend(start.notes.clone());
    let port = if start.reads_port { Port::FromVariable } else { port::port(&modules, start.entry.as_deref()) };
    let Start { run, packaged, build, dependencies, .. } = start;
    let function = Function {
        name: frameworks::name(framework).to_owned(),
        runtime: Some(runtime::node(&package.node, &installed.node)),
        run: Some(run),
        port,
        dependencies,
        packaged,
        build,
        memory: Some(if framework.is_large() { 512 } else { 256 }),
        exclude: if framework == Framework::Next { vec![".next/cache"] } else { Vec::new() },
        check,
        ..Function::default()
    };
    if port == Port::Unknown {
        notes.push("the source does not show the app's port: set `port`, unless the app reads `PORT`".to_owned());
    }
    Some(Found { directory: package.directory.clone(), what: frameworks::label(framework).to_owned(), function, notes })
}

fn check(tree: &Tree, package: &Package, modules: &[Module], framework: Framework) -> (CheckFound, Vec<String>) {
    if framework == Framework::Mcp {
        let routes = routes::routes(modules);
        let path = routes.iter().find(|route| route.method == "POST" && route.path.ends_with("mcp"));
        return (CheckFound::Mcp(path.map_or("/mcp", |route| &route.path).to_owned()), Vec::new());
    }
    let routes = match framework {
        Framework::Next | Framework::Nuxt | Framework::Nitro => pages::routes(package, modules),
        Framework::Nest => routes::controllers(modules),
        _ => routes::routes(modules),
    };
    let mut check = check_for(&routes);
    // Sites have a page there, and a server without routes answers every path.
    let compares = |module: &Module| module.source.all().any(|at| module.source.text(at).is_some_and(is_path));
    let is_plain =
        matches!(framework, Framework::Server | Framework::Koa) && routes.is_empty() && !modules.iter().any(compares);
    if matches!(check, CheckFound::None) && (framework.has_pages() || is_plain) {
        check = CheckFound::Complete(Check { method: "GET".to_owned(), path: "/".to_owned(), ..Check::default() });
    }
    // A server of files has an index.
    let serves_index = tree.has(&join(&package.directory, "public/index.html"))
        && modules.iter().any(|module| module.source.has(module.source.all(), &["static", "("]));
    if matches!(check, CheckFound::None) && serves_index {
        check = CheckFound::Complete(Check { method: "GET".to_owned(), path: "/".to_owned(), ..Check::default() });
    }
    let notes = unclear_stream(&routes).map(|route| {
        format!("`{route}` streams, but the source does not show all of the request that it needs: complete `check`")
    });
    (check, notes.into_iter().collect())
}
