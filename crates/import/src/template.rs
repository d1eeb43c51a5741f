//! A template as it is written: its sections, and before any value is worked out.

use super::node::{Invalid, Node};
use super::yaml;

pub const FUNCTION: &str = "AWS::Serverless::Function";
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

pub struct Template {
    pub file: String,
    pub root: Node,
    /// Whether it refers to the name of its stack.
    pub uses_stack_name: bool,
}

impl Template {
    pub fn read(file: &str, text: &str) -> Result<Template, Invalid> {
        let root = yaml::read(file, text)?;
        let template = Template { file: file.to_owned(), root, uses_stack_name: text.contains("AWS::StackName") };
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

    pub fn wrong(&self, node: &Node, message: impl Into<String>) -> Invalid {
        Invalid::new(&self.file, Some(node.place()), message)
    }

    /// The entries of a section; none where the template has no such section.
    pub fn section(&self, name: &str) -> &[(String, Node)] {
        self.root.get(name).map(Node::entries).unwrap_or_default()
    }

    pub fn functions(&self) -> impl Iterator<Item = &(String, Node)> {
        self.section("Resources").iter().filter(|(name, _)| self.type_of(name) == Some(FUNCTION))
    }

    pub fn type_of(&self, resource: &str) -> Option<&str> {
        self.root.at(&["Resources", resource, "Type"])?.text()
    }

    /// The property in which the template names a resource, if `Ref` returns that name.
    pub fn name_of(&self, resource: &str) -> Option<&Node> {
        let kind = self.type_of(resource)?;
        let (_, key) = NAMED.iter().find(|(known, _)| *known == kind)?;
        self.root.at(&["Resources", resource, "Properties", key])
    }
}
