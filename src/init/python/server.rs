//! How an app in Python is started, and what is missing for it.

use super::apps::{App, Framework, is_mcp};
use super::dependencies::Dependencies;
use super::imports::Module;
use super::layout::import_name;
use super::{routes, settings, views};
use crate::init::found::{Found, Function, Port};
use crate::init::route::{CheckFound, Route, check_for, unclear_stream};
use crate::init::runtime::{self, Installed};
use crate::init::tree::{Tree, join, relative};

const ASGI_SERVERS: [&str; 4] = ["uvicorn", "hypercorn", "granian", "daphne"];
const WSGI_SERVERS: [&str; 3] = ["gunicorn", "granian", "waitress"];

/// What starts an app, before its port is known.
struct Start {
    run: String,
    port: Port,
    /// The package to add, if no server is there.
    missing: Option<&'static str>,
}

/// The best of a project's apps, as the manifest has it.
pub(super) fn described(
    tree: &Tree,
    modules: &[Module],
    apps: &[&App],
    project: &str,
    dependencies: &Dependencies,
    installed: &Installed,
) -> Option<Found> {
    let app = chosen(apps, dependencies)?;
    let module = &modules[app.module];
    let (root, name) = import_name(tree, module, project);
    let target = format!("{name}:{}", app.name);
    let start = started(module, app, &root, &target, project, dependencies);
    let inside: Vec<&Module> = modules.iter().filter(|module| relative(&module.path, project).is_some()).collect();
    let (check, mut notes) = check_and_notes(&inside, app, dependencies);
    let list = dependencies.file.as_deref().map(|file| join(project, file));
    match (start.missing, &list) {
        (Some(server), Some(list)) if app.framework == Framework::Flask => notes.push(format!(
            "`{list}` has no server, so the manifest uses Flask's own, which is for development: add `{server}` to it, \
             delete the manifest, and run `lamstream init` again"
        )),
        (Some(server), Some(list)) => notes.push(format!("`{list}` has no server for the app: add `{server}` to it")),
        (server, None) => {
            let packages: Vec<String> =
                [Some(package(app.framework)), server].into_iter().flatten().map(|name| format!("`{name}`")).collect();
            let place = join(project, "requirements.txt");
            notes.push(format!("no file lists the app's packages: create `{place}` with {}", packages.join(" and ")));
        }
        (None, Some(_)) => {}
    }
    let variables = settings::variables(&inside);
    if !variables.is_empty() {
        let names = crate::text::list::quoted_and(&variables);
        notes.push(format!("the app needs values from outside: set {names} in `environment`"));
    }
    let others: Vec<String> = apps
        .iter()
        .filter(|other| *other != &app && !is_mcp(other.framework) && !is_django(other.framework))
        .map(|other| format!("`{}:{}`", import_name(tree, &modules[other.module], project).1, other.name))
        .collect();
    if !others.is_empty() {
        notes.push(format!(
            "the manifest starts `{target}`; other apps: {}; to deploy one of them, edit `run`",
            others.join(", ")
        ));
    }
    let function = Function {
        name: function_name(app.framework).to_owned(),
        runtime: Some(runtime::python(&dependencies.python, &installed.python)),
        run: Some(start.run),
        port: start.port,
        dependencies: dependencies.is_elsewhere.then(|| list.unwrap_or_default()),
        memory: Some(256),
        check,
        ..Function::default()
    };
    let what = format!("{}, `{target}`", label(app.framework));
    Some(Found { directory: project.to_owned(), what, function, notes })
}

/// Django has an app for each kind of server, and the one whose server is there is chosen.
fn chosen<'a>(apps: &[&'a App], dependencies: &Dependencies) -> Option<&'a App> {
    let first = *apps.first()?;
    let of = |framework: Framework| apps.iter().copied().find(|app| app.framework == framework);
    let has_any = |servers: &[&str]| servers.iter().any(|server| dependencies.has(server));
    match first.framework {
        Framework::DjangoAsgi | Framework::DjangoWsgi if has_any(&WSGI_SERVERS) => {
            of(Framework::DjangoWsgi).or(Some(first))
        }
        Framework::DjangoAsgi | Framework::DjangoWsgi if has_any(&ASGI_SERVERS) => {
            of(Framework::DjangoAsgi).or(Some(first))
        }
        Framework::DjangoAsgi => of(Framework::DjangoWsgi).or(Some(first)),
        _ => Some(first),
    }
}

