//! Reading streams and their events.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{invalid, invalid_token, missing, name_in};
use super::selection::{End, Key, Selection};
use super::terms::Terms;
use crate::clock::Millis;
use crate::disk::log_file::{Line, Search};
use crate::disk::log_store::{self, Event};
use crate::services::call::Call;
use crate::services::paging::{member, page};
use crate::wire::error::Fault;
use crate::world::log_group;

/// The most events in a response.
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
    /// The group of the request, if it exists.
    fn group(&self, call: &Call) -> Result<String, Fault> {
        if self.log_group_name.is_some() && self.log_group_identifier.is_some() {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            return Err(Fault::new(400, "ValidationException", message));
        }
        let given = self.log_group_name.as_deref().or(self.log_group_identifier.as_deref()).unwrap_or_default();
        let name = if given.starts_with("arn:") { name_in(given)? } else { given };
        let known =
            call.read(|world| world.regions.get(&call.region).is_some_and(|of| of.log_groups.contains_key(name)));
        if known { Ok(name.to_owned()) } else { Err(missing("log group")) }
    }

    /// The most events that the request asks for.
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

    /// The first and the last moment; FilterLogEvents includes `endTime`, GetLogEvents does not.
    fn moments(&self, inclusive: bool) -> (Millis, Millis) {
        let last = self.end_time.map_or(Millis::MAX, |end| if inclusive { end } else { end.saturating_sub(1) });
        (self.start_time.unwrap_or(Millis::MIN), last)
    }
}

fn shown(event: &Event) -> Value {
    json!({"timestamp": event.at, "ingestionTime": event.put.unwrap_or(event.at), "message": event.message})
}

/// Collects the matching events of one stream.
struct Matching<'a> {
    selection: &'a mut Selection,
    terms: &'a Terms,
    moments: (Millis, Millis),
    /// The position of the stream among those that are searched.
    stream: usize,
}

impl Search for Matching<'_> {
    fn wants(&self, first: Millis, last: Millis) -> bool {
        first <= self.moments.1 && last >= self.moments.0 && self.selection.reaches(first, last)
    }

    fn may_match(&self, lines: &[u8]) -> bool {
        self.terms.may_match(lines)
    }

    fn found(&mut self, line: &Line<'_>) {
        let key = (line.at, self.stream, line.number);
        if self.selection.admits(key)
            && self.terms.may_match(line.text)
            && let Some(event) = log_store::parse(line).filter(|event| self.terms.match_(&event.message))
        {
            self.selection.add(key, event);
        }
    }

    fn newest_first(&self) -> bool {
        self.selection.end == End::Last
    }
}

/// Finds the last event of a stream.
struct Last {
    from: Millis,
    event: Option<Event>,
}

impl Search for Last {
    fn wants(&self, _: Millis, last: Millis) -> bool {
        last >= self.from
    }

    fn found(&mut self, line: &Line<'_>) {
        if let Some(event) = log_store::parse(line) {
            self.from = event.at;
            self.event = Some(event);
        }
    }
}

