//! Parses YAML, and so JSON, to a tree: CloudFormation's tags become the long form, aliases and merge keys are
//! expanded.

use super::node::{Content, Invalid, Node};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// Templates have some thousands of values; a few nested aliases could make billions.
const MOST_VALUES: usize = 100_000;
const DEEPEST: usize = 64;
/// The start of the parser's message for a line that is not indented far enough.
const INDENTATION: &str = "not valid YAML: invalid indentation";
/// The most lines that are indented before the parser gives up. A template has some dozens of lists in brackets.
const MOST_INDENTED: usize = 500;
/// Deeper than any block could be.
const INDENT: usize = 200;

/// A key that a map has more than once. As in SAM, its last value counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    pub key: String,
    /// The line of its first value.
    pub first: usize,
    /// The line and column of its last one.
    pub last: (usize, usize),
}

/// The tree of a file, and the keys that it has twice.
pub(crate) fn read(file: &str, text: &str) -> Result<(Node, Vec<Duplicate>), Invalid> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut text = if text.trim_start().starts_with('{') { from_json(text) } else { text.to_owned() };
    let mut indented = BTreeSet::new();
    loop {
        let mut invalid = match whole(file, &text) {
            Err(invalid) => invalid,
            found => return found,
        };
        let Some((line, column)) = invalid.place.as_mut() else { return Err(invalid) };
        let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let is_first = text[start..].chars().take(column.saturating_sub(1)).all(|before| before == ' ');
        // Within brackets PyYAML, and so SAM, does not require indentation; this parser does.
        let is_one = is_first && invalid.message.starts_with(INDENTATION);
        if indented.contains(line) {
            *column = column.saturating_sub(INDENT).max(1);
        } else if is_one && indented.len() < MOST_INDENTED {
            indented.insert(*line);
            text.insert_str(start, &" ".repeat(INDENT));
            continue;
        }
        return Err(invalid);
    }
}

/// JSON is YAML, except for tabs before a value and for characters written as a pair of escapes.
fn from_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_start = true;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '\t' if is_start => out.push(' '),
            '\\' => match joined(rest) {
                Some(one) => {
                    length = PAIR;
                    out.push_str(&format!("\\U{:08X}", u32::from(one)));
                }
                None => {
                    length += rest[1..].chars().next().map_or(0, char::len_utf8);
                    out.push_str(&rest[..length]);
                }
            },
            other => out.push(other),
        }
        is_start = character == '\n' || (is_start && character.is_whitespace());
        rest = &rest[length..];
    }
    out
}

/// The length of `\ud83d\ude00`.
const PAIR: usize = 12;

/// The character at the start of a text, if it is written as a pair.
fn joined(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let is_high = (0xd800..0xdc00).contains(&unit(0)?);
    let mut characters = char::decode_utf16([unit(0)?, unit(6)?]);
    characters.next()?.ok().filter(|_| is_high)
}

fn whole(file: &str, text: &str) -> Result<(Node, Vec<Duplicate>), Invalid> {
    let mut reader = Reader {
        file,
        anchors: BTreeMap::new(),
        values: 0,
        depth: 0,
        duplicates: Vec::new(),
        parser: Parser::new_from_str(text),
    };
    let mut document = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if document.is_some() => {
                let invalid = reader.wrong(place(&span), "a second document begins here, expected one");
                return Err(invalid.hint("keep one of them: SAM reads only one, too"));
            }
            Event::StreamStart | Event::Nothing | Event::DocumentStart(_) | Event::DocumentEnd => {}
            event => document = Some(reader.node(event, &span)?),
        }
    }
    let empty = || Invalid::new(file, Some((1, 1)), "the file is empty, expected a template");
    Ok((document.filter(|node| !node.is_null()).ok_or_else(empty)?, reader.duplicates))
}

struct Reader<'t> {
    file: &'t str,
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    /// The value of each anchor, and how many values it contains.
    anchors: BTreeMap<usize, (Node, usize)>,
    values: usize,
    depth: usize,
    duplicates: Vec<Duplicate>,
}

fn place(span: &Span) -> (usize, usize) {
    (span.start.line(), span.start.col() + 1)
}

