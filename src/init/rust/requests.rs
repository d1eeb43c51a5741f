//! The request that a handler in Rust needs, from its extractors.

use super::module::Module;
use crate::init::route::{Route, Value};
use crate::init::source::WORD;
use std::ops::Range;

/// Adds what the parameters of a handler take from the request.
pub(super) fn read(route: &mut Route, modules: &[Module], module: &Module, parameters: Range<usize>) {
    let source = &module.source;
    for at in parameters.clone() {
        let inner = if source.is_at(at + 1, &["<", WORD]) { source.word(at + 2) } else { None };
        match source.word(at) {
            Some("Query") if inner.is_some() && inner != Some("HashMap") => {
                match fields(modules, inner.unwrap_or_default()) {
                    Some(fields) => {
                        route.query.extend(fields.into_iter().map(|(name, value)| (name, value.plain().to_owned())))
                    }
                    None => route.is_unclear = true,
                }
            }
            Some("Json") if inner.is_some() => match fields(modules, inner.unwrap_or_default()) {
                Some(fields) => route.fields.extend(fields),
                None => route.is_unclear = true,
            },
            Some("TypedHeader")
                if inner == Some("UserAgent") || source.has_word(parameters.clone(), &["UserAgent"]) =>
            {
                route.headers = vec![("user-agent", "lamstream")];
            }
            Some("Form" | "Multipart" | "Bytes" | "TypedHeader" | "Payload" | "CookieJar" | "WebSocketUpgrade") => {
                route.is_unclear = true;
            }
            _ => {}
        }
    }
}

/// The fields that a struct requires; `None` if it is unknown, or has one of which no example can be made.
fn fields(modules: &[Module], name: &str) -> Option<Vec<(String, Value)>> {
    let (module, start) = modules.iter().find_map(|module| {
        Some((module, module.source.matches(module.source.all(), &["struct", name, "{"]).into_iter().next()?))
    })?;
    let source = &module.source;
    let mut found = Vec::new();
    for range in source.arguments(start + 2) {
        let is_given = source.has_word(range.clone(), &["default", "Option"]);
        let colon = range
            .clone()
            .find(|at| source.is_sign(*at, ':') && !source.is_sign(at + 1, ':') && source.word(at - 1).is_some());
        let colon = colon.filter(|_| !is_given);
        if let Some(colon) = colon {
            let name = source.word(colon - 1)?.to_owned();
            found.push((name, value(module, colon + 1)?));
        }
    }
    Some(found)
}

fn value(module: &Module, at: usize) -> Option<Value> {
    let source = &module.source;
    match source.word(at)? {
        "String" => Some(Value::Text),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" | "f32" | "f64" => {
            Some(Value::Number)
        }
        "bool" => Some(Value::Flag),
        "Vec" if source.is_at(at + 1, &["<", "String", ">"]) => Some(Value::Texts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::source::Source;
    use crate::init::tokens::Language;

    #[test]
    fn required_fields_are_those_without_a_default() {
        let text = "struct A { #[serde(default = \"ten\")] n: u32, pub q: String, o: Option<u8>, #[serde(rename = \"x\")] b: bool }\n\
                    async fn h(Query(A { q }): Query<A>, Json(b): Json<B>, State(s): State<S>) {}\nstruct B { c: Other }";
        let module = Module { path: String::new(), source: Source::new(Language::Rust, text) };
        let modules = [module];
        assert_eq!(fields(&modules, "A").unwrap(), [("q".to_owned(), Value::Text), ("b".to_owned(), Value::Flag)]);
        let mut route = Route::new("get", "/");
        read(&mut route, &modules, &modules[0], modules[0].source.all());
        assert!(route.is_unclear && route.query.len() == 2);
    }
}
