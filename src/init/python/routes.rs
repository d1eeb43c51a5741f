//! The routes of apps in Python, and which of them stream.

use super::apps::Framework;
use super::imports::Module;
use super::parameters;
use crate::init::found::Port;
use crate::init::route::Route;
use crate::init::source::{TEXT, WORD};
use std::ops::Range;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "route"];
/// What a function uses that answers piece by piece.
const STREAMS: &[&str] = &[
    "StreamingResponse",
    "EventSourceResponse",
    "StreamingHttpResponse",
    "ServerSentEvent",
    "stream_with_context",
    "ResponseStream",
    "StreamResponse",
    "EventStream",
    "Stream",
];
/// What a router is included with, and the names of its prefix.
const INCLUDES: [&str; 3] = ["include_router", "register_blueprint", "blueprint"];
const PREFIXES: [&str; 2] = ["prefix", "url_prefix"];
/// Routers include routers, but not without end.
const DEEPEST: usize = 4;

/// All routes, in the order of the modules.
pub(super) fn routes(modules: &[&Module], framework: Framework) -> Vec<Route> {
    let of_module = |module: &&Module| {
        let source = &module.source;
        let decorated = source.all().filter_map(|at| decorated(modules, module, at, framework));
        let listed = source.all().filter_map(|at| listed(modules, module, at, framework));
        decorated.chain(listed).collect::<Vec<_>>()
    };
    modules.iter().flat_map(of_module).collect()
}

/// `@app.get("/path")`, and Litestar's `@get("/path")`.
fn decorated(modules: &[&Module], module: &Module, at: usize, framework: Framework) -> Option<Route> {
    let source = &module.source;
    if !source.is_sign(at, '@') || source.indent(at).is_none() {
        return None;
    }
    let (name, open) = source.dotted(at + 1)?;
    let (owner, method) = name.rsplit_once('.').unwrap_or(("", &name));
    let is_route = METHODS.contains(&method) && source.is_sign(open, '(');
    let is_own =
        framework == Framework::Litestar && module.full(&name).iter().any(|full| full.starts_with("litestar."));
    if !is_route || owner.is_empty() && !is_own || owner == "self" {
        return None;
    }
    let path = path_of(module, open)?;
    let prefix = if owner.is_empty() { Some(String::new()) } else { prefix(modules, module, owner, 0) };
    let method = if method == "route" { method_of(module, open) } else { method.to_owned() };
    let start = function_after(module, source.close(open) + 1)?;
    let mut route = Route::new(&method, &joined(prefix.as_deref().unwrap_or_default(), &path));
    route.is_unclear = prefix.is_none();
    let keywords = open..source.close(open);
    route.streams = source.has_word(keywords, STREAMS);
    fill(&mut route, modules, module, start, framework);
    Some(route)
}

/// `Route("/path", function)`, `router.add_get("/path", function)`, `(r"/path", Handler)`.
fn listed(modules: &[&Module], module: &Module, at: usize, framework: Framework) -> Option<Route> {
    let source = &module.source;
    match framework {
        Framework::Starlette if source.is_at(at, &["Route", "(", TEXT, ","]) => {
            let start = module.definition("def", source.word(at + 4)?)?;
            let mut route = Route::new(&method_of(module, at + 1), source.text(at + 2)?);
            fill(&mut route, modules, module, start, framework);
            Some(route)
        }
        Framework::Aiohttp => {
            let method = source.word(at)?;
            let method = method.strip_prefix("add_").unwrap_or(method);
            let is_call = ["get", "post"].contains(&method) && source.is_at(at + 1, &["(", TEXT, ",", WORD]);
            let start = is_call.then(|| module.definition("def", source.word(at + 4)?)).flatten()?;
            let mut route = Route::new(method, source.text(at + 2)?);
            fill(&mut route, modules, module, start, framework);
            Some(route)
        }
        Framework::Tornado if source.is_at(at, &["(", TEXT, ",", WORD]) => {
            let class = source.indented_block(module.definition("class", source.word(at + 3)?)?);
            let found = ["get", "post"].into_iter().find_map(|method| {
                let at = source.matches(class.clone(), &["def", method]).into_iter().next()?;
                Some((method, source.indented_block(at)))
            });
            let (method, block) = found?;
            let streams = source.has_word(block, &["flush"]);
            Some(Route { streams, ..Route::new(method, source.text(at + 1)?) })
        }
        _ => None,
    }
}

/// What the function tells about the request that it needs, and about its response.
fn fill(route: &mut Route, modules: &[&Module], module: &Module, start: usize, framework: Framework) {
    let block = module.source.indented_block(start);
    route.streams |= streams(module, block.clone());
    match framework {
        Framework::FastApi | Framework::Litestar => parameters::typed(route, modules, module, start),
        _ => parameters::read_from_request(route, module, block),
    }
}

/// Whether a function answers piece by piece.
pub(super) fn streams(module: &Module, block: Range<usize>) -> bool {
    let source = &module.source;
    let makes = |at: usize| STREAMS.iter().any(|name| source.is_at(at, &[name, "("]));
    let generates = |at: usize| {
        // `Response(generate())`, where `generate` is a generator of this file.
        let is_response = ["Response", "response_class"].iter().any(|name| source.is_at(at, &[name, "(", WORD, "("]));
        let generator = is_response.then(|| module.definition("def", source.word(at + 2)?)).flatten();
        generator.is_some_and(|start| source.has_word(source.indented_block(start), &["yield"]))
    };
    block.clone().any(|at| makes(at) || generates(at)) || source.has_text(block, "text/event-stream")
}