fn started(module: &Module, app: &App, root: &str, target: &str, project: &str, dependencies: &Dependencies) -> Start {
    let file = relative(&module.path, project).unwrap_or(&module.path);
    let plain = |run: String, port| Start { run, port, missing: None };
    match app.framework {
        Framework::Sanic => {
            let factory = if app.is_factory { " --factory" } else { "" };
            plain(
                format!(
                    "{}python -m sanic {target}{factory} --host=127.0.0.1 --port=$PORT --single-process",
                    inside(root)
                ),
                Port::FromVariable,
            )
        }
        Framework::Aiohttp | Framework::Tornado => {
            let (options, port) = routes::own_server(module, app.framework);
            plain(format!("python {}{options}", quoted(file)), port)
        }
        framework if is_mcp(framework) => plain(mcp_server(framework, root, target), Port::FromVariable),
        framework if is_asgi(framework) => asgi(app, root, target, dependencies, framework),
        _ => wsgi(app, root, target, dependencies),
    }
}

/// Starts an MCP server over HTTP: without sessions, whose requests would reach different instances, and for the host of
/// any URL.
fn mcp_server(framework: Framework, root: &str, target: &str) -> String {
    let (module, name) = target.split_once(':').unwrap_or((target, "mcp"));
    let (settings, app) = match framework {
        Framework::FirstMcp => (
            format!("{name}.settings.stateless_http = True; {name}.settings.transport_security = None; "),
            "streamable_http_app()",
        ),
        Framework::FastMcp => (String::new(), "http_app(stateless_http=True)"),
        _ => (String::new(), "streamable_http_app(stateless_http=True, host='0.0.0.0')"),
    };
    let imports = format!("import os, uvicorn; from {module} import {name}; ");
    let start = format!("uvicorn.run({name}.{app}, port=int(os.environ['PORT']))");
    format!("{}python -c \"{imports}{settings}{start}\"", inside(root))
}

fn is_django(framework: Framework) -> bool {
    matches!(framework, Framework::DjangoAsgi | Framework::DjangoWsgi)
}

fn is_asgi(framework: Framework) -> bool {
    use Framework::{Asgi, DjangoAsgi, FastApi, Litestar, Quart, Starlette};
    matches!(framework, FastApi | Starlette | Litestar | Quart | Asgi | DjangoAsgi)
}

fn asgi(app: &App, root: &str, target: &str, dependencies: &Dependencies, framework: Framework) -> Start {
    let usual = if framework == Framework::Quart { "hypercorn" } else { "uvicorn" };
    let server = ASGI_SERVERS.into_iter().find(|server| dependencies.has(server));
    let missing = if server.is_none() { Some(usual) } else { None };
    let factory = if app.is_factory { " --factory" } else { "" };
    let run = match server.unwrap_or(usual) {
        "hypercorn" => {
            let target = if app.is_factory { format!("'{target}()'") } else { target.to_owned() };
            format!("{}python -m hypercorn --bind 127.0.0.1:$PORT {target}", inside(root))
        }
        "granian" => format!(
            "{}python -m granian --interface asgi --host 127.0.0.1 --port $PORT{factory} {target}",
            inside(root)
        ),
        "daphne" => format!("{}python -m daphne -b 127.0.0.1 -p $PORT {target}", inside(root)),
        _ => {
            let directory = if root.is_empty() { String::new() } else { format!(" --app-dir {root}") };
            format!("python -m uvicorn{directory}{factory} --port $PORT {target}")
        }
    };
    Start { run, port: Port::FromVariable, missing }
}

