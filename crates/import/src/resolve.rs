//! What the intrinsic functions of a template come to, as far as that is known before anything is deployed.

use super::node::{Invalid, Node, What};
use super::template::Template;
use super::yaml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Nothing that AWS takes is longer, and texts that double each other would grow without end.
const LONGEST_TEXT: usize = 100_000;

type Resolved = Result<What, Invalid>;

impl Template {
    /// The value with every function in it carried out; what cannot be known stays open.
    pub fn resolve(&self, node: &Node) -> Result<Node, Invalid> {
        if let Some((function, argument)) = node.intrinsic() {
            let what = self.carry_out(function, argument, node)?;
            return Ok(node.with(Node::fetched(what)));
        }
        let what = match &node.what {
            What::List(items) => {
                let items: Result<Vec<Node>, Invalid> = items.iter().map(|item| self.resolve(item)).collect();
                What::List(items?.into_iter().filter(|item| !item.is_absent()).collect())
            }
            What::Map(entries) => {
                let resolved = entries.iter().map(|(name, value)| Ok((name.clone(), self.resolve(value)?)));
                let entries: Result<Vec<(String, Node)>, Invalid> = resolved.collect();
                What::Map(entries?.into_iter().filter(|(_, value)| !value.is_absent()).collect())
            }
            what => Node::fetched(what.clone()),
        };
        Ok(node.with(what))
    }

