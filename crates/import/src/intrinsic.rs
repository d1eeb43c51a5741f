//! The intrinsic functions of a template: `Ref`, `Fn::Sub` and the others.

use super::node::{Content, Invalid, Node};
use super::resolve::Resolver;
use super::yaml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// AWS accepts nothing longer, and texts that double each other would grow without end.
const LONGEST_TEXT: usize = 100_000;

type Resolved = Result<Content, Invalid>;

impl Resolver<'_> {
    /// The value with every function in it evaluated; what cannot be known stays unknown, and so does what
    /// CloudFormation would reject. No such function makes a template unreadable.
    pub(crate) fn resolve(&mut self, node: &Node) -> Node {
        let content = match (node.intrinsic(), &node.content) {
            (Some((function, argument)), _) => {
                let evaluated = self.evaluate(function, argument, node);
                evaluated.unwrap_or_else(|invalid| Content::invalid(&invalid.message))
            }
            (None, Content::List(items)) => {
                let items = items.iter().map(|item| self.resolve(item));
                Content::List(items.filter(|item| !item.is_absent()).collect())
            }
            (None, Content::Map(entries)) => {
                let resolved = entries.iter().map(|(name, value)| (name.clone(), self.resolve(value)));
                Content::Map(resolved.filter(|(_, value)| !value.is_absent()).collect())
            }
            (None, content) => content.clone(),
        };
        node.with(content.with_fetched_unknown())
    }

    fn evaluate(&mut self, function: &str, argument: &Node, whole: &Node) -> Resolved {
        match function {
            "Ref" => {
                let name = argument.text().ok_or_else(|| self.template.wrong(argument, "`Ref` takes a name"))?;
                self.named(name, argument)
            }
            "Fn::GetAtt" => {
                let path = attribute_path(argument);
                self.attribute(&path, argument)
            }
            "Fn::Sub" => self.substitute(argument),
            "Fn::Join" => self.join(argument),
            "Fn::FindInMap" => self.find_in_map(argument),
            "Fn::If" => self.choose(argument),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(argument),
            "Fn::Base64" => {
                let resolved = self.resolve(argument);
                Ok(match resolved.text() {
                    Some(text) => Content::text(STANDARD.encode(text)),
                    None => Content::unknown(function),
                })
            }
            "Fn::Length" => {
                let list = self.resolve(argument);
                Ok(match list.content {
                    Content::List(items) => Content::text(items.len().to_string()),
                    _ => unknown_like(&list, function),
                })
            }
            "Condition" | "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => Ok(match self.holds(whole)? {
                Some(holds) => Content::text(holds.to_string()),
                None => Content::unknown(function),
            }),
            _ => Ok(Content::unknown(function)),
        }
    }

    /// What `Fn::GetAtt` returns for `RESOURCE.ATTRIBUTE`.
    fn attribute(&mut self, path: &str, at: &Node) -> Resolved {
        let Some((resource, attribute)) = path.split_once('.') else {
            return Err(self.template.wrong(at, "`Fn::GetAtt` takes a resource and one of its attributes"));
        };
        // The ARN of a bucket is the only one that needs neither a region nor an account.
        let is_bucket = self.template.type_of(resource) == Some("AWS::S3::Bucket");
        match self.physical_name(resource, at)? {
            Some(Content::Text { text, unknown }) if is_bucket && attribute == "Arn" => {
                Ok(Content::Text { text: format!("arn:{}:s3:::{text}", self.partition()), unknown })
            }
            _ => Ok(Content::unknown(path)),
        }
    }

    fn substitute(&mut self, argument: &Node) -> Resolved {
        let (text, own) = match argument.items() {
            [text, own] => (text, Some(own)),
            [] => (argument, None),
            _ => return Err(self.template.wrong(argument, "`Fn::Sub` takes a string, or a string and a map")),
        };
        let source = text.text().ok_or_else(|| self.template.wrong(argument, "`Fn::Sub` takes a string"))?;
        let (mut whole, mut rest) = (Joined::default(), source);
        while let Some((before, after)) = rest.split_once("${") {
            whole.text += before;
            let Some((name, after)) = after.split_once('}') else {
                return Err(self.template.wrong(text, "`${` has no `}` in `Fn::Sub`"));
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                whole.text += &format!("${{{literal}}}");
                continue;
            }
            let name = name.trim();
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.resolve(value).content,
                None if name.contains('.') => self.attribute(name, text)?,
                None => self.named(name, text)?,
            };
            whole.push(&value, name);
        }
        whole.text += rest;
        self.bounded(whole, argument)
    }

    fn join(&mut self, argument: &Node) -> Resolved {
        let [separator, items] = argument.items() else {
            return Err(self.template.wrong(argument, "`Fn::Join` takes a separator and a list"));
        };
        let (separator, items) = (separator.text().unwrap_or_default(), self.resolve(items));
        if items.is_text() {
            return Ok(unknown_like(&items, "Fn::Join"));
        }
        let mut whole = Joined::default();
        for (index, item) in items.items().iter().enumerate() {
            whole.text += if index > 0 { separator } else { "" };
            whole.push(&item.content, "Fn::Join");
        }
        self.bounded(whole, argument)
    }

    fn bounded(&self, whole: Joined, at: &Node) -> Resolved {
        let Joined { text, mut unknown } = whole;
        if text.len() > LONGEST_TEXT {
            let message = format!("the text would be longer than {LONGEST_TEXT} bytes");
            return Err(self.template.wrong(at, message));
        }
        unknown.sort();
        unknown.dedup();
        Ok(Content::Text { text, unknown })
    }

    fn find_in_map(&mut self, argument: &Node) -> Resolved {
        let [map, first, second, options @ ..] = argument.items() else {
            return Err(self.template.wrong(argument, "`Fn::FindInMap` takes a map and two keys"));
        };
        let keys = [self.resolve(map), self.resolve(first), self.resolve(second)];
        if let Some(name) = keys.iter().flat_map(Node::unknown).next() {
            return Ok(Content::unknown(&name));
        }
        let keys: Vec<&str> = keys.iter().filter_map(Node::text).collect();
        let default = options.first().and_then(|options| options.get("DefaultValue"));
        match (self.template.root.get("Mappings").and_then(|mappings| follow(mappings, &keys)), default) {
            (Some(found), _) => Ok(found.content.clone()),
            (None, Some(default)) => Ok(self.resolve(default).content),
            (None, None) => Err(self.template.wrong(argument, format!("`Mappings` has no `{}`", keys.join(".")))),
        }
    }

    fn choose(&mut self, argument: &Node) -> Resolved {
        let [condition, yes, no] = argument.items() else {
            return Err(self.template.wrong(argument, "`Fn::If` takes a condition and two values"));
        };
        let Some(name) = condition.text() else {
            return Err(self.template.wrong(condition, "`Fn::If` takes the name of a condition"));
        };
        match self.condition(name, condition)? {
            Some(holds) => Ok(self.resolve(if holds { yes } else { no }).content),
            None => Ok(Content::unknown(&format!("the condition {name}"))),
        }
    }

    fn select(&mut self, argument: &Node) -> Resolved {
        let [index, items] = argument.items() else {
            return Err(self.template.wrong(argument, "`Fn::Select` takes an index and a list"));
        };
        let (index, items) = (self.resolve(index), self.resolve(items));
        let Some(number) = index.text().and_then(|text| text.parse::<usize>().ok()) else {
            return Ok(Content::unknown("Fn::Select"));
        };
        match (&items.content, items.items().get(number)) {
            (Content::List(_), Some(item)) => Ok(item.content.clone()),
            (Content::List(_), None) => {
                Err(self.template.wrong(argument, format!("`Fn::Select` finds no item {number}")))
            }
            _ => Ok(unknown_like(&items, "Fn::Select")),
        }
    }

    fn split(&mut self, argument: &Node) -> Resolved {
        let [separator, text] = argument.items() else {
            return Err(self.template.wrong(argument, "`Fn::Split` takes a separator and a string"));
        };
        let (separator, resolved) = (separator.text().unwrap_or_default(), self.resolve(text));
        match resolved.text() {
            Some(text) if !separator.is_empty() => {
                Ok(Content::List(text.split(separator).map(|part| argument.with(Content::text(part))).collect()))
            }
            _ => Ok(unknown_like(&resolved, "Fn::Split")),
        }
    }
}

