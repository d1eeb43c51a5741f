//! Classes that describe a JSON body, and types of which an example can be made.

use super::imports::Module;
use crate::init::route::Value;
use std::ops::Range;

const BASES: [&str; 4] = ["BaseModel", "Struct", "TypedDict", "Schema"];

/// An example of a type that a query can have.
pub(super) fn simple(module: &Module, hint: Range<usize>) -> Option<Value> {
    let source = &module.source;
    // Of `Annotated[str, Query()]`, the first.
    let start = hint.start + usize::from(source.is_sign(hint.start, ':'));
    let wrapped = ["Annotated", "Optional"].iter().any(|name| source.is_at(start, &[name, "["]));
    let at = if wrapped { start + 2 } else { start };
    // Without a type, it is a text.
    if at >= hint.end {
        return Some(Value::Text);
    }
    match source.word(at)? {
        "str" | "UUID" => Some(Value::Text),
        "int" | "float" => Some(Value::Number),
        "bool" => Some(Value::Flag),
        _ => None,
    }
}

/// The fields that a class requires; `None` if it is unknown, or has one of which no example can be made.
pub(super) fn fields(modules: &[&Module], class: &str) -> Option<Vec<(String, Value)>> {
    let (module, start) = modules.iter().find_map(|module| Some((*module, module.definition("class", class)?)))?;
    let source = &module.source;
    let open = start + 2;
    let is_model = source.is_sign(open, '(') && source.has_word(open..source.close(open), &BASES);
    let is_dataclass = start > 0 && source.word(start - 1) == Some("dataclass");
    if !is_model && !is_dataclass {
        return None;
    }
    let mut found = Vec::new();
    for (name, hint) in required_fields(module, start) {
        let value = value(module, &name, hint)?;
        found.push((name, value));
    }
    (!found.is_empty()).then_some(found)
}

/// The names of the fields that a class requires.
pub(super) fn required(module: &Module, start: usize) -> Vec<String> {
    required_fields(module, start).into_iter().map(|(name, _)| name).collect()
}

/// The fields without a default, with their types.
fn required_fields(module: &Module, start: usize) -> Vec<(String, Range<usize>)> {
    let source = &module.source;
    let block = source.indented_block(start);
    let outer = source.indent(start).unwrap_or(0);
    let indent = block.clone().skip(1).find_map(|at| source.indent(at).filter(|indent| *indent > outer));
    let begins = |at: &usize| indent.is_some() && source.indent(*at) == indent && source.is_sign(*at + 1, ':');
    let mut found = Vec::new();
    for at in block.clone().skip(1).filter(begins) {
        let Some(name) = source.word(at).filter(|name| !["try", "else", "model_config"].contains(name)) else {
            continue;
        };
        let is_end = |next: &usize| source.indent(*next).is_some_and(|found| Some(found) <= indent);
        let end = (at + 1..block.end).find(is_end).unwrap_or(block.end);
        let equals = (at..end).find(|at| source.is_sign(*at, '='));
        if equals.is_none_or(|equals| is_required_field(module, equals + 1)) {
            found.push((name.to_owned(), at + 2..equals.unwrap_or(end)));
        }
    }
    found
}

/// `Field(...)`, and `Field(min_length=1)`, which has no default.
fn is_required_field(module: &Module, at: usize) -> bool {
    let source = &module.source;
    if !source.is_at(at, &["Field", "("]) {
        return false;
    }
    let has_default = ["default", "default_factory"].iter().any(|name| source.keyword(at + 1, name).is_some());
    let first = source.arguments(at + 1).into_iter().next();
    let is_given =
        first.is_some_and(|first| !source.is_sign(first.start, '.') && !source.is_sign(first.start + 1, '='));
    !has_default && !is_given
}

fn value(module: &Module, name: &str, hint: Range<usize>) -> Option<Value> {
    let source = &module.source;
    let is_list = source.has_word(hint.start..hint.start + 1, &["list", "List", "Sequence"]);
    match simple(module, hint.clone()) {
        Some(value) => Some(value),
        None if is_list && source.has_word(hint.clone(), &["str"]) => Some(Value::Texts),
        None if is_list && name == "messages" => Some(Value::Messages),
        None => None,
    }
}
