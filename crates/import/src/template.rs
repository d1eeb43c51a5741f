//! A template with the settings that it is read with: parameters, region and stack, conditions, names of resources.

use super::node::{FETCHED, Invalid, Node, What};
use super::yaml;
use std::cell::RefCell;
use std::collections::BTreeMap;

pub const FUNCTION: &str = "AWS::Serverless::Function";
const SAM: &str = "AWS::Serverless-2016-10-31";
/// Resources whose `Ref` is the name that the template gives them.
const NAMED: [(&str, &str); 8] = [
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Serverless::SimpleTable", "TableName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::Kinesis::Stream", "Name"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
];

/// What `sam deploy` is told beside the template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub region: Option<String>,
    pub stack_name: Option<String>,
    pub parameters: BTreeMap<String, String>,
    /// From the manifest's directory to the template's.
    pub way: String,
}

pub struct Template {
    pub file: String,
    pub root: Node,
    pub parameters: BTreeMap<String, What>,
    pub settings: Settings,
    /// What is being worked out right now, so that a circle is noticed.
    under_way: RefCell<Vec<String>>,
    /// What was worked out already: without it a chain of doubled references would take for ever.
    known_conditions: RefCell<BTreeMap<String, Option<bool>>>,
    known_names: RefCell<BTreeMap<String, What>>,
}

/// References that lead to references; beyond it a template is an attack, and the stack would not hold.
const LONGEST_WAY: usize = 100;

impl Template {
    pub fn read(file: &str, text: &str) -> Result<Template, Invalid> {
        let root = yaml::read(file, text)?;
        let template = Template {
            file: file.to_owned(),
            root,
            parameters: BTreeMap::new(),
            settings: Settings::default(),
            under_way: RefCell::default(),
            known_conditions: RefCell::default(),
            known_names: RefCell::default(),
        };
        if !template.root.is_map() {
            return Err(template.wrong(&template.root, "a template is a map, expected `Transform` and `Resources`"));
        }
        for section in ["Parameters", "Mappings", "Conditions", "Globals", "Resources", "Outputs"] {
            if let Some(node) = template.root.get(section).filter(|node| !node.is_map() && !node.is_null()) {
                return Err(template.wrong(node, format!("`{section}` is no map, expected one")));
            }
        }
        let transforms = template.root.get("Transform");
        if !transforms.is_some_and(|node| node.each().iter().any(|one| one.text() == Some(SAM))) {
            let message = format!("this is no template of SAM, expected `Transform: {SAM}`");
            let invalid = template.wrong(transforms.unwrap_or(&template.root), message);
            return Err(invalid.hint("name SAM's own template, as it is before `sam build` and `sam package`"));
        }
        Ok(template)
    }

    /// The template with other settings.
    pub fn with(self, settings: Settings) -> Result<Template, Invalid> {
        let mut template = Template { settings, parameters: BTreeMap::new(), ..self };
        let declared = template.root.get("Parameters").map(|node| node.entries().to_vec()).unwrap_or_default();
        for (name, parameter) in &declared {
            let what = template.parameter(name, parameter)?;
            template.parameters.insert(name.clone(), what);
        }
        // A circle among conditions is an error even where nobody asks.
        let conditions = template.root.get("Conditions").map(|node| node.entries().to_vec()).unwrap_or_default();
        for (name, node) in &conditions {
            template.condition(name, node)?;
        }
        Ok(template)
    }

