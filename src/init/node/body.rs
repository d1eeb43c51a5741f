//! The request that a handler in JavaScript needs, from what it reads of it.

use super::module::Module;
use crate::init::route::{Route, Value};
use crate::init::source::{TEXT, WORD};
use std::ops::Range;

/// Adds the query and the fields of the body that a handler reads.
pub(super) fn read(route: &mut Route, module: &Module, block: Range<usize>) {
    let source = &module.source;
    let mut reads_body = false;
    for at in block.clone() {
        if source.is_sign(at, '{')
            && at > 0
            && source.word(at - 1).is_some_and(|word| ["const", "let", "var"].contains(&word))
        {
            match taken_from(module, source.close(at) + 1) {
                Some(Part::Body) => add_fields(route, names(module, at)),
                Some(Part::Query) => add_query(route, names(module, at)),
                None => {}
            }
        }
        if source.is_at(at, &[".", "body"]) || source.is_at(at, &[".", "json", "(", ")"]) {
            reads_body |= !source.is_at(at.saturating_sub(1), &["res"]);
            if source.is_at(at + 2, &[".", WORD]) && source.is_at(at, &[".", "body"]) && !source.is_sign(at + 4, '(') {
                add_fields(route, source.word(at + 3).map(str::to_owned));
            }
        }
        if source.is_at(at, &[".", "query", ".", WORD]) {
            add_query(route, source.word(at + 3).map(str::to_owned));
        } else if source.is_at(at, &[".", "query", "(", TEXT]) || source.is_at(at, &[".", "query", "[", TEXT]) {
            add_query(route, source.text(at + 3).map(str::to_owned));
        } else if source.is_at(at, &["searchParams", ".", "get", "(", TEXT]) {
            add_query(route, source.text(at + 4).map(str::to_owned));
        }
    }
    // Fields of a variable that has the whole body.
    let body = block.clone().find_map(|at| whole_body(module, at));
    if let Some(name) = body {
        let fields =
            source.matches(block.clone(), &[&name, ".", WORD]).into_iter().filter(|at| !source.is_sign(at + 3, '('));
        add_fields(route, fields.filter_map(|at| source.word(at + 2)).map(str::to_owned).collect::<Vec<_>>());
    }
    let validates = source.has_word(block, &["zValidator", "validator", "valid"]);
    route.is_unclear |= (reads_body && route.method != "GET" || validates) && route.fields.is_empty();
    if route.method == "GET" {
        route.fields.clear();
    }
}

enum Part {
    Body,
    Query,
}

/// What is destructured after a `}`: `= await c.req.json()`, `= req.body`.
fn taken_from(module: &Module, mut at: usize) -> Option<Part> {
    let source = &module.source;
    // A type may be between them.
    at = (at..at + 12).find(|at| source.is_sign(*at, '='))? + 1;
    while source.word(at) == Some("await") || source.is_sign(at, '(') {
        at += 1;
    }
    let (name, _) = source.dotted(at)?;
    match name.rsplit('.').next()? {
        "body" | "json" => Some(Part::Body),
        "query" => Some(Part::Query),
        _ => None,
    }
}

/// The names between braces, without those that have a default.
fn names(module: &Module, open: usize) -> Vec<String> {
    let source = &module.source;
    let has_default = |range: &Range<usize>| range.clone().any(|at| source.is_sign(at, '='));
    let named = source.arguments(open).into_iter().filter(|range| !has_default(range));
    named.filter_map(|range| source.word(range.start).map(str::to_owned)).collect()
}

/// The variable of `const body = await c.req.json()` or `const body = req.body`.
fn whole_body(module: &Module, at: usize) -> Option<String> {
    let source = &module.source;
    let name = source.is_at(at, &["const", WORD, "="]).then(|| source.word(at + 1)).flatten()?;
    let mut value = at + 3;
    while source.word(value) == Some("await") || source.is_sign(value, '(') {
        value += 1;
    }
    let (dotted, end) = source.dotted(value)?;
    let is_json = dotted.ends_with(".json") && source.is_at(end, &["(", ")"]);
    (is_json || dotted.ends_with(".body")).then(|| name.to_owned())
}

fn add_fields(route: &mut Route, names: impl IntoIterator<Item = String>) {
    for name in names {
        if !route.fields.iter().any(|(known, _)| *known == name) {
            let value = Value::of_name(&name);
            route.fields.push((name, value));
        }
    }
}

fn add_query(route: &mut Route, names: impl IntoIterator<Item = String>) {
    for name in names {
        if !route.query.iter().any(|(known, _)| *known == name) {
            route.query.push((name.clone(), Value::of_name(&name).plain().to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, text: &str) -> Route {
        let module = Module::new("a.ts", text);
        let mut route = Route::new(method, "/");
        read(&mut route, &module, module.source.all());
        route
    }

    #[test]
    fn the_body_has_the_fields_that_are_read() {
        for text in [
            "const { message, n = 3 } = req.body;",
            "const { message } = await c.req.json<{ message: string }>();",
            "const { message }: Body = (await request.json()) as Body;",
            "const body = await c.req.json(); use(body.message); body.trim();",
            "use(req.body.message)",
        ] {
            let route = of("post", text);
            assert_eq!(route.fields, [("message".to_owned(), Value::Text)], "{text}");
            assert!(!route.is_unclear);
        }
        assert!(of("post", "save(req.body)").is_unclear);
        assert!(!of("post", "res.json()").is_unclear);
    }

    #[test]
    fn the_query_has_what_is_read() {
        for text in ["use(req.query.q)", "c.req.query('q')", "const { q } = req.query", "url.searchParams.get('q')"] {
            assert_eq!(of("get", text).query, [("q".to_owned(), "hello".to_owned())], "{text}");
        }
        assert_eq!(of("get", "Number(request.query.count ?? 10)").query, [("count".to_owned(), "3".to_owned())]);
    }
}