/// The first string among the arguments, or that of `path=`.
fn path_of(module: &Module, open: usize) -> Option<String> {
    let source = &module.source;
    let first = source.text(open + 1);
    let named = source.keyword(open, "path").and_then(|value| source.text(value.start));
    let is_empty = source.is_sign(open + 1, ')');
    first.or(named).or(is_empty.then_some("/")).map(str::to_owned)
}

/// The first of `methods=["POST"]`.
fn method_of(module: &Module, open: usize) -> String {
    let methods = module.source.keyword(open, "methods").into_iter().flatten();
    methods.filter_map(|at| module.source.text(at)).next().unwrap_or("get").to_lowercase()
}

/// The `def` below a decorator and those between them.
fn function_after(module: &Module, mut at: usize) -> Option<usize> {
    let source = &module.source;
    while source.is_sign(at, '@') {
        let (_, end) = source.dotted(at + 1)?;
        at = if source.is_sign(end, '(') { source.close(end) + 1 } else { end };
    }
    ["async", "def"].contains(&source.word(at)?).then_some(at)
}

/// What comes before the paths of a router; `None` if it is not known.
fn prefix(modules: &[&Module], module: &Module, owner: &str, depth: usize) -> Option<String> {
    let source = &module.source;
    let made = source.matches(source.all(), &[owner, "="]).into_iter().find_map(|at| {
        let (called, open) = source.dotted(at + 2)?;
        let is_router = ["Router", "Blueprint", "RouteTableDef"].iter().any(|word| called.ends_with(word));
        (is_router && source.is_sign(open, '(')).then_some(open)
    });
    // The app itself has no prefix.
    let Some(open) = made else { return Some(String::new()) };
    let own = prefix_in(module, open)?;
    let included = modules.iter().find_map(|other| include_of(other, module, owner).map(|found| (*other, found)));
    let (other, (includer, open)) = included.filter(|_| depth < DEEPEST)?;
    let by = prefix(modules, other, &includer, depth + 1)?;
    let given = prefix_in(other, open)?;
    // Flask's prefix in `register_blueprint` replaces the blueprint's own.
    let both = if source.has_word(source.all(), &["Blueprint"]) && !given.is_empty() { given } else { given + &own };
    Some(by + &both)
}

/// Where a module includes a router of another one: the router that includes it, and the bracket of the call.
fn include_of(module: &Module, of: &Module, router: &str) -> Option<(String, usize)> {
    let source = &module.source;
    let by = |at: usize| {
        let is_include = source.word(at).is_some_and(|word| INCLUDES.contains(&word)) && source.is_sign(at + 1, '(');
        let (name, _) = if is_include { source.dotted(at + 2)? } else { return None };
        let is_it = module.path == of.path && name == router
            || module.path != of.path
                && module.full(&name).iter().any(|full| {
                    let mut parts = full.rsplit('.');
                    parts.next() == Some(router)
                        && parts.next().is_some_and(|stem| stem == of.stem() || of.path.contains(stem))
                });
        let owner = (at >= 2 && source.is_sign(at - 1, '.')).then(|| source.word(at - 2)).flatten()?;
        is_it.then(|| (owner.to_owned(), at + 1))
    };
    source.all().find_map(by)
}

/// The prefix among the arguments of a call; `None` if it is not a plain string.
fn prefix_in(module: &Module, open: usize) -> Option<String> {
    let source = &module.source;
    match PREFIXES.iter().find_map(|name| source.keyword(open, name)) {
        None => Some(String::new()),
        Some(value) if value.len() == 1 => {
            source.text(value.start).filter(|text| !text.contains('{')).map(str::to_owned)
        }
        Some(_) => None,
    }
}

fn joined(prefix: &str, path: &str) -> String {
    match path {
        "" => prefix.to_owned(),
        "/" if !prefix.is_empty() => format!("{}/", prefix.trim_end_matches('/')),
        path => format!("{}{path}", prefix.trim_end_matches('/')),
    }
}

/// The options and the port of an app that starts its own server.
pub(super) fn own_server(module: &Module, framework: Framework) -> (&'static str, Port) {
    let source = &module.source;
    if source.has_text(source.all(), "PORT") {
        return ("", Port::FromVariable);
    }
    if source.has(source.all(), &["define", "(", TEXT]) && source.has_text(source.all(), "port") {
        return (" --port=$PORT", Port::FromVariable);
    }
    let of_call = |at: usize| {
        let open = at + 1;
        let given = source.keyword(open, "port").and_then(|value| source.number(value.start));
        let first = if source.word(at) == Some("listen") { source.number(open + 1) } else { None };
        given.or(first)
    };
    let calls =
        source.all().filter(|at| ["run_app", "listen", "TCPSite"].iter().any(|name| source.is_at(*at, &[name, "("])));
    match (calls.filter_map(of_call).next(), framework) {
        (Some(port), _) => ("", Port::Fixed(port)),
        // aiohttp's own default is also lamstream's.
        (None, Framework::Aiohttp) => ("", Port::FromVariable),
        (None, _) => ("", Port::Unknown),
    }
}
