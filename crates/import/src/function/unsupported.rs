//! Properties of a function that the manifest has no key for.

use super::properties::Properties;
use crate::draft::{STILL_NEEDED, UNSUPPORTED};
use crate::node::Node;
use crate::writer::Writer;

/// Properties of a function that cannot be imported: why not, and what to do.
const PROPERTIES: [(&str, &str, &str); 13] = [
    ("FunctionName", "lamstream calls it APP[-STAGE]-FUNCTION", "update whatever calls it by name"),
    ("SnapStart", UNSUPPORTED, "use `provisioned_concurrency` if cold starts are too slow"),
    (
        "RuntimeManagementConfig",
        "AWS updates the runtime automatically",
        "set it with `aws lambda put-runtime-management-config`",
    ),
    ("CodeSigningConfigArn", "lamstream does not sign code", "keep the function in SAM if it must be signed"),
    (
        "EventInvokeConfig",
        "applies to asynchronous events, but lamstream deploys functions that answer requests",
        "set it with `aws lambda put-function-event-invoke-config`",
    ),
    ("VersionDescription", "lamstream records the commit of each version there", "see `lamstream releases`"),
    ("AutoPublishAliasAllProperties", "lamstream always publishes when code or configuration changed", "leave it out"),
    ("AutoPublishCodeSha256", "lamstream computes the digest itself", "leave it out"),
    ("AssumeRolePolicyDocument", "lamstream's role trusts only Lambda", "use your own role: `role = { arn = \"…\" }`"),
    ("RolePath", "lamstream creates roles under `/lamstream/APP/`", "use your own role: `role = { arn = \"…\" }`"),
    ("PropagateTags", "lamstream always tags function, role and log group", "leave it out"),
    ("PackageType", "lamstream deploys zips", "leave it out"),
    ("ImageConfig", "lamstream deploys zips", "leave it out"),
];

/// Reports every property that no other reader takes.
pub fn report(writer: &mut Writer<'_>, properties: &mut Properties) {
    const TAKEN_LATER: [&str; 7] =
        ["FunctionUrlConfig", "Environment", "LoggingConfig", "Policies", "Role", "PermissionsBoundary", "Tags"];
    for name in properties.names() {
        if TAKEN_LATER.contains(&name.as_str()) {
            continue;
        }
        let Some(node) = properties.take(&name) else { continue };
        if name == "Events" {
            events(writer, &node);
        } else if name != "PackageType" || node.text() != Some("Zip") {
            let known = PROPERTIES.iter().find(|(known, ..)| *known == name);
            let (what, advice) = known.map_or((UNSUPPORTED, STILL_NEEDED), |(_, what, advice)| (what, advice));
            writer.left(&node, &name, what, advice);
        }
    }
}

fn events(writer: &mut Writer<'_>, events: &Node) {
    for (name, event) in writer.map(events, "Events").unwrap_or_default() {
        if !event.is_map() || event.get("Type").is_some_and(|kind| kind.text().is_none()) {
            let kind = event.get("Type").unwrap_or(event);
            let (what, advice) = writer.values.why_unknown(&kind.unknown());
            let what = if kind.unknown().is_empty() { "is not an event".to_owned() } else { what };
            writer.left(event, &format!("Events.{name}"), what, advice);
            continue;
        }
        let kind = event.get("Type").and_then(Node::text).unwrap_or("unknown");
        let advice = match kind {
            "Api" | "HttpApi" => "give the function a `url`, or keep the API in its own stack",
            "Schedule" | "ScheduleV2" => "create the schedule with `aws scheduler`, for the function's alias `live`",
            "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "SelfManagedKafka" | "MQ" | "DocumentDB" => {
                "connect it with `aws lambda create-event-source-mapping`, for the function's alias `live`"
            }
            "S3" | "SNS" | "EventBridgeRule" | "CloudWatchEvent" | "CloudWatchLogs" => {
                "connect it at the source of the event, and allow it with `aws lambda add-permission`"
            }
            _ => "connect it by hand, or keep it in SAM",
        };
        let what = match kind {
            "Api" | "HttpApi" => format!("the event `{kind}` uses API Gateway, but lamstream creates function URLs"),
            _ => format!("the event `{kind}` is not a request to a URL, and lamstream supports nothing else"),
        };
        writer.left(event, &format!("Events.{name}"), what, advice);
    }
}
