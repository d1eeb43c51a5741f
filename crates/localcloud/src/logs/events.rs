//! Streams and their events.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{invalid, invalid_token, missing, name_in};
use crate::journal::Event;
use crate::route::{Call, member, page};
use crate::wire::date::Millis;
use crate::wire::error::Fault;
use crate::world::log_group;

/// The most events of one answer.
const MOST: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: Option<String>,
    log_stream_name_prefix: Option<String>,
    log_stream_names: Option<Vec<String>>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    #[serde(default)]
    start_from_head: bool,
    start_time: Option<Millis>,
    end_time: Option<Millis>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

impl Input {
    /// The group that is asked for, if it exists.
    fn group(&self, call: &Call) -> Result<String, Fault> {
        if self.log_group_name.is_some() && self.log_group_identifier.is_some() {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            return Err(Fault::new(400, "ValidationException", message));
        }
        let given = self.log_group_name.as_deref().or(self.log_group_identifier.as_deref()).unwrap_or_default();
        let name = if given.starts_with("arn:") { name_in(given)? } else { given };
        let known = call
            .cloud
            .read(|world| world.regions.get(&call.region).is_some_and(|region| region.log_groups.contains_key(name)));
        if known { Ok(name.to_owned()) } else { Err(missing("log group")) }
    }

    /// How many events are asked for.
    fn most(&self) -> Result<usize, Fault> {
        match self.limit {
            None => Ok(MOST),
            Some(most @ 1..=MOST) => Ok(most),
            Some(other) => {
                let (bound, value) = if other == 0 { ("greater", 1) } else { ("less", MOST) };
                Err(invalid(format!(
                    "1 validation error detected: Value '{other}' at 'limit' failed to satisfy constraint: \
                     Member must have value {bound} than or equal to {value}"
                )))
            }
        }
    }

    /// FilterLogEvents has the events of its last moment, GetLogEvents has not.
    fn within(&self, event: &Event, inclusive: bool) -> bool {
        self.start_time.is_none_or(|start| event.at >= start)
            && self.end_time.is_none_or(|end| event.at < end + i64::from(inclusive))
    }
}

fn shown(event: &Event) -> Value {
    json!({"timestamp": event.at, "ingestionTime": event.put.unwrap_or(event.at), "message": event.message})
}

pub(super) fn describe_streams(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let group = input.group(call)?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let arn = log_group::arn(&call.region, &group);
    let mut streams = Vec::new();
    for name in call.cloud.journal.streams(&call.region, &group) {
        let events = call.cloud.journal.events(&call.region, &group, &name);
        if !name.starts_with(prefix) {
            continue;
        }
        let created = call.cloud.journal.created(&call.region, &group, &name);
        let arn = format!("{arn}:log-stream:{name}");
        let mut shown = json!({"logStreamName": name, "creationTime": created, "arn": arn, "storedBytes": 0});
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            shown["firstEventTimestamp"] = json!(first.at);
            shown["lastEventTimestamp"] = json!(last.at);
            shown["lastIngestionTime"] = json!(last.put.unwrap_or(last.at));
            shown["uploadSequenceToken"] = json!("0");
        }
        streams.push((events.last().map_or(0, |last| last.at), shown));
    }
    if input.order_by.as_deref() == Some("LastEventTime") {
        streams.sort_by_key(|(last, _)| *last);
    }
    if input.descending {
        streams.reverse();
    }
    let streams = streams.into_iter().map(|(_, stream)| stream).collect();
    let most = input.limit.unwrap_or(50).min(50);
    let page = page(streams, member("logStreamName"), input.next_token.as_deref(), most);
    let (streams, next) = page.ok_or_else(invalid_token)?;
    Ok(with_next(json!({"logStreams": streams}), next))
}

