//! What to say of everything that the manifest has no word for.

use super::draft::{NO_WORD, Page, STILL_NEEDED};
use super::function::Properties;
use super::node::Node;
use super::template::Template;

/// Properties of a function that lamstream cannot take over, and what to do.
const PROPERTIES: [(&str, &str, &str); 13] = [
    ("FunctionName", "lamstream calls it APP[-STAGE]-FUNCTION", "change what calls it by its name"),
    ("SnapStart", "lamstream has no word for it", "use `provisioned_concurrency` if cold starts are too slow"),
    (
        "RuntimeManagementConfig",
        "AWS updates the runtime by itself",
        "set it with `aws lambda put-runtime-management-config`",
    ),
    ("CodeSigningConfigArn", "lamstream does not sign code", "keep the function in SAM if it has to be signed"),
    (
        "EventInvokeConfig",
        "it is about asynchronous events, and lamstream deploys what answers requests",
        "set it with `aws lambda put-function-event-invoke-config`",
    ),
    ("VersionDescription", "lamstream writes there which commit a version was made of", "see `lamstream releases`"),
    ("AutoPublishAliasAllProperties", "lamstream always publishes when code or configuration changed", "leave it out"),
    ("AutoPublishCodeSha256", "lamstream computes the digest itself", "leave it out"),
    ("AssumeRolePolicyDocument", "lamstream's role trusts Lambda alone", "bring a role with `role = { arn = \"…\" }`"),
    ("RolePath", "lamstream's roles lie under `/lamstream/APP/`", "bring a role with `role = { arn = \"…\" }`"),
    ("PropagateTags", "lamstream tags function, role and log group anyway", "leave it out"),
    ("PackageType", "lamstream deploys zips", "leave it out"),
    ("ImageConfig", "lamstream deploys zips", "leave it out"),
];

/// Kinds of resources, and what to do about them.
const RESOURCES: [(&str, &str); 12] = [
    ("AWS::Serverless::Api", "give the function a `url`, or keep the API in a stack of its own"),
    ("AWS::Serverless::HttpApi", "give the function a `url`, or keep the API in a stack of its own"),
    (
        "AWS::Serverless::LayerVersion",
        "publish it with `aws lambda publish-layer-version`, and name its ARN in `layers`",
    ),
    ("AWS::Lambda::LayerVersion", "publish it with `aws lambda publish-layer-version`, and name its ARN in `layers`"),
    (
        "AWS::Lambda::Function",
        "write a function of the manifest for it, or make it an `AWS::Serverless::Function` and import again",
    ),
    (
        "AWS::Lambda::Permission",
        "`url` has the permissions that it needs; give others with `aws lambda add-permission`",
    ),
    ("AWS::Lambda::Url", "give the function a `url`"),
    ("AWS::Lambda::Alias", "lamstream's alias is called `live`"),
    ("AWS::Lambda::Version", "lamstream publishes a version with each deploy"),
    ("AWS::Logs::LogGroup", "lamstream makes one for each function: `log = { retention_days = 30 }`"),
    ("AWS::IAM::Role", "say the same under `role` of the function, or keep it and name its ARN there"),
    ("AWS::SSM::Parameter", "keep it in a stack of its own; a function reads it with `{ ssm = \"NAME\" }`"),
];

/// Lists every property that nobody else takes.
pub fn leave_the_rest(page: &mut Page<'_>, properties: &mut Properties) {
    const TAKEN_LATER: [&str; 7] =
        ["FunctionUrlConfig", "Environment", "LoggingConfig", "Policies", "Role", "PermissionsBoundary", "Tags"];
    for name in properties.names() {
        if TAKEN_LATER.contains(&name.as_str()) {
            continue;
        }
        let Some(node) = properties.take(&name) else { continue };
        if name == "Events" {
            events(page, &node);
        } else if name != "PackageType" || node.text() != Some("Zip") {
            let known = PROPERTIES.iter().find(|(known, ..)| *known == name);
            let (what, advice) = known.map_or((NO_WORD, STILL_NEEDED), |(_, what, advice)| (what, advice));
            page.left(&node, &name, what, advice);
        }
    }
}

