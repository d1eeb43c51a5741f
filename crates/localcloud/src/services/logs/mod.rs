//! CloudWatch Logs: groups, streams, and the events of functions and clients.

mod events;
mod fault;
mod group;
mod selection;
mod stream;
mod terms;

use serde_json::Value;

use crate::services::call::Call;
use crate::wire::error::Fault;

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str) -> Result<Value, Fault> {
    call.cloud.rate.logs(&call.region, action)?;
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
        other => Err(call.unknown("UnknownOperationException", other)),
    }
}