fn wsgi(app: &App, root: &str, target: &str, dependencies: &Dependencies) -> Start {
    let server = WSGI_SERVERS.into_iter().find(|server| dependencies.has(server));
    let call = if app.is_factory { format!("'{target}()'") } else { target.to_owned() };
    let run = match server.unwrap_or("gunicorn") {
        "granian" => {
            let factory = if app.is_factory { " --factory" } else { "" };
            format!(
                "{}python -m granian --interface wsgi --host 127.0.0.1 --port $PORT{factory} {target}",
                inside(root)
            )
        }
        "waitress" => {
            let factory = if app.is_factory { "--call " } else { "" };
            format!("{}python -m waitress --listen 127.0.0.1:$PORT {factory}{target}", inside(root))
        }
        _ => {
            let directory = if root.is_empty() { String::new() } else { format!(" --chdir {root}") };
            format!("python -m gunicorn{directory} --bind 127.0.0.1:$PORT {call}")
        }
    };
    let run = match server {
        None if app.framework == Framework::Flask => {
            format!("{}python -m flask --app {target} run --port $PORT", inside(root))
        }
        _ => run,
    };
    Start { run, port: Port::FromVariable, missing: server.is_none().then_some("gunicorn") }
}

/// The part of a command line that changes to the directory.
fn inside(root: &str) -> String {
    if root.is_empty() { String::new() } else { format!("cd {} && exec ", quoted(root)) }
}

fn quoted(path: &str) -> String {
    crate::text::quoted(path)
}

fn check_and_notes(modules: &[&Module], app: &App, dependencies: &Dependencies) -> (CheckFound, Vec<String>) {
    if is_mcp(app.framework)
        || app.framework == Framework::Asgi && (dependencies.has("mcp") || dependencies.has("fastmcp"))
    {
        let is_stateless = is_mcp(app.framework)
            || modules.iter().any(|module| module.source.has_word(module.source.all(), &["stateless_http"]));
        let note = "requests of a session reach different instances on Lambda, and an MCP server may accept only local \
                    hosts: make the app with `stateless_http=True` and `host=\"0.0.0.0\"`";
        let notes = if is_stateless { Vec::new() } else { vec![note.to_owned()] };
        return (CheckFound::Mcp("/mcp".to_owned()), notes);
    }
    let mut routes = routes::routes(modules, app.framework);
    let mut notes = Vec::new();
    if matches!(app.framework, Framework::DjangoAsgi | Framework::DjangoWsgi) {
        routes = views::routes(modules);
        notes.extend(views::hosts_note(modules));
    }
    if app.framework == Framework::FastApi && !modules.iter().any(|module| views::has_keyword(module, "openapi_url")) {
        routes.push(Route::new("get", "/openapi.json"));
    }
    notes.extend(unclear_stream(&routes).map(|route| {
        format!("`{route}` streams, but the source does not show all of the request that it needs: complete `check`")
    }));
    (check_for(&routes), notes)
}

fn function_name(framework: Framework) -> &'static str {
    match framework {
        framework if is_mcp(framework) => "mcp",
        Framework::DjangoAsgi | Framework::DjangoWsgi | Framework::Flask | Framework::Wsgi => "site",
        _ => "api",
    }
}

fn label(framework: Framework) -> &'static str {
    match framework {
        Framework::FastApi => "a FastAPI app",
        Framework::Starlette => "a Starlette app",
        Framework::Litestar => "a Litestar app",
        Framework::Quart => "a Quart app",
        Framework::Asgi => "an ASGI app",
        Framework::Flask => "a Flask app",
        Framework::Wsgi => "a WSGI app",
        Framework::DjangoAsgi | Framework::DjangoWsgi => "a Django site",
        Framework::Sanic => "a Sanic app",
        Framework::Aiohttp => "an aiohttp app",
        Framework::Tornado => "a Tornado app",
        Framework::Mcp | Framework::FirstMcp | Framework::FastMcp => "an MCP server",
    }
}

/// The package that a framework is in.
fn package(framework: Framework) -> &'static str {
    match framework {
        Framework::FastApi => "fastapi",
        Framework::Starlette | Framework::Asgi => "starlette",
        Framework::Litestar => "litestar",
        Framework::Quart => "quart",
        Framework::Flask => "flask",
        Framework::Wsgi => "falcon",
        Framework::DjangoAsgi | Framework::DjangoWsgi => "django",
        Framework::Sanic => "sanic",
        Framework::Aiohttp => "aiohttp",
        Framework::Tornado => "tornado",
        Framework::Mcp | Framework::FirstMcp => "mcp",
        Framework::FastMcp => "fastmcp",
    }
}