    fn parameter(&self, name: &str, parameter: &Node) -> Result<What, Invalid> {
        let kind = parameter.get("Type").and_then(Node::text).unwrap_or("String");
        let given = self.settings.parameters.get(name).map(String::as_str);
        // A value that must not be echoed is not written into a file either.
        let hidden = parameter.get("NoEcho").and_then(Node::truth) == Some(true);
        let value = given.or_else(|| parameter.get("Default").and_then(Node::text)).filter(|_| !hidden);
        let Some(value) = value else { return Ok(Node::open_as(name)) };
        let allowed: Vec<&str> = parameter
            .get("AllowedValues")
            .map(|node| node.items().iter().filter_map(Node::text).collect())
            .unwrap_or_default();
        if !allowed.is_empty() && !allowed.contains(&value) {
            let allowed = allowed.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
            let message = format!("the parameter `{name}` is `{value}`, expected one of {allowed}");
            let hint = "give it another value with `parameter_overrides` in samconfig.toml";
            return Err(self.wrong(parameter, message).hint(hint));
        }
        Ok(if kind.starts_with("AWS::SSM::Parameter::Value") {
            Node::fetched(Node::text_of(format!("{FETCHED}ssm:{value}}}}}")))
        } else if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            What::List(value.split(',').map(|part| parameter.with(Node::text_of(part.trim()))).collect())
        } else {
            Node::text_of(value)
        })
    }

    pub fn wrong(&self, node: &Node, message: impl Into<String>) -> Invalid {
        Invalid::new(&self.file, Some(node.place()), message)
    }

    pub fn resources(&self) -> &[(String, Node)] {
        self.root.get("Resources").map(Node::entries).unwrap_or_default()
    }

    pub fn type_of(&self, resource: &str) -> Option<&str> {
        self.root.at(&["Resources", resource, "Type"])?.text()
    }

    pub fn partition(&self) -> &'static str {
        match self.settings.region.as_deref().unwrap_or_default() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// `AWS::Region` and its like; `None` where a name is none of them.
    pub fn pseudo(&self, name: &str) -> Option<What> {
        let known = |value: &Option<String>| value.as_ref().map_or_else(|| Node::open_as(name), Node::text_of);
        Some(match name.strip_prefix("AWS::")? {
            "NoValue" => What::Absent,
            "Region" => known(&self.settings.region),
            "StackName" => known(&self.settings.stack_name),
            "Partition" => Node::text_of(self.partition()),
            "URLSuffix" if self.partition() == "aws-cn" => Node::text_of("amazonaws.com.cn"),
            "URLSuffix" => Node::text_of("amazonaws.com"),
            _ => Node::open_as(name),
        })
    }

    /// The name that the template itself gives a resource, if that is what `Ref` gives.
    pub fn physical_name(&self, resource: &str, at: &Node) -> Result<Option<What>, Invalid> {
        let Some(kind) = self.type_of(resource) else { return Ok(None) };
        let Some((_, key)) = NAMED.iter().find(|(known, _)| *known == kind) else { return Ok(None) };
        let Some(name) = self.root.at(&["Resources", resource, "Properties", key]) else { return Ok(None) };
        if let Some(known) = self.known_names.borrow().get(resource) {
            return Ok(Some(known.clone()));
        }
        let what = self.once(resource, at, || Ok(self.resolve(name)?.what))?;
        self.known_names.borrow_mut().insert(resource.to_owned(), what.clone());
        Ok(Some(what))
    }

    /// Whether a condition of the template holds; `None` where that is not known here.
    pub fn condition(&self, name: &str, at: &Node) -> Result<Option<bool>, Invalid> {
        let Some(condition) = self.root.at(&["Conditions", name]) else {
            return Err(self.wrong(at, format!("`Conditions` has no `{name}`")));
        };
        if let Some(known) = self.known_conditions.borrow().get(name) {
            return Ok(*known);
        }
        let truth = self.once(name, at, || self.truth_of(condition))?;
        self.known_conditions.borrow_mut().insert(name.to_owned(), truth);
        Ok(truth)
    }

    pub fn truth_of(&self, node: &Node) -> Result<Option<bool>, Invalid> {
        let Some((function, argument)) = node.intrinsic() else {
            return Ok(node.truth());
        };
        let parts = || argument.each().into_iter().map(|part| self.truth_of(part)).collect::<Result<Vec<_>, _>>();
        Ok(match function {
            "Condition" => self.condition(argument.text().unwrap_or_default(), argument)?,
            "Fn::Not" => parts()?.first().copied().flatten().map(|truth| !truth),
            "Fn::And" => all(&parts()?, true),
            "Fn::Or" => all(&parts()?, false),
            "Fn::Equals" => match argument.items() {
                [one, other] => {
                    let (one, other) = (self.resolve(one)?, self.resolve(other)?);
                    one.text().zip(other.text()).map(|(one, other)| one == other)
                }
                _ => return Err(self.wrong(argument, "`Fn::Equals` takes two values")),
            },
            _ => None,
        })
    }

    /// Works something out that may ask for others of its kind, but never for itself.
    fn once<T>(&self, name: &str, at: &Node, work: impl FnOnce() -> Result<T, Invalid>) -> Result<T, Invalid> {
        if let Some(start) = self.under_way.borrow().iter().position(|known| known == name) {
            let mut circle = self.under_way.borrow()[start..].to_vec();
            circle.push(name.to_owned());
            let circle = circle.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
            return Err(self.wrong(at, format!("this refers to itself: {circle}")));
        }
        if self.under_way.borrow().len() > LONGEST_WAY {
            return Err(self.wrong(at, format!("this is reached by more than {LONGEST_WAY} references, expected less")));
        }
        self.under_way.borrow_mut().push(name.to_owned());
        let result = work();
        self.under_way.borrow_mut().pop();
        result
    }

    /// What to say of a value that depends on these: why it is not known, and what to do.
    pub fn unknown(&self, open: &[String]) -> (String, String) {
        let (what, advice) = self.why_unknown(open);
        let others: String = open.iter().skip(1).map(|name| format!(", and on `{name}`")).collect();
        (what + &others, advice)
    }

    fn why_unknown(&self, open: &[String]) -> (String, String) {
        let name = open.first().map(String::as_str).unwrap_or_default();
        let hidden = self.root.at(&["Parameters", name, "NoEcho"]).and_then(Node::truth) == Some(true);
        match name {
            "AWS::Region" => (
                "it depends on `AWS::Region`, which is not known".into(),
                "import again with `--region NAME`, or write the region here".into(),
            ),
            "AWS::AccountId" => (
                "it depends on `AWS::AccountId`, which only AWS knows".into(),
                "write the account's number in its place".into(),
            ),
            name if hidden => (
                format!("the parameter `{name}` is `NoEcho`: its value is written into no file"),
                "take it from outside".into(),
            ),
            name if matches!(self.parameters.get(name), Some(What::List(_))) => (
                format!("the parameter `{name}` is a list, and stands within a text"),
                "join its values, and write the text here".into(),
            ),
            name if self.parameters.contains_key(name) => (
                format!("the parameter `{name}` has no value"),
                "give it one with `parameter_overrides` in samconfig.toml and import again, or write it here".into(),
            ),
            name if self.type_of(name.split('.').next().unwrap_or_default()) == Some(FUNCTION) => (
                format!("it refers to `{name}`, which lamstream makes under a name of its own"),
                format!(
                    "write it here once it is there: `lamstream status {} --output json` has name and ARN",
                    name.split('.').next().unwrap_or_default()
                ),
            ),
            name if self.type_of(name.split('.').next().unwrap_or_default()).is_some() => (
                format!("it refers to `{name}`, which CloudFormation makes and lamstream does not"),
                "write its value here once it is there".into(),
            ),
            name if name.starts_with(FETCHED) => (
                format!("CloudFormation puts in the value of `{name}`, which only AWS knows"),
                "write the value itself here".into(),
            ),
            name if name.starts_with("the condition ") => (
                format!("it depends on {name}, and whether that holds is not known here"),
                "write its value here".into(),
            ),
            name if !name.contains("::") => (
                format!("it refers to `{name}`, which is not in the template: SAM makes it, or it is missing"),
                "write its value here".into(),
            ),
            name => (format!("it depends on `{name}`, which only AWS knows"), "write its value here".into()),
        }
    }
}

/// `Fn::And` for `true` and `Fn::Or` for `false`: one that differs decides, one that is unknown leaves it open.
fn all(parts: &[Option<bool>], wanted: bool) -> Option<bool> {
    if parts.contains(&Some(!wanted)) {
        return Some(!wanted);
    }
    (!parts.contains(&None)).then_some(wanted)
}
