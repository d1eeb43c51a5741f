//! What is known of a response.

use super::marks::{Mark, Marks};
use super::words::{grouped, in_words};
use std::time::Duration;

/// A response as it arrived, without its contents. All times are measured from sending the request.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    /// What was asked, such as `GET /stream`.
    pub request: String,
    pub status: u16,
    pub head_at: Duration,
    pub ended_at: Duration,
    /// Why the response counts as failed.
    pub fault: Option<String>,
    marks: Marks,
}

impl Timeline {
    /// A response whose head arrived at this time.
    pub(crate) fn begin(request: String, status: u16, head_at: Duration) -> Timeline {
        Timeline { request, status, head_at, ended_at: head_at, fault: None, marks: Marks::default() }
    }

    pub(crate) fn chunk(&mut self, at: Duration, bytes: usize) {
        self.marks.add(at, bytes);
        self.ended_at = self.ended_at.max(at);
    }

    pub(super) fn marks(&self) -> &[Mark] {
        self.marks.all()
    }

    pub(super) fn chunks(&self) -> usize {
        self.marks().iter().map(|mark| mark.chunks).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.marks().iter().map(|mark| mark.bytes).sum()
    }

    /// The longest silence: its beginning and its end.
    pub(super) fn longest_gap(&self) -> Option<(Duration, Duration)> {
        self.marks.longest_gap()
    }

    /// Each figure with its name.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let first = self.marks().first().map(|mark| mark.first);
        let gap = self.longest_gap();
        let mut facts = vec![
            ("status", self.status.to_string()),
            ("head after", in_words(self.head_at)),
            ("first byte after", first.map_or_else(|| "no body".to_owned(), in_words)),
            ("chunks", grouped(self.chunks() as u64)),
            ("bytes", grouped(self.bytes())),
        ];
        facts.extend(gap.map(|(from, to)| ("longest gap", format!("{} at {}", in_words(to - from), in_words(from)))));
        facts.push(("in all", in_words(self.ended_at)));
        facts.extend(self.fault.iter().map(|fault| ("failed", fault.clone())));
        facts
    }
}
