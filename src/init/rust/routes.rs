//! The routes of servers in Rust, and which of them stream.

use super::module::Module;
use super::requests;
use crate::init::route::Route;
use crate::init::source::{TEXT, WORD};
use std::ops::Range;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// What a handler uses that answers piece by piece.
const STREAMS: &[&str] = &[
    "Sse",
    "from_stream",
    "wrap_stream",
    "streaming",
    "StreamBody",
    "EventStream",
    "TextStream",
    "ByteStream",
    "sse",
    "SSE",
];

pub(super) fn routes(modules: &[Module]) -> Vec<Route> {
    let nests = modules.iter().any(|module| module.source.has(module.source.all(), &[".", "nest", "(", TEXT]));
    let scopes = modules.iter().any(|module| module.source.has(module.source.all(), &["scope", "(", TEXT]));
    let of_module = |module: &Module| {
        let source = &module.source;
        let mut found = Vec::new();
        for at in source.all() {
            found.extend(routed(modules, module, at, nests));
            found.extend(attributed(modules, module, at, scopes));
            found.extend(resource(modules, module, at, scopes));
            found.extend(warp(module, at));
        }
        found
    };
    modules.iter().flat_map(of_module).collect()
}

/// `.route("/path", get(handler).post(other))`, `.at("/path", get(handler))` and `.route("/path", web::get().to(handler))`.
fn routed(modules: &[Module], module: &Module, at: usize, nests: bool) -> Vec<Route> {
    let source = &module.source;
    let is_route = ["route", "at"].iter().any(|name| source.is_at(at, &[".", name, "(", TEXT, ","]));
    if !is_route {
        return Vec::new();
    }
    let (open, path) = (at + 2, source.text(at + 3).unwrap_or_default());
    let close = source.close(open);
    // Routers in other functions may be nested below a path.
    let around = modules.iter().find(|other| std::ptr::eq(*other, module)).and_then(|_| enclosing(module, at));
    let is_top = around.is_some_and(|body| source.has(body, &[".", "nest", "("]));
    let mut found = Vec::new();
    let mut next = open + 3;
    while next < close {
        let is_method = source.word(next).is_some_and(|word| METHODS.contains(&word)) && source.is_sign(next + 1, '(');
        if is_method {
            let mut arguments = next + 1..source.close(next + 1);
            // actix-web: `web::get().to(handler)`
            if source.is_at(arguments.end + 1, &[".", "to", "("]) {
                arguments = arguments.end + 3..source.close(arguments.end + 3);
            }
            let mut route = Route::new(source.word(next).unwrap_or_default(), path);
            route.is_unclear = nests && !is_top;
            handle(&mut route, modules, module, arguments.clone());
            found.push(route);
            next = arguments.end;
        }
        next += 1;
    }
    found
}

/// actix-web's `resource("/path").to(handler)` and `resource("/path").route(web::get().to(handler))`.
fn resource(modules: &[Module], module: &Module, at: usize, scopes: bool) -> Option<Route> {
    let source = &module.source;
    if !source.is_at(at, &["resource", "(", TEXT, ")", "."]) {
        return None;
    }
    let end = (at..at + 24).find(|at| source.is_at(*at, &[".", "to", "("]))?;
    let method = METHODS.into_iter().find(|method| source.has_word(at + 4..end, &[method])).unwrap_or("get");
    let mut route = Route::new(method, source.text(at + 2)?);
    route.is_unclear = scopes;
    handle(&mut route, modules, module, end + 3..source.close(end + 2));
    Some(route)
}

/// `#[get("/path")] async fn handler()`, of actix-web and Rocket.
fn attributed(modules: &[Module], module: &Module, at: usize, scopes: bool) -> Option<Route> {
    let source = &module.source;
    if !source.is_at(at, &["#", "[", WORD, "(", TEXT]) {
        return None;
    }
    let method = source.word(at + 2).filter(|method| METHODS.contains(method))?;
    let written = source.text(at + 4)?;
    // Rocket's routes have their queries in them, and are mounted below a path.
    let path = written.split('?').next().unwrap_or_default();
    let mount = modules.iter().find_map(|module| {
        let at = module.source.matches(module.source.all(), &["mount", "(", TEXT]).into_iter().next()?;
        module.source.text(at + 2)
    });
    let prefix = mount.unwrap_or_default().trim_end_matches('/');
    let start = (at..at + 40).find(|at| source.word(*at) == Some("fn"))?;
    let mut route = Route::new(method, &format!("{prefix}{path}"));
    route.is_unclear = scopes;
    fill(&mut route, modules, module, start);
    Some(route)
}