pub(super) fn describe_streams(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let group = input.group(call)?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let arn = log_group::arn(&call.region, &group);
    let journal = call.logs();
    let mut streams = Vec::new();
    for name in journal.streams(&call.region, &group).into_iter().filter(|name| name.starts_with(prefix)) {
        let search = |from| {
            let mut last = Last { from, event: None };
            let times = journal.search(&call.region, &group, &name, &mut last).map_err(Fault::unread)?;
            Ok::<_, Fault>((times, last.event))
        };
        let created = journal.created(&call.region, &group, &name);
        let arn = format!("{arn}:log-stream:{name}");
        let mut shown = json!({"logStreamName": name, "creationTime": created, "arn": arn, "storedBytes": 0});
        // The first search only reads the times, and the second one the event of the last time.
        let (times, _) = search(Millis::MAX)?;
        if let Some((first, last)) = times {
            let (_, event) = search(last)?;
            shown["firstEventTimestamp"] = json!(first);
            shown["lastEventTimestamp"] = json!(last);
            shown["lastIngestionTime"] = json!(event.and_then(|event| event.put).unwrap_or(last));
            shown["uploadSequenceToken"] = json!("0");
        }
        streams.push((times.map_or(0, |(_, last)| last), shown));
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

const BEGINNING: Key = (Millis::MIN, 0, 0);
const END: Key = (Millis::MAX, usize::MAX, u64::MAX);

pub(super) fn get(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let group = input.group(call)?;
    let stream = input.log_stream_name.clone().unwrap_or_default();
    if !call.logs().has(&call.region, &group, &stream) {
        return Err(missing("log stream"));
    }
    // A token is a direction and a position between two events; at the end, the same token is returned again.
    let place = |token: &str| {
        let (way, at) = token.split_once('/')?;
        let (at, number) = at.split_once('/')?;
        let key = (at.parse().ok()?, 0, number.parse().ok()?);
        match way {
            "f" => Some((End::First, (key, END))),
            "b" => Some((End::Last, (BEGINNING, key))),
            _ => None,
        }
    };
    let (end, between) = match input.next_token.as_deref() {
        Some(token) => place(token).ok_or_else(invalid_token)?,
        None => (if input.start_from_head { End::First } else { End::Last }, (BEGINNING, END)),
    };
    let mut selection = Selection::new(end, input.most()?, between);
    let (terms, moments) = (Terms::default(), input.moments(false));
    let mut matching = Matching { selection: &mut selection, terms: &terms, moments, stream: 0 };
    call.logs().search(&call.region, &group, &stream, &mut matching).map_err(Fault::unread)?;
    let events = selection.page();
    let before = match between {
        (BEGINNING, END) => (0, 0, 0),
        (BEGINNING, to) => to,
        (from, _) => from,
    };
    let (back, on) = match (events.first(), events.last()) {
        (Some((first, _)), Some(((at, _, number), _))) => (*first, (*at, 0, number + 1)),
        _ => (before, before),
    };
    Ok(json!({
        "events": events.iter().map(|(_, event)| shown(event)).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{}/{}", on.0, on.2),
        "nextBackwardToken": format!("b/{}/{}", back.0, back.2),
    }))
}

pub(super) fn filter(call: &Call) -> Result<Value, Fault> {
    let input: Input = call.input()?;
    let group = input.group(call)?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Only one of logStreamNames and logStreamNamePrefix can be specified."));
    }
    let terms = Terms::read(input.filter_pattern.as_deref().unwrap_or_default())?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let asked = |stream: &String| {
        stream.starts_with(prefix) && input.log_stream_names.as_ref().is_none_or(|names| names.contains(stream))
    };
    let mut streams = call.logs().streams(&call.region, &group);
    streams.retain(asked);
    let from = match input.next_token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) => begin_of(token, &streams).ok_or_else(invalid_token)?,
        None => BEGINNING,
    };
    let mut selection = Selection::new(End::First, input.most()?, (from, END));
    for (place, stream) in streams.iter().enumerate() {
        let (selection, moments) = (&mut selection, input.moments(true));
        let mut matching = Matching { selection, terms: &terms, moments, stream: place };
        call.logs().search(&call.region, &group, stream, &mut matching).map_err(Fault::unread)?;
    }
    let more = selection.more;
    let events = selection.page();
    let next = events.last().filter(|_| more).map(|(key, _)| token_behind(*key, &streams));
    let events: Vec<Value> = events
        .iter()
        .map(|((at, place, number), event)| {
            let mut shown = shown(event);
            shown["logStreamName"] = json!(streams[*place]);
            shown["eventId"] = json!(format!("{at:020}{}{number:08}", streams[*place]));
            shown
        })
        .collect();
    Ok(with_next(json!({"events": events, "searchedLogStreams": []}), next))
}

/// The token for the events after one event. It contains the stream's name, since other streams may be created later.
fn token_behind((at, place, number): Key, streams: &[String]) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at}/{number}/{}", streams[place]))
}

/// Where the events after a token begin; `None` if the token is not valid.
fn begin_of(token: &str, streams: &[String]) -> Option<Key> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (at, rest) = text.split_once('/')?;
    let (number, stream) = rest.split_once('/')?;
    let (at, number): (Millis, u64) = (at.parse().ok()?, number.parse().ok()?);
    let place = streams.partition_point(|other| other.as_str() < stream);
    let is_there = streams.get(place).is_some_and(|found| found == stream);
    Some((at, place, if is_there { number.checked_add(1)? } else { 0 }))
}

fn with_next(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}
