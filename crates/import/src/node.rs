//! A template as a tree whose every value knows its place.

use std::fmt;

/// How a value begins that CloudFormation fetches itself.
pub const FETCHED: &str = "{{resolve:";

/// Why a text is no template that could be imported. Only the first reason is told: a parser knows no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub file: String,
    /// Line and column, from 1; a template as a whole has none.
    pub place: Option<(usize, usize)>,
    pub message: String,
    pub hints: Vec<String>,
}

impl Invalid {
    pub fn new(file: &str, place: Option<(usize, usize)>, message: impl Into<String>) -> Invalid {
        Invalid { file: file.to_owned(), place, message: message.into(), hints: Vec::new() }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Invalid {
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
pub struct Node {
    /// From 1; what stands under a key has the key's place, since that is what one looks for.
    pub line: usize,
    pub column: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// `AWS::NoValue`: what has it is not there.
    Absent,
    /// A key without a value. CloudFormation refuses it, and where it stands somebody forgot something.
    Null,
    Text {
        text: String,
        /// What is needed to know the text, and is not known here. Its place in the text is `${…}`.
        open: Vec<String>,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub fn new(place: (usize, usize), what: What) -> Node {
        Node { line: place.0, column: place.1, what }
    }

    pub fn text_of(text: impl Into<String>) -> What {
        What::Text { text: text.into(), open: Vec::new() }
    }

    /// What only a name is known of.
    pub fn open_as(name: &str) -> What {
        What::Text { text: format!("${{{name}}}"), open: vec![name.to_owned()] }
    }

    /// A value that CloudFormation fetches itself, `{{resolve:…}}`, is open: it is not what stands there.
    pub fn fetched(what: What) -> What {
        let What::Text { text, mut open } = what else { return what };
        for (start, _) in text.match_indices(FETCHED) {
            let end = text[start..].find("}}").map_or(text.len(), |end| start + end + 2);
            let reference = text[start..end].to_owned();
            if !open.contains(&reference) {
                open.push(reference);
            }
        }
        What::Text { text, open }
    }

    pub fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    pub fn with(&self, what: What) -> Node {
        Node::new(self.place(), what)
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Follows several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub fn entries(&self) -> &[(String, Node)] {
        if let What::Map(entries) = &self.what { entries } else { &[] }
    }

    pub fn items(&self) -> &[Node] {
        if let What::List(items) = &self.what { items } else { &[] }
    }

    /// The items of a list, or the one thing that stands in place of one.
    pub fn each(&self) -> Vec<&Node> {
        match &self.what {
            What::List(items) => items.iter().collect(),
            What::Absent | What::Null => Vec::new(),
            _ => vec![self],
        }
    }

    /// The text, where all of it is known.
    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::Text { text, open, .. } if open.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Everything that is not known, in here and below.
    pub fn open(&self) -> Vec<String> {
        let mut all: Vec<String> = match &self.what {
            What::Absent | What::Null => Vec::new(),
            What::Text { open, .. } => open.clone(),
            What::List(items) => items.iter().flat_map(Node::open).collect(),
            What::Map(entries) => entries.iter().flat_map(|(_, node)| node.open()).collect(),
        };
        // What AWS alone knows is said last: the rest is what one can do something about.
        all.sort_by_key(|name| (name.starts_with("AWS::"), name.clone()));
        all.dedup();
        all
    }

    pub fn is_map(&self) -> bool {
        matches!(self.what, What::Map(_))
    }

    pub fn is_absent(&self) -> bool {
        matches!(self.what, What::Absent)
    }

    pub fn is_null(&self) -> bool {
        matches!(self.what, What::Null)
    }

    /// What stands here in place of something else, for people.
    pub fn kind(&self) -> &'static str {
        match self.what {
            What::Absent | What::Null => "nothing",
            What::Text { .. } => "a text",
            What::List(_) => "a list",
            What::Map(_) => "a map",
        }
    }

    /// A truth, be it one to YAML or a text that says the same.
    pub fn truth(&self) -> Option<bool> {
        let What::Text { text, open, .. } = &self.what else { return None };
        match text.to_lowercase().as_str() {
            "true" | "yes" | "on" if open.is_empty() => Some(true),
            "false" | "no" | "off" if open.is_empty() => Some(false),
            _ => None,
        }
    }

    /// The only key and its value: the form of every intrinsic function.
    pub fn intrinsic(&self) -> Option<(&str, &Node)> {
        let [(name, value)] = self.entries() else { return None };
        // A statement of IAM has a `Condition` too, and that one is a map.
        let is_condition = name == "Condition" && matches!(value.what, What::Text { .. });
        (name == "Ref" || is_condition || name.starts_with("Fn::")).then_some((name.as_str(), value))
    }
}
