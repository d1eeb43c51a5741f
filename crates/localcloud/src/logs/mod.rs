//! CloudWatch Logs: groups, streams, and what functions and clients wrote there.

mod events;
mod group;
mod selection;
mod stream;
mod terms;

use serde_json::Value;

use crate::route::{Call, unknown};
use crate::wire::error::Fault;

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str) -> Result<Value, Fault> {
    match action {
        "CreateLogGroup" => group::create(call),
        "DeleteLogGroup" => group::delete(call),
        "DescribeLogGroups" => group::describe(call),
        "PutRetentionPolicy" => group::put_retention(call),
        "DeleteRetentionPolicy" => group::delete_retention(call),
        "TagResource" => group::tag(call),
        "UntagResource" => group::untag(call),
        "ListTagsForResource" => group::list_tags(call),
        "DescribeLogStreams" => events::describe_streams(call),
        "CreateLogStream" => stream::create(call),
        "DeleteLogStream" => stream::delete(call),
        "PutLogEvents" => stream::put(call),
        "GetLogEvents" => events::get(call),
        "FilterLogEvents" => events::filter(call),
        other => Err(unknown("UnknownOperationException", &format!("logs:{other}"))),
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameterException", message)
}

fn too_long() -> Fault {
    invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
}

fn invalid_token() -> Fault {
    invalid("The specified nextToken is invalid.")
}

fn missing(kind: &str) -> Fault {
    Fault::new(400, "ResourceNotFoundException", format!("The specified {kind} does not exist."))
}

/// The group's name in `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, with or without a last `:*`.
fn name_in(arn: &str) -> Result<&str, Fault> {
    let name = arn.splitn(7, ':').nth(6).ok_or_else(|| invalid(format!("invalid resource ARN: {arn}")))?;
    Ok(name.strip_suffix(":*").unwrap_or(name))
}