fn events(page: &mut Page<'_>, events: &Node) {
    for (name, event) in page.map(events, "Events").unwrap_or_default() {
        if !event.is_map() || event.get("Type").is_some_and(|kind| kind.text().is_none()) {
            let kind = event.get("Type").unwrap_or(event);
            let (what, advice) = page.template.unknown(&kind.open());
            let what = if kind.open().is_empty() { "it is no event".to_owned() } else { what };
            page.left(event, &format!("Events.{name}"), what, advice);
            continue;
        }
        let kind = event.get("Type").and_then(Node::text).unwrap_or("of a kind that is not known");
        let advice = match kind {
            "Api" | "HttpApi" => "give the function a `url`, or keep the API in a stack of its own",
            "Schedule" | "ScheduleV2" => "make the schedule with `aws scheduler`, for the function's alias `live`",
            "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "SelfManagedKafka" | "MQ" | "DocumentDB" => {
                "connect it with `aws lambda create-event-source-mapping`, for the function's alias `live`"
            }
            "S3" | "SNS" | "EventBridgeRule" | "CloudWatchEvent" | "CloudWatchLogs" => {
                "connect it where the event comes from, and allow it with `aws lambda add-permission`"
            }
            _ => "connect it by hand, or keep it in SAM",
        };
        let what = match kind {
            "Api" | "HttpApi" => format!("the event `{kind}` comes by API Gateway, and lamstream makes function URLs"),
            _ => format!("the event `{kind}` is no request to a URL, and lamstream knows no other"),
        };
        page.left(event, &format!("Events.{name}"), what, advice);
    }
}

/// Everything of a template beside its functions.
pub fn leave_other_sections(page: &mut Page<'_>, template: &Template, functions: &[String]) {
    for (name, resource) in template.resources() {
        let kind = resource.get("Type").and_then(Node::text).unwrap_or("a resource without a type");
        if kind == "AWS::Serverless::Function" {
            continue;
        }
        let advice = RESOURCES.iter().find(|(known, _)| *known == kind).map_or_else(
            || "keep it in a stack of its own, and write its name or ARN into the manifest".to_owned(),
            |(_, advice)| (*advice).to_owned(),
        );
        page.left(resource, &format!("Resources.{name}"), format!("lamstream does not make `{kind}`"), advice);
    }
    for (name, globals) in template.root.get("Globals").map(Node::entries).unwrap_or_default() {
        let is_taken = globals.is_map() && globals.intrinsic().is_none();
        if name == "Function" && !is_taken && !globals.is_null() {
            let path = "Globals.Function";
            page.left(globals, path, "it is no map of properties, and merged into nothing", STILL_NEEDED);
        } else if name != "Function" {
            let what = "it is about resources that lamstream does not make";
            page.left(globals, &format!("Globals.{name}"), what, "keep it with them");
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
            "Rules" | "Hooks" => page.left(node, section, "it is CloudFormation's own", "leave it out"),
            "Metadata" => metadata(page, node),
            _ => page.left(node, section, "a template has no such section", "see whether another one is meant"),
        }
    }
    for (name, output) in template.root.get("Outputs").map(Node::entries).unwrap_or_default() {
        outputs(page, name, output, functions);
    }
}

/// Of the template as a whole.
fn metadata(page: &mut Page<'_>, node: &Node) {
    for (name, more) in page.map(node, "Metadata").unwrap_or_default() {
        if name == "AWS::CloudFormation::Interface" {
            page.comment("`Metadata` says how the console asks for the parameters; lamstream asks for none.");
        } else {
            page.left(more, &format!("Metadata.{name}"), NO_WORD, STILL_NEEDED);
        }
    }
}

fn outputs(page: &mut Page<'_>, name: &str, output: &Node, functions: &[String]) {
    let value = output.get("Value").map(shown).unwrap_or_default();
    let of = |end: &str| functions.iter().find(|function| value == format!("{function}{end}"));
    if let Some(function) = of("Url.FunctionUrl") {
        page.comment(format!("The output `{name}`: `lamstream url {function}` prints it."));
    } else if let Some(function) = of(".Arn").or_else(|| of(".Alias")).or_else(|| of(".Version")).or_else(|| of("")) {
        page.comment(format!("The output `{name}`: `lamstream status {function} --output json` has it."));
    } else {
        let path = format!("Outputs.{name}");
        page.left(output, &path, "lamstream has no outputs", "ask for it where it is made");
        return;
    }
    if output.get("Export").is_some() {
        let path = format!("Outputs.{name}.Export");
        page.left(output, &path, "lamstream exports nothing", "change the stacks that import it");
    }
}

/// What an output asks for, as `RESOURCE.ATTRIBUTE`.
fn shown(value: &Node) -> String {
    match value.intrinsic() {
        Some(("Fn::GetAtt", path)) if path.text().is_none() => {
            path.items().iter().filter_map(Node::text).collect::<Vec<_>>().join(".")
        }
        Some(("Fn::GetAtt" | "Ref", name)) => name.text().unwrap_or_default().to_owned(),
        Some(("Fn::Sub", text)) => {
            let inner = text.text().and_then(|text| text.strip_prefix("${")?.strip_suffix('}'));
            inner.unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}
