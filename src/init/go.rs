//! Servers in Go, which a command builds.

use super::found::{Found, Function, Port};
use super::name::valid_name;
use super::route::{Route, check_for};
use super::source::{Source, TEXT, WORD};
use super::tokens::Language;
use super::tree::{Tree, relative, split};

const BUILD: &str = "CGO_ENABLED=0 GOOS=$LAMSTREAM_SYSTEM GOARCH=$([ \"$LAMSTREAM_ARCHITECTURE\" = arm64 ] && echo arm64 || echo amd64) go build -o server";
/// What a handler uses that answers piece by piece.
const STREAMS: &[&str] = &["Flush", "Flusher", "SSEvent", "NewResponseController", "SetBodyStreamWriter"];

pub(super) fn find(tree: &Tree) -> Vec<Found> {
    tree.directories_with("go.mod").into_iter().filter_map(|directory| described(tree, directory)).collect()
}

fn described(tree: &Tree, directory: &str) -> Option<Found> {
    let files = tree.below(directory).filter(|(path, _)| path.ends_with(".go") && !path.ends_with("_test.go"));
    let sources: Vec<(&str, Source)> = files.map(|(path, text)| (path, Source::new(Language::Go, text))).collect();
    let is_main = |source: &Source| {
        source.has(source.all(), &["package", "main"]) && source.has(source.all(), &["func", "main", "("])
    };
    let serves =
        |source: &Source| source.has_word(source.all(), &["ListenAndServe", "Run", "Start", "Listen", "Serve"]);
    let (main, _) = sources.iter().filter(|(_, source)| is_main(source)).find(|(path, source)| {
        let near = split(path).0;
        serves(source) || sources.iter().any(|(other, source)| split(other).0 == near && serves(source))
    })?;
    let package = match split(relative(main, directory)?).0 {
        "" => ".".to_owned(),
        package => format!("./{package}"),
    };
    let reads = |source: &Source| source.all().any(|at| source.text(at) == Some("PORT"));
    // Gin's `Run()` without an address reads PORT.
    let by_gin = |source: &Source| source.has(source.all(), &[".", "Run", "(", ")"]);
    let port = match sources.iter().any(|(_, source)| reads(source) || by_gin(source)) {
        true => Port::FromVariable,
        false => sources.iter().find_map(|(_, source)| port(source)).map_or(Port::Unknown, Port::Fixed),
    };
    let routes: Vec<Route> =
        sources.iter().flat_map(|(_, source)| source.all().filter_map(|at| route(source, at))).collect();
    let module = tree.text(&super::tree::join(directory, "go.mod")).unwrap_or_default();
    let module = module.split_whitespace().nth(1).unwrap_or_default();
    let function = Function {
        name: valid_name(module.rsplit('/').next().unwrap_or_default(), "api"),
        runtime: Some("provided.al2023".to_owned()),
        run: Some("./server".to_owned()),
        port,
        dependencies: Some("none".to_owned()),
        build: Some(format!("{BUILD} {package}")),
        exclude: vec!["*.go"],
        check: check_for(&routes),
        ..Function::default()
    };
    Some(Found { directory: directory.to_owned(), what: "a server in Go".to_owned(), function, notes: Vec::new() })
}

/// Of `":8080"` or `"127.0.0.1:8080"`.
fn port(source: &Source) -> Option<u32> {
    let of_text = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        host.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.').then(|| port.parse().ok()).flatten()
    };
    source.all().filter_map(|at| source.text(at)).filter_map(of_text).find(|port| *port > 79)
}

/// `HandleFunc("/path", handler)`, `HandleFunc("GET /path", …)` and `router.GET("/path", handler)`.
fn route(source: &Source, at: usize) -> Option<Route> {
    if !source.is_at(at, &[".", WORD, "(", TEXT, ","]) {
        return None;
    }
    let (name, text) = (source.word(at + 1)?, source.text(at + 3)?);
    let (method, path) = match name {
        "HandleFunc" | "Handle" => text.split_once(' ').unwrap_or(("get", text)),
        "GET" | "POST" | "Get" | "Post" => (name, text),
        _ => return None,
    };
    if !path.starts_with('/') {
        return None;
    }
    let open = at + 2;
    let handler = open..source.close(open);
    let named = source
        .word(handler.end - 1)
        .and_then(|name| source.matches(source.all(), &["func", name, "("]).into_iter().next());
    let body = named.map_or(handler, |start| {
        let after = source.close(start + 2);
        let open = (after..source.all().end).find(|at| source.is_sign(*at, '{')).unwrap_or(after);
        open..source.close(open)
    });
    let streams = source.has_word(body.clone(), STREAMS) || source.has_text(body.clone(), "text/event-stream");
    let reads = ["Body", "ParseForm", "FormValue", "BindJSON", "ShouldBindJSON", "PathValue", "Param"];
    Some(Route { streams, is_unclear: source.has_word(body, &reads), ..Route::new(method, path) })
}
