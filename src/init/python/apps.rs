//! The apps in Python files: variables and factory functions.

use super::imports::Module;
use crate::init::tree::{depth, is_aside, relative, split};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framework {
    FastApi,
    Starlette,
    Litestar,
    Quart,
    /// Any other ASGI app.
    Asgi,
    Flask,
    /// Any other WSGI app.
    Wsgi,
    DjangoWsgi,
    DjangoAsgi,
    Sanic,
    Aiohttp,
    Tornado,
    /// The MCP server of the package `mcp`, that of its first version, and that of `fastmcp`.
    Mcp,
    FirstMcp,
    FastMcp,
}

const FRAMEWORKS: &[(&str, Framework)] = &[
    ("fastapi.FastAPI", Framework::FastApi),
    ("fastapi.applications.FastAPI", Framework::FastApi),
    ("starlette.applications.Starlette", Framework::Starlette),
    ("fasthtml.common.fast_app", Framework::Starlette),
    ("fasthtml.common.FastHTML", Framework::Starlette),
    ("litestar.Litestar", Framework::Litestar),
    ("litestar.app.Litestar", Framework::Litestar),
    ("quart.Quart", Framework::Quart),
    ("blacksheep.Application", Framework::Asgi),
    ("falcon.asgi.App", Framework::Asgi),
    ("flask.Flask", Framework::Flask),
    ("apiflask.APIFlask", Framework::Flask),
    ("flask_openapi3.OpenAPI", Framework::Flask),
    ("falcon.App", Framework::Wsgi),
    ("bottle.Bottle", Framework::Wsgi),
    ("bottle.default_app", Framework::Wsgi),
    ("django.core.wsgi.get_wsgi_application", Framework::DjangoWsgi),
    ("django.core.asgi.get_asgi_application", Framework::DjangoAsgi),
    ("sanic.Sanic", Framework::Sanic),
    ("aiohttp.web.Application", Framework::Aiohttp),
    ("tornado.web.Application", Framework::Tornado),
    ("mcp.server.fastmcp.FastMCP", Framework::FirstMcp),
    ("mcp.server.MCPServer", Framework::Mcp),
    ("mcp.server.mcpserver.MCPServer", Framework::Mcp),
    ("fastmcp.FastMCP", Framework::FastMcp),
    ("fastmcp.server.FastMCP", Framework::FastMcp),
];

