//! Files of pnpm and yarn, as values: every scalar is a text, and nothing of them is executed or merged.

use saphyr_parser::{Event, Parser, StrInput};
use serde_json::{Map, Value};

/// `None` where it is not YAML, or uses what these files do not use, such as aliases.
pub(super) fn value(text: &str) -> Option<Value> {
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next_event()?.ok()?.0 {
            Event::StreamEnd => return None,
            Event::StreamStart | Event::Nothing | Event::DocumentStart(_) | Event::DocumentEnd => {}
            event => return node(&mut parser, event, 0),
        }
    }
}

fn node<'t>(parser: &mut Parser<'t, StrInput<'t>>, event: Event<'t>, depth: usize) -> Option<Value> {
    const DEEPEST: usize = 64;
    if depth > DEEPEST {
        return None;
    }
    match event {
        Event::Scalar(text, ..) => Some(Value::String(text.into_owned())),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match parser.next_event()?.ok()?.0 {
                    Event::SequenceEnd => return Some(Value::Array(items)),
                    event => items.push(node(parser, event, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Map::new();
            loop {
                let name = match parser.next_event()?.ok()?.0 {
                    Event::MappingEnd => return Some(Value::Object(entries)),
                    Event::Scalar(text, ..) => text.into_owned(),
                    _ => return None,
                };
                let event = parser.next_event()?.ok()?.0;
                entries.insert(name, node(parser, event, depth + 1)?);
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read() {
        let found = value(
            "importers:\n  .:\n    dependencies:\n      six: {specifier: 1.0, version: 'link:../six'}\nlist: [a, b]\n",
        )
        .unwrap();
        assert_eq!(found["importers"]["."]["dependencies"]["six"]["version"], "link:../six");
        assert_eq!(found["list"][1], "b");
        assert_eq!(value("a: [\n"), None);
    }
}