/// A text put together from several values.
#[derive(Default)]
struct Joined {
    text: String,
    unknown: Vec<String>,
}

impl Joined {
    fn push(&mut self, value: &Content, name: &str) {
        match value {
            Content::Text { text, unknown } => {
                self.text.push_str(text);
                self.unknown.extend(unknown.iter().cloned());
            }
            // CloudFormation inserts nothing else into texts.
            Content::List(_) | Content::Map(_) => {
                self.text.push_str(&format!("${{{name}}}"));
                self.unknown.push(name.to_owned());
            }
            Content::Absent | Content::Null => {}
        }
    }
}

/// Unknown because of the value, or else because of the function.
fn unknown_like(value: &Node, function: &str) -> Content {
    Content::unknown(value.unknown().first().map_or(function, String::as_str))
}

/// `RESOURCE.ATTRIBUTE`, whether it is written as a text or as a list.
pub(crate) fn attribute_path(argument: &Node) -> String {
    match argument.text() {
        Some(path) => path.to_owned(),
        None => argument.items().iter().filter_map(Node::text).collect::<Vec<_>>().join("."),
    }
}

/// Follows the keys of a mapping, any of which may be a boolean without quotes.
fn follow<'n>(mappings: &'n Node, keys: &[&str]) -> Option<&'n Node> {
    keys.iter().try_fold(mappings, |node, key| {
        let is_one = |(name, _): &&(String, Node)| yaml::boolean(name) == Some(*key);
        node.get(key).or_else(|| node.entries().iter().find(is_one).map(|(_, node)| node))
    })
}
