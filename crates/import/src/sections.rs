//! Everything in a template except its functions.

use super::draft::{STILL_NEEDED, UNSUPPORTED};
use super::foreach::LOOP;
use super::function;
use super::intrinsic::attribute_path;
use super::log_groups;
use super::node::{Content, Node};
use super::template::{FUNCTION, Template};
use super::urls::{self, Outcome};
use super::writer::Writer;

/// Kinds of resources, and what to do about them.
const RESOURCES: [(&str, &str); 11] = [
    ("AWS::Serverless::Api", "give the function a `url`, or keep the API in its own stack"),
    ("AWS::Serverless::HttpApi", "give the function a `url`, or keep the API in its own stack"),
    (
        "AWS::Serverless::LayerVersion",
        "publish it with `aws lambda publish-layer-version`, and add its ARN to `layers`",
    ),
    ("AWS::Lambda::LayerVersion", "publish it with `aws lambda publish-layer-version`, and add its ARN to `layers`"),
    (
        "AWS::Lambda::Function",
        "add a function to the manifest, or make it an `AWS::Serverless::Function` and import again",
    ),
    (
        "AWS::Lambda::Permission",
        "`url` includes the permissions that it needs; grant others with `aws lambda add-permission`",
    ),
    ("AWS::Lambda::Alias", "lamstream's alias is called `live`"),
    ("AWS::Lambda::Version", "lamstream publishes a version with each deploy"),
    ("AWS::Logs::LogGroup", "lamstream creates one for each function: `log = { retention_days = 30 }`"),
    ("AWS::IAM::Role", "set the same under `role` of the function, or keep it and set its ARN there"),
    ("AWS::SSM::Parameter", "keep it in its own stack; a function reads it with `{ ssm = \"NAME\" }`"),
];

/// Reports the other resources, the sections that lamstream does not read, and the outputs.
pub(crate) fn report(writer: &mut Writer<'_>) {
    let template = writer.values.template;
    for (name, resource) in template.section("Resources") {
        let kind = resource.get("Type").and_then(Node::text).unwrap_or("a resource without a type");
        let is_logs = log_groups::owner(template, name).is_some();
        if name.starts_with(LOOP) {
            let what = "a loop over values that are not in the template";
            writer.block(resource, &format!("Resources.{name}"), what, "write out what it contains, and import again");
        } else if let Some(outcome) = urls::outcome(template, name) {
            url(writer, name, resource, outcome);
        } else if kind != FUNCTION && !is_logs {
            let known = RESOURCES.iter().find(|(known, _)| *known == kind);
            let other = "keep it in its own stack, and set its name or ARN in the manifest";
            let advice = match known {
                Some(_) if function::pass_everything_on(template, name) => {
                    "a function's `url` takes its place; set there what the API itself sets, such as CORS and authorization"
                }
                _ => known.map_or(other, |(_, advice)| advice),
            };
            writer.left(resource, &format!("Resources.{name}"), format!("lamstream does not create `{kind}`"), advice);
        }
    }
    for duplicate in &template.duplicates {
        let path = template.path_to(duplicate.last).unwrap_or_else(|| duplicate.key.clone());
        let what =
            format!("the key is also in line {}; SAM uses the last one, and so does this manifest", duplicate.first);
        let place = Node::new(duplicate.last, Content::Absent);
        writer.left(&place, &path, what, "delete one of them");
    }
    for (name, globals) in template.section("Globals") {
        let is_merged = globals.is_null() || (globals.is_map() && globals.intrinsic().is_none());
        if name != "Function" {
            let what = "applies to resources that lamstream does not create";
            writer.left(globals, &format!("Globals.{name}"), what, "keep it with them");
        } else if !is_merged {
            let what = "is not a map of properties, so nothing is merged";
            writer.left(globals, "Globals.Function", what, STILL_NEEDED);
        }
    }
    for (section, node) in template.root.entries() {
        match section.as_str() {
            "AWSTemplateFormatVersion"
            | "Transform"
            | "Description"
            | "Parameters"
            | "Mappings"
            | "Conditions"
            | "Globals"
            | "Resources"
            | "Outputs" => {}
            "Rules" | "Hooks" => writer.left(node, section, "applies only to CloudFormation", "leave it out"),
            "Metadata" => metadata(writer, node),
            _ => writer.left(node, section, "not a section of a SAM template", "check which one is meant"),
        }
    }
    for (name, node) in template.section("Outputs") {
        output(writer, template, name, node);
    }
}

/// A URL that is a resource of its own.
fn url(writer: &mut Writer<'_>, name: &str, resource: &Node, outcome: Outcome<'_>) {
    let path = format!("Resources.{name}");
    match outcome {
        Outcome::Imported(function) => {
            writer.comment(format!("`{name}` becomes the `url` of `{function}`, which serves its alias `live`."));
        }
        Outcome::Second(function) => {
            let what = format!("`{function}` has another URL, and lamstream gives a function one");
            writer.left(resource, &path, what, "have its callers use the function's `url`");
        }
        Outcome::Foreign => {
            let what = "its function is not in the template";
            writer.left(resource, &path, what, "give that function a `url` in its manifest");
        }
    }
}

/// The metadata of the template as a whole.
fn metadata(writer: &mut Writer<'_>, node: &Node) {
    for (name, more) in writer.map(node, "Metadata").unwrap_or_default() {
        if name == "AWS::CloudFormation::Interface" {
            writer.comment("`Metadata` describes how the console asks for parameters; lamstream does not ask for any.");
        } else {
            writer.left(more, &format!("Metadata.{name}"), UNSUPPORTED, STILL_NEEDED);
        }
    }
}

fn output(writer: &mut Writer<'_>, template: &Template, name: &str, output: &Node) {
    let value = output.get("Value").and_then(attribute).unwrap_or_default();
    let (resource, attribute) = value.split_once('.').unwrap_or((value.as_str(), ""));
    let is_function = template.type_of(resource) == Some(FUNCTION);
    let function = resource.strip_suffix("Url").filter(|name| template.type_of(name) == Some(FUNCTION));
    match (function, attribute) {
        (Some(function), "FunctionUrl") => {
            writer.comment(format!("The output `{name}`: `lamstream url {function}` prints it."));
        }
        (_, "Arn" | "Alias" | "Version" | "") if is_function => {
            writer.comment(format!("The output `{name}`: `lamstream status {resource} --output json` includes it."));
        }
        _ => {
            let path = format!("Outputs.{name}");
            writer.left(output, &path, "lamstream has no outputs", "look it up where it is created");
            return;
        }
    }
    if output.get("Export").is_some() {
        let path = format!("Outputs.{name}.Export");
        writer.left(output, &path, "lamstream does not export values", "change the stacks that import it");
    }
}

/// What the value of an output refers to, as `RESOURCE` or `RESOURCE.ATTRIBUTE`.
fn attribute(value: &Node) -> Option<String> {
    match value.intrinsic()? {
        ("Fn::GetAtt" | "Ref", name) => Some(attribute_path(name)),
        ("Fn::Sub", text) => Some(text.text()?.strip_prefix("${")?.strip_suffix('}')?.to_owned()),
        _ => None,
    }
}
