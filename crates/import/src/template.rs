//! A template as it is written, with its sections, before any value is evaluated.

use super::foreach;
use super::node::{Invalid, Node};
use super::yaml::{self, Duplicate};

pub(crate) const FUNCTION: &str = "AWS::Serverless::Function";
const SAM: &str = "AWS::Serverless-2016-10-31";
const SECTIONS: [&str; 6] = ["Parameters", "Mappings", "Conditions", "Globals", "Resources", "Outputs"];
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

pub(crate) struct Template {
    pub file: String,
    pub root: Node,
    /// Whether it refers to the name of its stack.
    pub uses_stack_name: bool,
    /// The keys that it has twice.
    pub duplicates: Vec<Duplicate>,
}

impl Template {
    pub(crate) fn read(file: &str, text: &str) -> Result<Template, Invalid> {
        let (root, duplicates) = yaml::read(file, text)?;
        let uses_stack_name = text.contains("AWS::StackName");
        let template = Template { file: file.to_owned(), root: foreach::expand(&root), uses_stack_name, duplicates };
        if !template.root.is_map() {
            return Err(
                template.wrong(&template.root, "not a template: expected a map with `Transform` and `Resources`")
            );
        }
        for section in SECTIONS {
            if let Some(node) = template.root.get(section).filter(|node| !node.is_map() && !node.is_null()) {
                return Err(template.wrong(node, format!("`{section}` is not a map")));
            }
        }
        let transforms = template.root.get("Transform");
        if !transforms.is_some_and(|node| node.each().iter().any(|one| one.text() == Some(SAM))) {
            let message = format!("not a SAM template: expected `Transform: {SAM}`");
            let invalid = template.wrong(transforms.unwrap_or(&template.root), message);
            return Err(invalid.hint("pass the source template, not the output of `sam build` or `sam package`"));
        }
        Ok(template)
    }

    pub(crate) fn wrong(&self, node: &Node, message: impl Into<String>) -> Invalid {
        Invalid::new(&self.file, Some(node.place()), message)
    }

    /// The entries of a section; none where the template has no such section.
    pub(crate) fn section(&self, name: &str) -> &[(String, Node)] {
        self.root.get(name).map(Node::entries).unwrap_or_default()
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &(String, Node)> {
        self.section("Resources").iter().filter(|(name, _)| self.type_of(name) == Some(FUNCTION))
    }

    /// The keys that lead to the first value at a place, separated by dots.
    pub(crate) fn path_to(&self, place: (usize, usize)) -> Option<String> {
        fn find(node: &Node, place: (usize, usize), path: &str) -> Option<String> {
            let inside = node.items().iter().find_map(|item| find(item, place, path));
            inside.or_else(|| {
                node.entries().iter().find_map(|(name, value)| {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    if value.place() == place { Some(path) } else { find(value, place, &path) }
                })
            })
        }
        find(&self.root, place, "")
    }

    pub(crate) fn type_of(&self, resource: &str) -> Option<&str> {
        self.root.at(&["Resources", resource, "Type"])?.text()
    }

    /// The property in which the template names a resource, if `Ref` returns that name.
    pub(crate) fn name_of(&self, resource: &str) -> Option<&Node> {
        let kind = self.type_of(resource)?;
        let (_, key) = NAMED.iter().find(|(known, _)| *known == kind)?;
        self.root.at(&["Resources", resource, "Properties", key])
    }
}
