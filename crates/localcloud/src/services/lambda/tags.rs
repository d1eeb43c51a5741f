//! Tags; only functions can have them here.

use std::sync::LazyLock;

use http::Method;
use regex_lite::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, unknown_path};
use super::name::{self, Name, anchored};
use crate::services::call::Call;
use crate::wire::error::{Fault, Violation};
use crate::world::revision;
use crate::world::tags::Tags;

/// The ARNs of resources that can have tags, as AWS's errors show the pattern.
const RESOURCE: &str = r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)";

static RESOURCES: LazyLock<Regex> = LazyLock::new(|| anchored(RESOURCE));

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    tags: Tags,
}

/// Refuses tags that AWS refuses.
pub(super) fn check(tags: &Tags) -> Result<(), Fault> {
    if tags.len() > 50 {
        return Err(Fault::parameter("Number of tags exceeds resource tag limit."));
    }
    for (key, value) in tags {
        if key.is_empty() || key.len() > 128 || value.len() > 256 {
            return Err(Fault::parameter(format!("The tag `{key}` is too long or has no key.")));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(Fault::parameter("Your TagKeys contain the reserved prefix: aws:"));
        }
    }
    Ok(())
}

pub(super) fn answer(call: &Call, method: &Method, arn: &str) -> Answer {
    if !RESOURCES.is_match(arn) {
        return Err(Fault::violated(&[Violation::pattern(arn, "resource", RESOURCE)]));
    }
    if arn.split(':').nth(5) != Some("function") {
        return Err(Fault::not_found(format!("the local cloud keeps tags of functions only, not of {arn}")));
    }
    let name = Name::read(call, arn, &name::ANY)?;
    if !name.qualifier.is_empty() {
        return Err(Fault::parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    match method.as_str() {
        "GET" => name.look(call, |function| Ok((200, json!({"Tags": function.tags})))),
        "POST" => {
            let input: Input = call.input()?;
            if input.tags.is_empty() {
                return Err(Fault::parameter("An error occurred and the request cannot be processed."));
            }
            name.change(call, |function| {
                let mut tags = function.tags.clone();
                tags.extend(input.tags);
                check(&tags)?;
                function.tags = tags;
                function.latest.revision = revision::fresh();
                Ok((204, Value::Null))
            })
        }
        "DELETE" => {
            let keys = call.query_all("tagKeys");
            if keys.is_empty() {
                return Err(Fault::absent("tagKeys"));
            }
            name.change(call, |function| {
                function.tags.retain(|key, _| !keys.contains(key));
                function.latest.revision = revision::fresh();
                Ok((204, Value::Null))
            })
        }
        _ => Err(unknown_path(call)),
    }
}