    fn carry_out(&self, function: &str, argument: &Node, whole: &Node) -> Resolved {
        match function {
            "Ref" => self.reference(argument),
            "Fn::GetAtt" => self.attribute(argument),
            "Fn::Sub" => self.substitute(argument),
            "Fn::Join" => self.join(argument),
            "Fn::FindInMap" => self.find(argument),
            "Fn::If" => self.either(argument),
            "Fn::Select" => self.select(argument),
            "Fn::Split" => self.split(argument),
            "Fn::Base64" => {
                let resolved = self.resolve(argument)?;
                Ok(match resolved.text() {
                    Some(text) => Node::text_of(STANDARD.encode(text)),
                    None => Node::open_as("Fn::Base64"),
                })
            }
            "Fn::Length" => {
                let list = self.resolve(argument)?;
                Ok(match list.what {
                    What::List(items) => Node::text_of(items.len().to_string()),
                    _ => Node::open_as(list.open().first().map_or(function, String::as_str)),
                })
            }
            "Condition" | "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => Ok(match self.truth_of(whole)? {
                Some(truth) => Node::text_of(truth.to_string()),
                None => Node::open_as(function),
            }),
            _ => Ok(Node::open_as(function)),
        }
    }

    fn reference(&self, argument: &Node) -> Resolved {
        let name = argument.text().ok_or_else(|| self.wrong(argument, "`Ref` takes a name"))?;
        self.named(name, argument)
    }

    /// What `Ref` gives for a name.
    fn named(&self, name: &str, at: &Node) -> Resolved {
        if let Some(what) = self.pseudo(name) {
            return Ok(what);
        }
        if let Some(parameter) = self.parameters.get(name) {
            return Ok(parameter.clone());
        }
        self.physical_name(name, at).map(|name_of| name_of.unwrap_or_else(|| Node::open_as(name)))
    }

    fn attribute(&self, argument: &Node) -> Resolved {
        let path = match &argument.what {
            What::List(parts) => parts.iter().filter_map(Node::text).collect::<Vec<_>>().join("."),
            _ => argument.text().unwrap_or_default().to_owned(),
        };
        self.attribute_named(&path, argument)
    }

    fn attribute_named(&self, path: &str, at: &Node) -> Resolved {
        let Some((resource, attribute)) = path.split_once('.') else {
            return Err(self.wrong(at, "`Fn::GetAtt` takes a resource and one of its attributes"));
        };
        // The ARN of a bucket is the only one that needs neither a region nor an account.
        let is_bucket = self.type_of(resource) == Some("AWS::S3::Bucket");
        match self.physical_name(resource, at)? {
            Some(What::Text { text, open, .. }) if is_bucket && attribute == "Arn" => {
                Ok(What::Text { text: format!("arn:{}:s3:::{text}", self.partition()), open })
            }
            _ => Ok(Node::open_as(path)),
        }
    }

    fn substitute(&self, argument: &Node) -> Resolved {
        let (text, own) = match argument.items() {
            [text, own] => (text, Some(own)),
            [] => (argument, None),
            _ => return Err(self.wrong(argument, "`Fn::Sub` takes a text, or a text and a map")),
        };
        let source = text.text().ok_or_else(|| self.wrong(argument, "`Fn::Sub` takes a text"))?;
        let (mut out, mut open, mut rest) = (String::new(), Vec::new(), source);
        while let Some((before, after)) = rest.split_once("${") {
            out += before;
            let Some((name, after)) = after.split_once('}') else {
                return Err(self.wrong(text, "`${` has no `}` in `Fn::Sub`"));
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                out += &format!("${{{literal}}}");
                continue;
            }
            let name = name.trim();
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.resolve(value)?.what,
                None if name.contains('.') => self.attribute_named(name, text)?,
                None => self.named(name, text)?,
            };
            push(&mut out, &mut open, &value, name);
        }
        self.whole(out + rest, open, argument)
    }

    fn join(&self, argument: &Node) -> Resolved {
        let [separator, items] = argument.items() else {
            return Err(self.wrong(argument, "`Fn::Join` takes a separator and a list"));
        };
        let (separator, items) = (separator.text().unwrap_or_default(), self.resolve(items)?);
        if let What::Text { open, .. } = &items.what {
            return Ok(Node::open_as(open.first().map_or("Fn::Join", String::as_str)));
        }
        let (mut out, mut open) = (String::new(), Vec::new());
        for (index, item) in items.items().iter().enumerate() {
            out += if index > 0 { separator } else { "" };
            push(&mut out, &mut open, &item.what, "Fn::Join");
        }
        self.whole(out, open, argument)
    }

    /// A text that was put together.
    fn whole(&self, text: String, mut open: Vec<String>, at: &Node) -> Resolved {
        if text.len() > LONGEST_TEXT {
            return Err(self.wrong(at, format!("the text would be longer than {LONGEST_TEXT} bytes, expected less")));
        }
        open.sort();
        open.dedup();
        Ok(What::Text { text, open })
    }

    fn find(&self, argument: &Node) -> Resolved {
        let [map, first, second, ..] = argument.items() else {
            return Err(self.wrong(argument, "`Fn::FindInMap` takes a map and two keys"));
        };
        let resolved = [self.resolve(map)?, self.resolve(first)?, self.resolve(second)?];
        let open: Vec<String> = resolved.iter().flat_map(Node::open).collect();
        if let Some(open) = open.first() {
            return Ok(Node::open_as(open));
        }
        let keys: Vec<&str> = resolved.iter().filter_map(Node::text).collect();
        let fallback = argument.items().get(3).and_then(|more| more.get("DefaultValue"));
        match (self.root.get("Mappings").and_then(|mappings| mapped(mappings, &keys)), fallback) {
            (Some(found), _) => Ok(found.what.clone()),
            (None, Some(fallback)) => Ok(self.resolve(fallback)?.what),
            (None, None) => Err(self.wrong(argument, format!("`Mappings` has no `{}`", keys.join(".")))),
        }
    }

    fn either(&self, argument: &Node) -> Resolved {
        let [condition, yes, no] = argument.items() else {
            return Err(self.wrong(argument, "`Fn::If` takes a condition and two values"));
        };
        let name = condition.text().ok_or_else(|| self.wrong(condition, "`Fn::If` takes the name of a condition"))?;
        match self.condition(name, condition)? {
            Some(truth) => Ok(self.resolve(if truth { yes } else { no })?.what),
            None => Ok(Node::open_as(&format!("the condition {name}"))),
        }
    }

    fn select(&self, argument: &Node) -> Resolved {
        let [index, items] = argument.items() else {
            return Err(self.wrong(argument, "`Fn::Select` takes an index and a list"));
        };
        let (index, items) = (self.resolve(index)?, self.resolve(items)?);
        let Some(number) = index.text().and_then(|text| text.parse::<usize>().ok()) else {
            return Ok(Node::open_as("Fn::Select"));
        };
        match (&items.what, items.items().get(number)) {
            (What::List(_), Some(item)) => Ok(item.what.clone()),
            (What::List(_), None) => Err(self.wrong(argument, format!("`Fn::Select` finds no item {number}"))),
            _ => Ok(Node::open_as(items.open().first().map_or("Fn::Select", String::as_str))),
        }
    }

    fn split(&self, argument: &Node) -> Resolved {
        let [separator, text] = argument.items() else {
            return Err(self.wrong(argument, "`Fn::Split` takes a separator and a text"));
        };
        let (separator, resolved) = (separator.text().unwrap_or_default(), self.resolve(text)?);
        match resolved.text() {
            Some(text) if !separator.is_empty() => {
                Ok(What::List(text.split(separator).map(|part| argument.with(Node::text_of(part))).collect()))
            }
            _ => Ok(Node::open_as(resolved.open().first().map_or("Fn::Split", String::as_str))),
        }
    }
}

/// Follows keys of a mapping, of which one may be a truth without quotes.
fn mapped<'n>(mappings: &'n Node, keys: &[&str]) -> Option<&'n Node> {
    keys.iter().try_fold(mappings, |node, key| {
        let is_one = |(name, _): &&(String, Node)| yaml::truth(name) == Some(*key);
        node.get(key).or_else(|| node.entries().iter().find(is_one).map(|(_, node)| node))
    })
}

/// Puts a value into a text.
fn push(out: &mut String, open: &mut Vec<String>, value: &What, name: &str) {
    match value {
        What::Text { text, open: more, .. } => {
            out.push_str(text);
            open.extend(more.iter().cloned());
        }
        // CloudFormation puts nothing else into texts.
        What::List(_) | What::Map(_) => {
            out.push_str(&format!("${{{name}}}"));
            open.push(name.to_owned());
        }
        What::Absent | What::Null => {}
    }
}
