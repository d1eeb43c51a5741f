//! The request that a function in Python needs: from its parameters, or from what it reads of the request.

use super::imports::Module;
use super::models;
use crate::init::route::{Route, Value};
use crate::init::source::{TEXT, WORD};
use std::ops::Range;

/// Types of parameters that no request has to contain.
const GIVEN: [&str; 10] = [
    "Request",
    "Response",
    "BackgroundTasks",
    "WebSocket",
    "HTTPConnection",
    "SecurityScopes",
    "State",
    "Headers",
    "Session",
    "AsyncSession",
];
/// Parts of the names of dependencies that ask for credentials.
const GUARDS: [&str; 8] = ["auth", "user", "token", "credential", "security", "jwt", "api_key", "apikey"];
/// What is sent in a way that init does not write.
const FORMS: [&str; 5] = ["Form", "File", "UploadFile", "Header", "Cookie"];

/// By the types of the function's parameters, as FastAPI and Litestar do it.
pub(super) fn typed(route: &mut Route, modules: &[&Module], module: &Module, start: usize) {
    let source = &module.source;
    let open = if source.word(start) == Some("async") { start + 3 } else { start + 2 };
    for range in source.arguments(open) {
        let Some(name) = source.word(range.start).map(str::to_owned) else { continue };
        let equals = range.clone().find(|at| source.is_sign(*at, '=') && !is_nested(module, range.start, *at));
        let (hint, default) = match equals {
            Some(at) => (range.start + 1..at, at + 1..range.end),
            None => (range.start + 1..range.end, range.end..range.end),
        };
        let both = hint.start..default.end;
        let is_given = is_optional(module, &default)
            || source.has_word(hint.clone(), &GIVEN)
            || name == "self"
            || route.path.contains(&format!("{{{name}"));
        if source.has_word(both.clone(), &["Depends", "Security"]) {
            let names = both.filter_map(|at| source.word(at)).map(str::to_lowercase);
            route.is_unclear |= names.into_iter().any(|name| GUARDS.iter().any(|guard| name.contains(guard)));
        } else if is_given {
            continue;
        } else if source.has_word(both, &FORMS) {
            route.is_unclear = true;
        } else if let Some(value) = models::simple(module, hint.clone()) {
            route.query.push((name, value.plain().to_owned()));
        } else {
            let class = hint.clone().filter_map(|at| source.word(at)).find_map(|class| models::fields(modules, class));
            match class {
                Some(fields) if route.fields.is_empty() => route.fields = fields,
                _ => route.is_unclear = true,
            }
        }
    }
}

/// Whether a bracket between the two places is still open.
fn is_nested(module: &Module, start: usize, at: usize) -> bool {
    (start..at)
        .any(|open| ['(', '['].iter().any(|sign| module.source.is_sign(open, *sign)) && module.source.close(open) > at)
}

/// Whether a default is one; `Query(...)` is none.
fn is_optional(module: &Module, default: &Range<usize>) -> bool {
    let source = &module.source;
    if default.is_empty() {
        return false;
    }
    let calls = ["Query", "Body", "Path", "Parameter", "Header", "Form", "File", "Cookie"];
    if !source.has_word(default.start..default.start + 1, &calls) {
        return !source.is_sign(default.start, '.');
    }
    let arguments = source.arguments(default.start + 1);
    let first = arguments
        .first()
        .is_some_and(|first| !source.is_sign(first.start + 1, '=') && !source.is_sign(first.start, '.'));
    first
        || source.keyword(default.start + 1, "default").is_some()
        || source.keyword(default.start + 1, "default_factory").is_some()
}

/// By what the function reads: `request.args["q"]`, `data["message"]` after `data = request.get_json()`.
pub(super) fn read_from_request(route: &mut Route, module: &Module, block: Range<usize>) {
    let source = &module.source;
    route.is_unclear |=
        source.has(block.clone(), &["request", ".", "form"]) || source.has(block.clone(), &["request", ".", "files"]);
    let mut bodies: Vec<String> = Vec::new();
    for at in block.clone() {
        if let (Some(end), Some(name)) = (body_at(module, at), assigned(module, at)) {
            bodies.push(name.to_owned());
            let _ = end;
        }
    }
    for at in block {
        let query = ["args", "query_params", "rel_url", "query"]
            .into_iter()
            .any(|name| source.is_at(at, &[name, "["]) || source.is_at(at, &[name, ".", "get", "("]));
        if let Some(name) = source.word(at).filter(|_| query).and_then(|_| key_after(module, at + 1)) {
            route.query.push((name.clone(), Value::of_name(&name).plain().to_owned()));
        }
        let is_body = source.word(at).is_some_and(|name| bodies.iter().any(|body| body == name));
        let key = if is_body {
            key_after(module, at + 1)
        } else {
            body_at(module, at).and_then(|end| key_after(module, end))
        };
        if let Some(name) = key.filter(|name| !route.fields.iter().any(|(known, _)| known == name)) {
            let value = Value::of_name(&name);
            route.fields.push((name, value));
        }
    }
    // A body that is read and of which no field is known.
    route.is_unclear |= !bodies.is_empty() && route.fields.is_empty();
    route.query.dedup();
}

/// Where the expression ends that reads the JSON body, if one begins here.
fn body_at(module: &Module, at: usize) -> Option<usize> {
    let source = &module.source;
    if !source.is_at(at, &["request", "."]) {
        return None;
    }
    match source.word(at + 2)? {
        "json" if source.is_sign(at + 3, '(') => Some(source.close(at + 3) + 1),
        "json" => Some(at + 3),
        "get_json" => Some(source.close(at + 3) + 1),
        _ => None,
    }
}

/// The variable that gets the value which begins here, perhaps after an `await`.
fn assigned(module: &Module, at: usize) -> Option<&str> {
    let source = &module.source;
    let before = |at: usize| ["await", "("].iter().any(|word| source.is_at(at, &[word]));
    let mut at = at.checked_sub(1)?;
    while before(at) {
        at = at.checked_sub(1)?;
    }
    source.is_sign(at, '=').then(|| source.word(at.checked_sub(1)?)).flatten()
}

/// The name in `["name"]` or `.get("name")`.
fn key_after(module: &Module, at: usize) -> Option<String> {
    let source = &module.source;
    let text = if source.is_at(at, &["[", TEXT, "]"]) {
        source.text(at + 1)
    } else if source.is_at(at, &[".", WORD, "(", TEXT]) && source.word(at + 1) == Some("get") {
        source.text(at + 3)
    } else {
        None
    };
    text.map(str::to_owned)
}
