//! A template as a tree, in which every value has its location.

use std::fmt;

/// The start of a value that CloudFormation fetches itself.
pub(crate) const FETCHED: &str = "{{resolve:";
/// What precedes the reason in the name of an unknown value that CloudFormation would reject.
pub(crate) const INVALID: &str = "!";

/// The reason why a text is not a template that can be imported. Only the first reason is reported, because the parser
/// stops there. `message` quotes the template: make it printable before you print it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub file: String,
    /// Line and column, from 1; a template as a whole has none.
    pub place: Option<(usize, usize)>,
    pub message: String,
    pub hints: Vec<String>,
}

impl Invalid {
    pub(crate) fn new(file: &str, place: Option<(usize, usize)>, message: impl Into<String>) -> Invalid {
        Invalid { file: file.to_owned(), place, message: message.into(), hints: Vec::new() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Invalid {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(formatter, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(formatter, "{}: {}", self.file, self.message),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// From 1. A value under a key has the key's place, since that is what a reader looks for.
    pub line: usize,
    pub column: usize,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// `AWS::NoValue`: the key that has it does not exist.
    Absent,
    /// A key without a value. CloudFormation rejects it: its author forgot something.
    Null,
    Text {
        text: String,
        /// The names whose values the text depends on and that are not known here. In the text they are `${…}`.
        unknown: Vec<String>,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Content {
    pub(crate) fn text(text: impl Into<String>) -> Content {
        Content::Text { text: text.into(), unknown: Vec::new() }
    }

    /// A text of which only a name is known.
    pub(crate) fn unknown(name: &str) -> Content {
        Content::Text { text: format!("${{{name}}}"), unknown: vec![name.to_owned()] }
    }

    /// A value that CloudFormation would reject, for this reason.
    pub(crate) fn invalid(reason: &str) -> Content {
        Content::Text { text: "${…}".to_owned(), unknown: vec![format!("{INVALID}{reason}")] }
    }

    /// A text with `{{resolve:…}}` is unknown: CloudFormation replaces it.
    pub(crate) fn with_fetched_unknown(self) -> Content {
        let Content::Text { text, mut unknown } = self else { return self };
        for (start, _) in text.match_indices(FETCHED) {
            let end = text[start..].find("}}").map_or(text.len(), |end| start + end + 2);
            let reference = text[start..end].to_owned();
            if !unknown.contains(&reference) {
                unknown.push(reference);
            }
        }
        Content::Text { text, unknown }
    }
}

impl Node {
    pub(crate) fn new(place: (usize, usize), content: Content) -> Node {
        Node { line: place.0, column: place.1, content }
    }

    pub(crate) fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    /// Other content at the same place.
    pub(crate) fn with(&self, content: Content) -> Node {
        Node::new(self.place(), content)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Follows several keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(crate) fn entries(&self) -> &[(String, Node)] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Node] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    /// The items of a list, or the single value in place of one.
    pub(crate) fn each(&self) -> Vec<&Node> {
        match &self.content {
            Content::List(items) => items.iter().collect(),
            Content::Absent | Content::Null => Vec::new(),
            _ => vec![self],
        }
    }

    /// The text, if all of it is known.
    pub(crate) fn text(&self) -> Option<&str> {
        self.partial_text().filter(|(_, unknown)| unknown.is_empty()).map(|(text, _)| text)
    }

    /// The text, and the names in it whose values are not known.
    pub(crate) fn partial_text(&self) -> Option<(&str, &[String])> {
        if let Content::Text { text, unknown } = &self.content { Some((text, unknown)) } else { None }
    }

    /// Every name, here and below, whose value is not known. Those that only AWS knows come last: the user can do
    /// something about the others.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let mut all: Vec<String> = match &self.content {
            Content::Absent | Content::Null => Vec::new(),
            Content::Text { unknown, .. } => unknown.clone(),
            Content::List(items) => items.iter().flat_map(Node::unknown).collect(),
            Content::Map(entries) => entries.iter().flat_map(|(_, node)| node.unknown()).collect(),
        };
        all.sort_by_key(|name| (name.starts_with("AWS::"), name.clone()));
        all.dedup();
        all
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.content, Content::Map(_))
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.content, Content::Text { .. })
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.content, Content::Absent)
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// The kind of content, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self.content {
            Content::Absent | Content::Null => "nothing",
            Content::Text { .. } => "a string",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    /// A boolean of YAML, or a text that says the same.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.text()?.to_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The only key and its value: the form of every intrinsic function.
    pub(crate) fn intrinsic(&self) -> Option<(&str, &Node)> {
        let [(name, value)] = self.entries() else { return None };
        // A statement of IAM has a `Condition` too, and that one is a map.
        let is_condition = name == "Condition" && value.is_text();
        (name == "Ref" || is_condition || name.starts_with("Fn::")).then_some((name.as_str(), value))
    }
}
