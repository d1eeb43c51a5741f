//! Creating and deleting streams, and the events that clients put there.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{invalid, missing, too_long};
use crate::clock::{self, Millis};
use crate::disk::log_store::Event;
use crate::services::call::Call;
use crate::wire::error::Fault;

const HOUR: Millis = 60 * 60 * 1000;

/// How old an event may be, and how far in the future, in milliseconds.
const TOO_OLD: Millis = 14 * 24 * HOUR;
const TOO_NEW: Millis = 2 * HOUR;

/// The most bytes of one call, where each event counts as its message and 26 bytes.
const LARGEST: usize = 1_048_576;
const OVERHEAD: usize = 26;
const MOST: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: String,
    log_stream_name: String,
    #[serde(default)]
    log_events: Vec<InputEvent>,
}

#[derive(Deserialize)]
struct InputEvent {
    timestamp: Millis,
    message: String,
}

/// The retention of a group, in days, if the group exists.
fn retention(call: &Call, group: &str) -> Result<Option<u32>, Fault> {
    call.read(|world| {
        let group = world.regions.get(&call.region).and_then(|region| region.log_groups.get(group));
        group.map(|group| group.retention).ok_or_else(|| missing("log group"))
    })
}

pub(super) fn create(call: &Call) -> Result<Value, Fault> {
    let Input { log_group_name: group, log_stream_name: stream, .. } = call.input()?;
    retention(call, &group)?;
    if !(1..=512).contains(&stream.len()) {
        return Err(too_long());
    }
    if stream.contains([':', '*']) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{stream}' at 'logStreamName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [^:*]*"
        )));
    }
    match call.logs().create(&call.region, &group, &stream) {
        Ok(()) => Ok(Value::Null),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Fault::new(400, "ResourceAlreadyExistsException", "The specified log stream already exists"))
        }
        Err(error) => Err(Fault::unwritten(anyhow::anyhow!("cannot create the log stream `{stream}`: {error}"))),
    }
}

pub(super) fn delete(call: &Call) -> Result<Value, Fault> {
    let Input { log_group_name: group, log_stream_name: stream, .. } = call.input()?;
    retention(call, &group)?;
    match call.logs().remove(&call.region, &group, &stream) {
        Ok(()) => Ok(Value::Null),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing("log stream")),
        Err(error) => Err(Fault::unwritten(anyhow::anyhow!("cannot delete the log stream `{stream}`: {error}"))),
    }
}

pub(super) fn put(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let days = retention(call, &input.log_group_name)?;
    let logs = call.logs();
    if !logs.has(&call.region, &input.log_group_name, &input.log_stream_name) {
        return Err(missing("log stream"));
    }
    check(&input.log_events)?;
    let now = clock::now();
    let expired = days.map_or(Millis::MIN, |days| now - Millis::from(days) * 24 * HOUR);
    let events = &input.log_events;
    // The events are sorted by time, so those that are refused are at the beginning or the end.
    let too_old = events.partition_point(|event| event.timestamp < now - TOO_OLD);
    let gone = events.partition_point(|event| event.timestamp < expired);
    let too_new = events.partition_point(|event| event.timestamp <= now + TOO_NEW);
    let first = too_old.max(gone);
    let taken = events.get(first..too_new).unwrap_or_default().iter();
    let taken: Vec<Event> =
        taken.map(|event| Event { at: event.timestamp, message: event.message.clone(), put: Some(now) }).collect();
    logs.put(&call.region, &input.log_group_name, &input.log_stream_name, &taken).map_err(Fault::unwritten)?;
    let mut rejected = json!({});
    if too_old > 0 {
        rejected["tooOldLogEventEndIndex"] = json!(too_old);
    }
    if gone > 0 {
        rejected["expiredLogEventEndIndex"] = json!(gone);
    }
    if too_new < events.len() {
        rejected["tooNewLogEventStartIndex"] = json!(too_new);
    }
    let mut answer = json!({"nextSequenceToken": format!("{:056}", rand::random::<u64>())});
    if rejected != json!({}) {
        answer["rejectedLogEventsInfo"] = rejected;
    }
    Ok(answer)
}

/// Refuses calls that AWS refuses as a whole.
fn check(events: &[InputEvent]) -> Result<(), Fault> {
    if !(1..=MOST).contains(&events.len()) {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: \
             Member must have length less than or equal to {MOST} and greater than or equal to 1"
        )));
    }
    if let Some(empty) = events.iter().position(|event| event.message.is_empty()) {
        return Err(invalid(format!(
            "1 validation error detected: Value '' at 'logEvents.{}.member.message' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
            empty + 1
        )));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let size: usize = events.iter().map(|event| event.message.len() + OVERHEAD).sum();
    if size > LARGEST {
        return Err(invalid(format!("Upload too large: {size} bytes exceeds limit of {LARGEST}")));
    }
    Ok(())
}
