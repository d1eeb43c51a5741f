//! Which events of a log are shown.

use super::errors::Passage;
use super::record::{Record, version_of};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where a log is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// Milliseconds since 1970.
    At(i64),
}

/// What is wanted. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Events that contain this text.
    pub filter: Option<String>,
    /// Events that report an error, with what belongs to them.
    pub errors: bool,
    /// Events of the request whose id starts so.
    pub request: Option<String>,
    /// Events of instances of this version.
    pub version: Option<String>,
    /// No records of Lambda's own.
    pub no_platform: bool,
}

/// Selects events, in the order in which their streams have them.
#[derive(Debug, Default)]
pub struct Selector {
    selection: Selection,
    streams: BTreeMap<String, Stream>,
}

/// What was read of one stream, which one instance writes. It handles one request at a time.
#[derive(Debug, Default)]
struct Stream {
    request: Option<String>,
    passage: Passage,
}

impl Selector {
    pub fn new(selection: Selection) -> Selector {
        Selector { selection, streams: BTreeMap::new() }
    }

    /// Whether an event is shown, and the request that it belongs to. Every event must be passed, in order.
    pub fn read(&mut self, stream: &str, message: &str) -> (bool, Option<String>) {
        let known = self.streams.entry(stream.to_owned()).or_default();
        let record = Record::read(message);
        let request = match &record {
            Some(Record::Start { request }) => {
                known.request = Some(request.clone());
                Some(request.clone())
            }
            Some(Record::End { request } | Record::Report { request, .. }) => {
                known.request = None;
                Some(request.clone())
            }
            Some(Record::Fault { request: Some(request) }) => Some(request.clone()),
            Some(Record::Other | Record::Init { .. }) => None,
            Some(Record::Fault { request: None }) | None => known.request.clone(),
        };
        let (passage, is_error) = known.passage.after(message);
        known.passage = passage;
        let wanted = &self.selection;
        let shown = wanted.filter.as_ref().is_none_or(|text| message.contains(text))
            && (!wanted.errors || is_error)
            && wanted.request.as_ref().is_none_or(|id| request.as_ref().is_some_and(|request| request.starts_with(id)))
            && wanted.version.as_ref().is_none_or(|version| version_of(stream) == Some(version))
            && !(wanted.no_platform && record.is_some());
        (shown, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: [(&str, &str); 9] = [
        ("2026/11/30/[2]a", "INIT_START Runtime Version: x"),
        ("2026/11/30/[2]a", "START RequestId: one Version: 2"),
        ("2026/11/30/[3]b", "START RequestId: two Version: 3"),
        ("2026/11/30/[2]a", "hello"),
        ("2026/11/30/[3]b", "ERROR bad"),
        ("2026/11/30/[2]a", "END RequestId: one"),
        ("2026/11/30/[2]a", "REPORT RequestId: one\tDuration: 1 ms"),
        ("2026/11/30/[2]a", "between requests"),
        ("2026/11/30/[3]b", "RequestId: two Error: Runtime exited with error: exit status 1\nRuntime.ExitError"),
    ];

    fn numbers(selection: Selection) -> Vec<usize> {
        let mut selector = Selector::new(selection);
        let shown = LOG.iter().map(|(stream, message)| selector.read(stream, message).0);
        shown.enumerate().filter_map(|(number, shown)| shown.then_some(number)).collect()
    }

    #[test]
    fn each_condition_narrows_what_is_shown() {
        let all = Selection::default;
        assert_eq!(numbers(all()).len(), LOG.len());
        assert_eq!(numbers(Selection { request: Some("one".into()), ..all() }), [1, 3, 5, 6]);
        assert_eq!(numbers(Selection { request: Some("tw".into()), ..all() }), [2, 4, 8]);
        assert_eq!(numbers(Selection { version: Some("3".into()), ..all() }), [2, 4, 8]);
        assert_eq!(numbers(Selection { errors: true, ..all() }), [4, 8]);
        assert_eq!(numbers(Selection { no_platform: true, ..all() }), [3, 4, 7]);
        assert_eq!(numbers(Selection { filter: Some("bad".into()), ..all() }), [4]);
        assert_eq!(numbers(Selection { filter: Some("request".into()), version: Some("2".into()), ..all() }), [7]);
    }
}
