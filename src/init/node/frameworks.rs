//! The frameworks of Node.js, and what each needs to be built and started.

use super::entry::{self, Start};
use super::module::Module;
use super::package::Package;
use super::port;
use crate::init::tree::{Tree, join, relative, split};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framework {
    Next,
    Nuxt,
    Nitro,
    SvelteKit,
    Remix,
    Astro,
    Nest,
    Mcp,
    Hono,
    Fastify,
    Express,
    Koa,
    /// Node.js's own.
    Server,
}

impl Framework {
    pub(super) fn is_large(self) -> bool {
        use Framework::{Astro, Next, Nuxt, Remix, SvelteKit};
        matches!(self, Next | Nuxt | Remix | SvelteKit | Astro)
    }

    /// Whether it makes pages, of which one is at `/`.
    pub(super) fn has_pages(self) -> bool {
        self.is_large()
    }
}

/// The first whose package is there is the framework: most of them are built on those below.
const PACKAGES: &[(&str, Framework)] = &[
    ("next", Framework::Next),
    ("nuxt", Framework::Nuxt),
    ("nitropack", Framework::Nitro),
    ("nitro", Framework::Nitro),
    ("@sveltejs/adapter-node", Framework::SvelteKit),
    ("@remix-run/serve", Framework::Remix),
    ("@react-router/serve", Framework::Remix),
    ("@astrojs/node", Framework::Astro),
    ("@nestjs/core", Framework::Nest),
    ("@modelcontextprotocol/sdk", Framework::Mcp),
    ("hono", Framework::Hono),
    ("fastify", Framework::Fastify),
    ("koa", Framework::Koa),
    ("express", Framework::Express),
];

/// What shows that an MCP server can be reached by HTTP.
const TRANSPORTS: &[&str] = &["StreamableHTTPServerTransport", "NodeStreamableHTTPServerTransport", "createMcpHandler"];

pub(super) fn framework(package: &Package, modules: &[Module]) -> Option<Framework> {
    let known = PACKAGES.iter().filter(|(name, _)| package.needs(name) || package.has(name) && is_built_with(name));
    let is_served = modules.iter().any(port::is_server);
    let serves_mcp = || modules.iter().any(|module| module.source.has_word(module.source.all(), TRANSPORTS));
    let mut known = known.map(|(_, framework)| *framework).filter(|framework| match framework {
        Framework::Mcp => serves_mcp(),
        Framework::Hono | Framework::Fastify | Framework::Koa | Framework::Express => {
            is_served || package.script("start").is_some() || modules.iter().any(port::is_exported)
        }
        _ => true,
    });
    // A server of Node.js's own is at the top or in `src`, not in a directory of examples.
    let is_near = |module: &Module| {
        let inside = relative(&module.path, &package.directory).unwrap_or(&module.path);
        ["", "src", "server", "bin", "lib"].contains(&split(inside).0)
    };
    let has_own = modules.iter().any(|module| port::is_server(module) && is_near(module));
    known.next().or_else(|| has_own.then_some(Framework::Server))
}

/// Packages that only the build needs, which makes a server that is complete.
fn is_built_with(name: &str) -> bool {
    ["next", "nuxt", "nitropack", "nitro", "@sveltejs/adapter-node"].contains(&name)
}

pub(super) fn start(tree: &Tree, package: &Package, modules: &[Module], framework: Framework) -> Option<Start> {
    let found = match framework {
        Framework::Next => next(tree, package),
        Framework::Nuxt | Framework::Nitro => Start {
            run: "node server/index.mjs".to_owned(),
            packaged: ".output".to_owned(),
            build: Some(package.build(&["build"])),
            dependencies: Some("none".to_owned()),
            reads_port: true,
            ..Start::default()
        },
        Framework::SvelteKit => Start {
            run: "node build/index.js".to_owned(),
            build: Some(package.build(&["build"])),
            reads_port: true,
            ..Start::default()
        },
        Framework::Astro => Start {
            run: "node ./dist/server/entry.mjs".to_owned(),
            build: Some(package.build(&["build"])),
            reads_port: true,
            ..Start::default()
        },
        Framework::Remix => Start { reads_port: true, ..entry::start(package, modules)? },
        Framework::Nest if package.script("start:prod").is_none() => Start {
            run: "node dist/main.js".to_owned(),
            build: Some(package.build(&["build"])),
            entry: Some(join(&package.directory, "src/main.ts")),
            ..Start::default()
        },
        _ => entry::start(package, modules)?,
    };
    Some(found)
}

/// Next.js makes a server that is complete if it is configured so.
fn next(tree: &Tree, package: &Package) -> Start {
    let names = ["next.config.js", "next.config.mjs", "next.config.ts", "next.config.cjs"];
    let config = names.iter().find_map(|name| tree.text(&join(&package.directory, name)));
    let config = Module::new("", config.unwrap_or_default());
    let is_standalone = config.source.all().any(|at| config.source.text(at) == Some("standalone"));
    let build = package.build(&["build"]);
    if !is_standalone {
        let note = "the package is smaller, and starts faster, with `output: \"standalone\"` in Next.js's configuration: \
                    then delete the manifest and run `lamstream init` again";
        return Start {
            run: "node node_modules/next/dist/bin/next start -p $PORT".to_owned(),
            build: Some(build),
            reads_port: true,
            notes: vec![note.to_owned()],
            ..Start::default()
        };
    }
    let has_public = tree.below(&join(&package.directory, "public")).next().is_some();
    let public = if has_public { " && cp -r public .next/standalone/" } else { "" };
    Start {
        run: "node server.js".to_owned(),
        packaged: ".next/standalone".to_owned(),
        build: Some(format!("{build}{public} && cp -r .next/static .next/standalone/.next/")),
        dependencies: Some("none".to_owned()),
        reads_port: true,
        ..Start::default()
    }
}

pub(super) fn name(framework: Framework) -> &'static str {
    match framework {
        Framework::Mcp => "mcp",
        _ if framework.is_large() => "site",
        _ => "api",
    }
}

pub(super) fn label(framework: Framework) -> &'static str {
    match framework {
        Framework::Next => "a Next.js site",
        Framework::Nuxt => "a Nuxt site",
        Framework::Nitro => "a Nitro server",
        Framework::SvelteKit => "a SvelteKit site",
        Framework::Remix => "a Remix site",
        Framework::Astro => "an Astro site",
        Framework::Nest => "a Nest app",
        Framework::Mcp => "an MCP server",
        Framework::Hono => "a Hono app",
        Framework::Fastify => "a Fastify app",
        Framework::Express => "an Express app",
        Framework::Koa => "a Koa app",
        Framework::Server => "a server for Node.js",
    }
}