impl<'t> Reader<'t> {
    fn wrong(&self, place: (usize, usize), message: impl Into<String>) -> Invalid {
        Invalid::new(self.file, Some(place), message)
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Invalid> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let place = (error.marker().line(), error.marker().col() + 1);
                let invalid = self.wrong(place, format!("not valid YAML: {}", error.info()));
                Err(invalid.hint("correct it there or in a line above; `sam validate` checks the file, too"))
            }
            None => Err(self.wrong((1, 1), "not valid YAML: the file ends too early")),
        }
    }

    fn count(&mut self, values: usize, place: (usize, usize)) -> Result<(), Invalid> {
        self.values += values;
        if self.values > MOST_VALUES {
            return Err(self.wrong(place, format!("aliases expand to more than {MOST_VALUES} values")));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Result<Node, Invalid> {
        let place = place(span);
        let before = self.values;
        self.count(1, place)?;
        if self.depth > DEEPEST {
            return Err(self.wrong(place, format!("this is nested more than {DEEPEST} levels deep")));
        }
        self.depth += 1;
        let (anchor, tag, content) = match event {
            Event::Alias(anchor) => {
                self.depth -= 1;
                let Some((node, values)) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.wrong(place, "this alias is inside its own anchor, and would never end"));
                };
                self.count(values, place)?;
                return Ok(Node::new(place, node.content));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let content = scalar(&text, style == ScalarStyle::Plain, tag.is_some());
                (anchor, tag, content)
            }
            Event::SequenceStart(anchor, tag) => (anchor, tag, Content::List(self.list()?)),
            Event::MappingStart(anchor, tag) => (anchor, tag, Content::Map(self.map()?)),
            other => return Err(self.wrong(place, format!("not valid YAML: unexpected {other:?}"))),
        };
        self.depth -= 1;
        let node = tagged(Node::new(place, content), tag.as_deref());
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.values - before));
        }
        Ok(node)
    }

    fn list(&mut self) -> Result<Vec<Node>, Invalid> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Vec<(String, Node)>, Invalid> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let (mut merged, mut seen) = (Vec::new(), BTreeMap::new());
        loop {
            let (name, at) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(text, ..), span) => (text.into_owned(), place(&span)),
                (_, span) => return Err(self.wrong(place(&span), "this key is not a string")),
            };
            let (event, span) = self.next()?;
            let mut node = self.node(event, &span)?;
            (node.line, node.column) = at;
            if let Some(first) = seen.insert(name.clone(), at.0).filter(|_| name != "<<") {
                entries.retain(|(known, _)| *known != name);
                self.duplicates.push(Duplicate { key: name.clone(), first, last: at });
            }
            if name == "<<" { merged.push(node) } else { entries.push((name, node)) }
        }
        for node in merged {
            for source in node.each() {
                if !source.is_map() {
                    return Err(self.wrong(node.place(), "`<<` can merge only maps"));
                }
                for (name, value) in source.entries() {
                    if seen.insert(name.clone(), value.line).is_none() {
                        entries.push((name.clone(), value.clone()));
                    }
                }
            }
        }
        Ok(entries)
    }
}

fn tagged(node: Node, tag: Option<&Tag>) -> Node {
    let Some(tag) = tag else { return node };
    if tag.is_yaml_core_schema() {
        return match (tag.suffix.as_str(), node.content) {
            ("str", Content::Null) => Node { content: Content::text(""), ..node },
            ("str", Content::Text { text, .. }) => Node { content: Content::text(text), ..node },
            (_, content) => Node { content, ..node },
        };
    }
    // A function that lamstream does not know, such as those of `Rules`, has an unknown value.
    let name = match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        other => format!("Fn::{other}"),
    };
    Node::new(node.place(), Content::Map(vec![(name, node)]))
}

fn scalar(text: &str, plain: bool, tagged: bool) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" if plain => Content::Null,
        // Under a tag it stays a string.
        text => Content::text(boolean(text).filter(|_| plain && !tagged).unwrap_or(text)),
    }
}

/// The text that SAM passes on for a boolean of YAML 1.1 without quotes.
pub(crate) fn boolean(text: &str) -> Option<&'static str> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some("true"),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some("false"),
        _ => None,
    }
}
