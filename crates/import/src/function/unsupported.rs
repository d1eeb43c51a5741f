//! Properties of a function that the manifest has no key for.

use super::properties::Properties;
use crate::draft::{STILL_NEEDED, UNSUPPORTED};
use crate::writer::Writer;

/// Properties of a function that cannot be imported: why not, and what to do.
const PROPERTIES: [(&str, &str, &str); 12] = [
    ("FunctionName", "lamstream calls it APP[-STAGE]-FUNCTION", "update whatever calls it by name"),
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
pub(super) fn report(writer: &mut Writer<'_>, properties: &mut Properties) {
    const TAKEN_LATER: [&str; 7] =
        ["FunctionUrlConfig", "Environment", "LoggingConfig", "Policies", "Role", "PermissionsBoundary", "Tags"];
    for name in properties.names() {
        if TAKEN_LATER.contains(&name.as_str()) {
            continue;
        }
        let Some(node) = properties.take(&name) else { continue };
        if name != "PackageType" || node.text() != Some("Zip") {
            let known = PROPERTIES.iter().find(|(known, ..)| *known == name);
            let (what, advice) = known.map_or((UNSUPPORTED, STILL_NEEDED), |(_, what, advice)| (what, advice));
            writer.left(&node, &name, what, advice);
        }
    }
}