/// Names of modules that are usually the one to start, the most usual first.
const MAIN: [&str; 9] = ["main", "app", "server", "api", "asgi", "wsgi", "index", "application", "__init__"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct App {
    /// The module's place in the list of all modules.
    pub module: usize,
    /// The variable, or the function that makes the app.
    pub name: String,
    pub is_factory: bool,
    pub framework: Framework,
}

impl App {
    /// The lower, the more likely it is the app to deploy.
    pub(super) fn rank(&self, path: &str, project: &str) -> (bool, bool, usize, bool, usize, String) {
        let inside = relative(path, project).unwrap_or(path);
        let stem = inside.rsplit('/').next().unwrap_or(inside).trim_end_matches(".py");
        let usual = MAIN.iter().position(|name| *name == stem).unwrap_or(MAIN.len());
        // An MCP server that is mounted in another app is part of it.
        let is_mcp = is_mcp(self.framework);
        (is_aside(split(inside).0), is_mcp, usual, self.is_factory, depth(inside), path.to_owned())
    }
}

pub(super) fn framework(module: &Module, dotted: &str) -> Option<Framework> {
    let full = module.full(dotted);
    FRAMEWORKS.iter().find(|(name, _)| full.iter().any(|full| full == name)).map(|(_, framework)| *framework)
}

/// All apps of all modules.
pub(super) fn apps(modules: &[Module]) -> Vec<App> {
    let factories: Vec<App> = modules.iter().enumerate().flat_map(|(nth, module)| factories(nth, module)).collect();
    let mut found = Vec::new();
    for (nth, module) in modules.iter().enumerate() {
        let own = variables(nth, module, &factories, modules);
        // The factory of a variable is the same app.
        let unused = factories.iter().filter(|factory| factory.module == nth);
        let unused = unused.filter(|factory| !own.iter().any(|app| app.framework == factory.framework));
        found.extend(unused.cloned().chain(own.clone()));
        if own.is_empty() {
            found.extend(own_server(nth, module));
        }
    }
    found
}

/// `name = Framework(…)` and `name = factory(…)`, at the top level.
fn variables(nth: usize, module: &Module, factories: &[App], modules: &[Module]) -> Vec<App> {
    let source = &module.source;
    let mut found: Vec<App> = Vec::new();
    for at in source.all() {
        let Some((name, value)) = assignment(module, at) else { continue };
        let Some((called, end)) = source.dotted(value) else { continue };
        if !source.is_sign(end, '(') {
            continue;
        }
        let made = |factory: &&App| {
            let from = modules[factory.module].stem();
            factory.module == nth && called == factory.name
                || module.full(&called).iter().any(|full| {
                    let mut parts = full.rsplit('.');
                    parts.next() == Some(&factory.name) && parts.next().is_some_and(|part| part == from)
                })
        };
        let http = |server: &App| {
            let (variable, method) = called.rsplit_once('.')?;
            let is_app = ["streamable_http_app", "http_app"].contains(&method);
            (variable == server.name && is_app && is_mcp(server.framework)).then_some(server.framework)
        };
        let framework = framework(module, &called)
            .or_else(|| factories.iter().find(made).map(|factory| factory.framework))
            .or_else(|| found.iter().find_map(http).map(|_| Framework::Asgi));
        if let Some(framework) = framework {
            found.push(App { module: nth, name, is_factory: false, framework });
        }
    }
    found
}

pub(super) fn is_mcp(framework: Framework) -> bool {
    matches!(framework, Framework::Mcp | Framework::FirstMcp | Framework::FastMcp)
}

/// The variable that the line assigns to, and where its value begins. Of several variables, the first.
fn assignment(module: &Module, at: usize) -> Option<(String, usize)> {
    let source = &module.source;
    if source.indent(at) != Some(0) {
        return None;
    }
    let name = source.word(at)?.to_owned();
    // A type, or more variables.
    let mut equals = at + 1;
    if source.is_sign(equals, ':') || source.is_sign(equals, ',') {
        equals = (equals..equals + 12).find(|at| source.is_sign(*at, '=') || source.indent(*at).is_some())?;
    }
    (source.is_sign(equals, '=') && !source.is_sign(equals + 1, '=')).then_some((name, equals + 1))
}

/// `def name():` that returns an app and can be called without arguments.
fn factories(nth: usize, module: &Module) -> Vec<App> {
    let source = &module.source;
    let is_factory = |at: usize| {
        let name = source.word(at + 1)?;
        let is_plain = source.indent(at) == Some(0) && source.is_sign(at + 2, '(');
        let needs_none = || source.arguments(at + 2).into_iter().all(|range| is_optional(module, range));
        if !is_plain || !needs_none() {
            return None;
        }
        let block = source.indented_block(at);
        let framework = constructed(module, block.clone())?;
        let returns = source.has_word(block, &["return"]);
        returns.then(|| App { module: nth, name: name.to_owned(), is_factory: true, framework })
    };
    source.matches(source.all(), &["def"]).into_iter().filter_map(is_factory).collect()
}

fn is_optional(module: &Module, parameter: Range<usize>) -> bool {
    let source = &module.source;
    source.is_sign(parameter.start, '*') || parameter.into_iter().any(|at| source.is_sign(at, '='))
}

/// A file that makes an app and starts its server.
fn own_server(nth: usize, module: &Module) -> Option<App> {
    let source = &module.source;
    let framework =
        constructed(module, source.all()).filter(|_| source.has_word(source.all(), &["listen", "run_app"]))?;
    let is_own = matches!(framework, Framework::Aiohttp | Framework::Tornado);
    is_own.then(|| App { module: nth, name: "app".to_owned(), is_factory: false, framework })
}

/// The framework whose app a block makes.
pub(super) fn constructed(module: &Module, block: Range<usize>) -> Option<Framework> {
    let source = &module.source;
    let called = block.filter(|at| *at == 0 || !source.is_sign(at - 1, '.')).filter_map(|at| source.dotted(at));
    let mut found =
        called.filter(|(_, end)| source.is_sign(*end, '(')).filter_map(|(name, _)| framework(module, &name));
    found.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(String, bool, Framework)> {
        let modules: Vec<Module> = files.iter().map(|(path, text)| Module::new(path, text)).collect();
        apps(&modules).into_iter().map(|app| (app.name, app.is_factory, app.framework)).collect()
    }

    #[test]
    fn variables_are_found_whatever_the_names_of_imports() {
        for (text, name, framework) in [
            ("from fastapi import FastAPI\napp = FastAPI()\n", "app", Framework::FastApi),
            ("import fastapi as f\napi: f.FastAPI = f.FastAPI(title='x')\n", "api", Framework::FastApi),
            ("import flask\nsite = flask.Flask(__name__)\n", "site", Framework::Flask),
            ("from flask import Flask as F\nx=1\napplication=F('a')", "application", Framework::Flask),
            ("from aiohttp import web\napp = web.Application()\n", "app", Framework::Aiohttp),
            ("from fasthtml.common import *\napp, rt = fast_app(live=True)\n", "app", Framework::Starlette),
            ("from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x')\n", "mcp", Framework::FirstMcp),
        ] {
            assert_eq!(found(&[("main.py", text)]), [(name.to_owned(), false, framework)], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_app_is_none() {
        for text in [
            "from fastapi import FastAPI\n# app = FastAPI()\n'''\napp = FastAPI()\n'''\n",
            "app = FastAPI()\n",
            "from fastapi import FastAPI\ndef test():\n    app = FastAPI()\n",
            "from fastapi import FastAPI\nok = app == FastAPI()\n",
            "from fastapi import FastAPI\ndef make(settings):\n    return FastAPI()\n",
        ] {
            assert_eq!(found(&[("main.py", text)]), [], "{text}");
        }
    }

    #[test]
    fn a_factory_is_an_app_unless_a_variable_has_its_result() {
        let factory =
            "from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n";
        assert_eq!(found(&[("pkg/__init__.py", factory)]), [("create_app".to_owned(), true, Framework::Flask)]);
        let caller = "from pkg import create_app\napp = create_app()\n";
        assert!(found(&[("pkg/__init__.py", factory), ("wsgi.py", caller)]).contains(&(
            "app".to_owned(),
            false,
            Framework::Flask
        )));
        let own = format!("{factory}app = create_app()\n");
        assert_eq!(found(&[("main.py", &own)]), [("app".to_owned(), false, Framework::Flask)]);
    }
}