pub(super) fn get(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let group = input.group(call)?;
    let stream = input.log_stream_name.clone().unwrap_or_default();
    if !call.cloud.journal.streams(&call.region, &group).contains(&stream) {
        return Err(missing("log stream"));
    }
    let events: Vec<Event> = call
        .cloud
        .journal
        .events(&call.region, &group, &stream)
        .into_iter()
        .filter(|event| input.within(event, false))
        .collect();
    let most = input.most()?;
    // A token is a direction and a position, the same one again when there is nothing further.
    let position = |token: &str| Some((token.get(..2)?.to_owned(), token.get(2..)?.parse::<usize>().ok()?));
    let end = events.len();
    let (from, to) = match input.next_token.as_deref().map(position) {
        Some(Some((way, at))) if way == "f/" => (at.min(end), at.saturating_add(most).min(end)),
        Some(Some((way, at))) if way == "b/" => (at.min(end).saturating_sub(most), at.min(end)),
        Some(_) => return Err(invalid_token()),
        None if input.start_from_head => (0, most.min(end)),
        None => (end.saturating_sub(most), end),
    };
    Ok(json!({
        "events": events[from..to].iter().map(shown).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{to}"),
        "nextBackwardToken": format!("b/{from}"),
    }))
}

pub(super) fn filter(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let group = input.group(call)?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Only one of logStreamNames and logStreamNamePrefix can be specified."));
    }
    let most = input.most()?;
    let terms = Terms::read(input.filter_pattern.as_deref().unwrap_or_default())?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    for stream in call.cloud.journal.streams(&call.region, &group) {
        let asked = input.log_stream_names.as_ref().is_none_or(|names| names.contains(&stream));
        if !asked || !stream.starts_with(prefix) {
            continue;
        }
        for (number, event) in call.cloud.journal.events(&call.region, &group, &stream).iter().enumerate() {
            if input.within(event, true) && terms.match_(&event.message) {
                let mut shown = shown(event);
                shown["logStreamName"] = json!(stream);
                shown["eventId"] = json!(format!("{:020}{stream}{number:08}", event.at));
                found.push(shown);
            }
        }
    }
    // Their ids begin with their times.
    found.sort_by_key(member("eventId"));
    let page = page(found, member("eventId"), input.next_token.as_deref(), most);
    let (events, next) = page.ok_or_else(invalid_token)?;
    Ok(with_next(json!({"events": events, "searchedLogStreams": []}), next))
}

fn with_next(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}

/// A filter pattern of literal terms: all of them, any of the `?` ones, none of the `-` ones.
#[derive(Default)]
struct Terms {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Terms {
    fn read(pattern: &str) -> Result<Self, Fault> {
        let mut terms = Self::default();
        let mut rest = pattern.trim();
        if rest.starts_with(['{', '[', '%']) {
            let message = format!("the local cloud filters by literal terms only, not by `{pattern}`");
            return Err(Fault::new(400, "InvalidParameterException", message));
        }
        while !rest.is_empty() {
            let list = match rest.chars().next() {
                Some('?') => &mut terms.any,
                Some('-') => &mut terms.none,
                _ => &mut terms.all,
            };
            rest = rest.trim_start_matches(['?', '-']);
            let (term, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            if !term.is_empty() {
                list.push(term.to_owned());
            }
            rest = after.trim_start();
        }
        Ok(terms)
    }

    fn match_(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term)))
            && !self.none.iter().any(|term| message.contains(term))
    }
}

#[cfg(test)]
mod tests {
    use super::Terms;

    #[test]
    fn terms_are_literal() {
        let matches = |pattern: &str, message: &str| Terms::read(pattern).is_ok_and(|terms| terms.match_(message));
        assert!(matches("", "anything"));
        assert!(matches("ERROR \"not found\"", "ERROR: page not found"));
        assert!(!matches("ERROR timeout", "ERROR: page not found"));
        assert!(matches("?ERROR ?WARN", "WARN x"));
        assert!(!matches("WARN -quiet", "WARN quiet"));
        assert!(Terms::read("{ $.a = 1 }").is_err());
    }
}
