//! Tags, which sit on functions only.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Name, unheard_of};
use crate::route::Call;
use crate::wire::error::Fault;
use crate::world::Tags;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    tags: Tags,
}

/// Refuses tags that AWS would refuse.
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
    let name = Name::read(call, arn)?;
    if name.qualifier.is_some() {
        return Err(Fault::parameter(format!(
            "Tags on function aliases and versions are not supported. Please specify a function ARN: {arn}"
        )));
    }
    match method.as_str() {
        "GET" => name.look(call, |function| Ok((200, json!({"Tags": function.tags})))),
        "POST" => {
            let input: Input = call.input()?;
            name.change(call, |function| {
                let mut tags = function.tags.clone();
                tags.extend(input.tags);
                check(&tags)?;
                function.tags = tags;
                Ok((204, Value::Null))
            })
        }
        "DELETE" => {
            let keys = call.query_all("tagKeys");
            name.change(call, |function| {
                function.tags.retain(|key, _| !keys.contains(key));
                Ok((204, Value::Null))
            })
        }
        _ => Err(unheard_of(call)),
    }
}