/// `warp::path("ticks").and(warp::get()).map(…)`.
fn warp(module: &Module, at: usize) -> Option<Route> {
    let source = &module.source;
    let is_path = source.is_at(at, &["warp", ":", ":", "path", "(", TEXT, ")"])
        || source.is_at(at, &["warp", ":", ":", "path", "!", "("]);
    let text = (at..at + 7).find_map(|at| source.text(at)).filter(|_| is_path)?;
    let end = (at..).take(200).find(|at| source.is_sign(*at, ';') || *at >= source.all().end)?;
    let post = source.has_word(at..end, &["post"]);
    let mut route = Route::new(if post { "post" } else { "get" }, text);
    route.streams = source.has_word(at..end, STREAMS);
    route.is_unclear =
        source.has_word(at..end, &["json", "query", "param", "body", "ws"]) || source.is_sign(at + 4, '!');
    Some(route)
}

/// A closure, or the function of a name.
fn handle(route: &mut Route, modules: &[Module], module: &Module, handler: Range<usize>) {
    let source = &module.source;
    let is_name = !source.has(handler.clone(), &["|"]);
    let name = handler.clone().rev().find_map(|at| source.word(at)).filter(|_| is_name);
    let Some(name) = name else {
        route.streams = source.has_word(handler, STREAMS);
        return;
    };
    let others = modules.iter().filter(|other| !std::ptr::eq(*other, module));
    let defined = std::iter::once(module).chain(others).find_map(|module| {
        let start = module.source.matches(module.source.all(), &["fn", name]).into_iter().next()?;
        Some((module, start))
    });
    match defined {
        Some((module, start)) => fill(route, modules, module, start),
        None => route.is_unclear = true,
    }
}

fn fill(route: &mut Route, modules: &[Module], module: &Module, start: usize) {
    let source = &module.source;
    let body = body(module, start);
    route.streams = source.has_word(start..body.end, STREAMS);
    let open = (start..start + 30).find(|at| source.is_sign(*at, '('));
    if let Some(open) = open {
        requests::read(route, modules, module, open..source.close(open));
    }
}

/// The braces of the function that begins with this `fn`.
fn body(module: &Module, start: usize) -> Range<usize> {
    let source = &module.source;
    let parameters = (start..start + 60).find(|at| source.is_sign(*at, '(')).map_or(start, |open| source.close(open));
    let open = (parameters..source.all().end).find(|at| source.is_sign(*at, '{') || source.is_sign(*at, ';'));
    open.map_or(start..start, |open| open..source.close(open))
}

/// The function around a token.
fn enclosing(module: &Module, at: usize) -> Option<Range<usize>> {
    let source = &module.source;
    let starts = (0..at).rev().filter(|start| source.word(*start) == Some("fn"));
    starts.map(|start| body(module, start)).find(|body| body.contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::source::Source;
    use crate::init::tokens::Language;

    fn of(text: &str) -> Vec<Route> {
        routes(&[Module { path: "src/main.rs".into(), source: Source::new(Language::Rust, text) }])
    }

    #[test]
    fn a_stream_is_seen_by_what_its_handler_returns() {
        for (text, method, streams) in [
            ("fn main() { a.route(\"/x\", get(h)); }\nasync fn h() -> Sse<S> { todo() }", "GET", true),
            (
                "fn main() { a.route(\"/x\", post(api::h)); }\nasync fn h() -> Body { Body::from_stream(s) }",
                "POST",
                true,
            ),
            ("fn main() { a.route(\"/x\", get(|| async { Body::from_stream(s) })); }", "GET", true),
            ("#[get(\"/x\")]\nasync fn h() -> impl Responder { HttpResponse::Ok().streaming(s) }", "GET", true),
            ("#[get(\"/x\")]\nfn h() -> EventStream![] { EventStream! { } }", "GET", true),
            ("fn main() { a.route(\"/x\", web::get().to(h)); }\nasync fn h() -> String { s }", "GET", false),
            (
                "fn main() { App::new().service(web::resource(\"/x\").to(h)) }\nasync fn h() -> String { s }",
                "GET",
                false,
            ),
            (
                "fn main() { App::new().service(web::resource(\"/x\").route(web::post().to(h))) }\nasync fn h() { r.streaming(s) }",
                "POST",
                true,
            ),
            ("let r = warp::path(\"x\").and(warp::get()).map(|| warp::sse::reply(s));", "GET", true),
            ("fn main() { a.route(\"/x\", get(h)); } // Sse\nasync fn h() -> &'static str { \"Sse\" }", "GET", false),
        ] {
            let found = of(text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(
                (found[0].path.as_str(), found[0].method.as_str(), found[0].streams),
                ("/x", method, streams),
                "{text}"
            );
        }
    }

    #[test]
    fn a_route_that_may_be_nested_is_unclear() {
        let text = "fn app() { r.nest(\"/api\", api()).route(\"/a\", get(a)) }\nfn api() { r.route(\"/b\", get(a)) }\nfn a() {}";
        assert_eq!(of(text).iter().map(|route| route.is_unclear).collect::<Vec<_>>(), [false, true]);
    }
}
