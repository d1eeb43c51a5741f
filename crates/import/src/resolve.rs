//! The values of a template with one set of settings, as far as they are known before anything is deployed.

use super::node::{Content, FETCHED, Invalid, Node};
use super::template::Template;
use std::collections::BTreeMap;

/// The most references that may follow one another. A template with more is an attack, and would overflow the stack.
const MOST_REFERENCES: usize = 100;

/// The input of `sam deploy` besides the template.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub region: Option<String>,
    /// Twelve digits.
    pub account: Option<String>,
    pub stack_name: Option<String>,
    pub parameters: BTreeMap<String, String>,
}

pub(crate) struct Resolver<'t> {
    pub template: &'t Template,
    pub settings: Settings,
    parameters: BTreeMap<String, Content>,
    /// The names that are being evaluated, so that a cycle is noticed.
    pending: Vec<String>,
    /// The results so far: without them, a chain of doubled references would take exponential time.
    conditions: BTreeMap<String, Option<bool>>,
    names: BTreeMap<String, Content>,
}

impl<'t> Resolver<'t> {
    pub(crate) fn new(template: &'t Template, settings: Settings) -> Result<Resolver<'t>, Invalid> {
        let declared = template.section("Parameters").iter();
        let parameters = declared.map(|(name, node)| Ok((name.clone(), parameter(template, &settings, name, node)?)));
        Ok(Resolver {
            template,
            parameters: parameters.collect::<Result<_, Invalid>>()?,
            settings,
            pending: Vec::new(),
            conditions: BTreeMap::new(),
            names: BTreeMap::new(),
        })
    }

    pub(crate) fn partition(&self) -> &'static str {
        match self.settings.region.as_deref().unwrap_or_default() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The value of a declared parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Content> {
        self.parameters.get(name)
    }

    /// What `Ref` returns for a name.
    pub(crate) fn named(&mut self, name: &str, at: &Node) -> Result<Content, Invalid> {
        if let Some(content) = self.pseudo_parameter(name) {
            return Ok(content);
        }
        if let Some(parameter) = self.parameters.get(name) {
            return Ok(parameter.clone());
        }
        Ok(self.physical_name(name, at)?.unwrap_or_else(|| Content::unknown(name)))
    }

    /// `AWS::Region` and its like; `None` for any other name.
    fn pseudo_parameter(&self, name: &str) -> Option<Content> {
        let known = |value: &Option<String>| value.as_ref().map_or_else(|| Content::unknown(name), Content::text);
        Some(match name.strip_prefix("AWS::")? {
            "NoValue" => Content::Absent,
            "Region" => known(&self.settings.region),
            "AccountId" => known(&self.settings.account),
            "StackName" => known(&self.settings.stack_name),
            "Partition" => Content::text(self.partition()),
            "URLSuffix" if self.partition() == "aws-cn" => Content::text("amazonaws.com.cn"),
            "URLSuffix" => Content::text("amazonaws.com"),
            _ => Content::unknown(name),
        })
    }

    /// The name that the template gives a resource, if `Ref` returns that name.
    pub(crate) fn physical_name(&mut self, resource: &str, at: &Node) -> Result<Option<Content>, Invalid> {
        let Some(name) = self.template.name_of(resource) else { return Ok(None) };
        if let Some(known) = self.names.get(resource) {
            return Ok(Some(known.clone()));
        }
        let content = self.once(resource, at, |resolver| Ok(resolver.resolve(name).content))?;
        self.names.insert(resource.to_owned(), content.clone());
        Ok(Some(content))
    }

    /// Whether a condition of the template holds; `None` if that is not known here.
    pub(crate) fn condition(&mut self, name: &str, at: &Node) -> Result<Option<bool>, Invalid> {
        let Some(condition) = self.template.root.at(&["Conditions", name]) else {
            return Err(self.template.wrong(at, format!("`Conditions` has no `{name}`")));
        };
        if let Some(known) = self.conditions.get(name) {
            return Ok(*known);
        }
        let holds = self.once(name, at, |resolver| resolver.holds(condition))?;
        self.conditions.insert(name.to_owned(), holds);
        Ok(holds)
    }

    /// Whether the body of a condition holds; `None` if that is not known here.
    pub(crate) fn holds(&mut self, node: &Node) -> Result<Option<bool>, Invalid> {
        let Some((function, argument)) = node.intrinsic() else { return Ok(node.boolean()) };
        Ok(match function {
            "Condition" => self.condition(argument.text().unwrap_or_default(), argument)?,
            "Fn::Not" => self.each_holds(argument)?.first().copied().flatten().map(|holds| !holds),
            "Fn::And" => unless_any(false, &self.each_holds(argument)?),
            "Fn::Or" => unless_any(true, &self.each_holds(argument)?),
            "Fn::Equals" => match argument.items() {
                [one, other] => {
                    let (one, other) = (self.resolve(one), self.resolve(other));
                    one.text().zip(other.text()).map(|(one, other)| one == other)
                }
                _ => return Err(self.template.wrong(argument, "`Fn::Equals` takes two values")),
            },
            _ => None,
        })
    }

    fn each_holds(&mut self, argument: &Node) -> Result<Vec<Option<bool>>, Invalid> {
        argument.each().into_iter().map(|part| self.holds(part)).collect()
    }

    /// Evaluates something that may refer to others of its kind, but never to itself.
    fn once<T>(
        &mut self,
        name: &str,
        at: &Node,
        work: impl FnOnce(&mut Self) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        if let Some(start) = self.pending.iter().position(|known| known == name) {
            let cycle = self.pending[start..].iter().map(String::as_str).chain([name]);
            let cycle = cycle.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
            return Err(self.template.wrong(at, format!("this refers to itself: {cycle}")));
        }
        if self.pending.len() > MOST_REFERENCES {
            let message = format!("this is reached by more than {MOST_REFERENCES} references");
            return Err(self.template.wrong(at, message));
        }
        self.pending.push(name.to_owned());
        let result = work(self);
        self.pending.pop();
        result
    }
}

/// The value of a declared parameter: the one that is set, or its default.
fn parameter(template: &Template, settings: &Settings, name: &str, node: &Node) -> Result<Content, Invalid> {
    let kind = node.get("Type").and_then(Node::text).unwrap_or("String");
    // A value that must not be echoed is not written into a file either.
    let is_hidden = node.get("NoEcho").and_then(Node::boolean) == Some(true);
    let set = settings.parameters.get(name).map(String::as_str);
    let value = set.or_else(|| node.get("Default").and_then(Node::text)).filter(|_| !is_hidden);
    let Some(value) = value else { return Ok(Content::unknown(name)) };
    let allowed = node.get("AllowedValues").map(Node::items).unwrap_or_default();
    let allowed: Vec<&str> = allowed.iter().filter_map(Node::text).collect();
    if !allowed.is_empty() && !allowed.contains(&value) {
        let allowed = allowed.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        let message = format!("the parameter `{name}` is `{value}`, expected one of {allowed}");
        let hint = "set another value with `parameter_overrides` in samconfig.toml";
        return Err(template.wrong(node, message).hint(hint));
    }
    Ok(if kind.starts_with("AWS::SSM::Parameter::Value") {
        Content::text(format!("{FETCHED}ssm:{value}}}}}")).with_fetched_unknown()
    } else if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        Content::List(value.split(',').map(|part| node.with(Content::text(part.trim()))).collect())
    } else {
        Content::text(value)
    })
}

/// `Fn::And` for `false` and `Fn::Or` for `true`: one such part decides; otherwise an unknown part makes the result
/// unknown.
fn unless_any(decisive: bool, parts: &[Option<bool>]) -> Option<bool> {
    if parts.contains(&Some(decisive)) {
        return Some(decisive);
    }
    (!parts.contains(&None)).then_some(!decisive)
}
