//! The text of a memory, which the description of `live` stores:
//! `lamstream previous=4 asking=7 steps=10,50/600000 passed=1-4,6 failed=5 unasked=3 verified=6:0a1b2c3d4e5f
//! since=7:1796025600 by=assumed-role/Deploy/alice`. Nothing else on AWS can store it: a version's own description is fixed
//! when it is published, and versions have no tags. Each move of `live` writes it anyway, so it takes no call of its own.

use super::memory::{Memory, parse};
use super::numbers::Numbers;
use crate::stack::{Arrival, Caller, Steps};

/// The first word of a description that lamstream wrote.
const OURS: &str = "lamstream";
/// The longest description that AWS accepts, in characters.
pub(super) const LIMIT: usize = 256;
/// The longest fingerprint that lamstream writes.
const FINGERPRINT: usize = 16;

impl Memory {
    pub(super) fn read(description: &str) -> Memory {
        let mut memory = Memory::default();
        let mut words = description.split(' ');
        let mut by = None;
        if words.next() != Some(OURS) {
            return memory;
        }
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            match key {
                "previous" => memory.previous = parse(value).map(|number| number.to_string()),
                "older" => memory.older = parse(value).map(|number| number.to_string()),
                "asking" => memory.asking = parse(value),
                "steps" => memory.steps = Steps::parse(value),
                "passed" => memory.passed = Some(Numbers::read(value)),
                "failed" => memory.failed = Numbers::read(value),
                "unasked" => memory.unasked = Numbers::read(value),
                "verified" => {
                    let is_ours = |checks: &str| checks.len() <= FINGERPRINT;
                    let found = value.split_once(':').and_then(|(number, checks)| Some((parse(number)?, checks)));
                    let found = found.filter(|(_, checks)| is_ours(checks));
                    memory.verified.extend(found.map(|(number, checks)| (number, checks.to_owned())));
                }
                "since" => {
                    let found = value.split_once(':').and_then(|(number, at)| Some((parse(number)?, at.parse().ok()?)));
                    memory.arrival = found.map(|(number, at)| (number, Arrival { at, by: None }));
                }
                "by" => by = Caller::read(value),
                _ => {}
            }
        }
        memory.arrival.iter_mut().for_each(|(_, arrival)| arrival.by = by.take());
        memory
    }

    /// The description. If it would be too long, the caller is dropped, then the oldest versions.
    pub(super) fn write(&self) -> String {
        let mut memory = self.clone();
        if memory.text().len() > LIMIT {
            memory.arrival.iter_mut().for_each(|(_, arrival)| arrival.by = None);
        }
        loop {
            let text = memory.text();
            if text.len() <= LIMIT || !memory.forget_oldest() {
                return text;
            }
        }
    }

    fn text(&self) -> String {
        let mut words = vec![OURS.to_owned(), format!("previous={}", self.previous.as_deref().unwrap_or_default())];
        words.extend(self.older.as_ref().map(|older| format!("older={older}")));
        words.extend(self.asking.map(|asking| format!("asking={asking}")));
        words.extend(self.steps.as_ref().map(|steps| format!("steps={steps}")));
        words.extend(self.passed.as_ref().map(|passed| format!("passed={passed}")));
        let named = [("failed", &self.failed), ("unasked", &self.unasked)];
        words.extend(named.iter().filter(|(_, set)| !set.is_empty()).map(|(key, set)| format!("{key}={set}")));
        words.extend(self.verified.iter().map(|(number, checks)| format!("verified={number}:{checks}")));
        words.extend(self.arrival.iter().map(|(number, arrival)| format!("since={number}:{}", arrival.at)));
        let by = self.arrival.iter().filter_map(|(_, arrival)| arrival.by.as_ref());
        words.extend(by.map(|by| format!("by={}", by.as_str())));
        words.join(" ")
    }

    /// Returns false if there is nothing left to drop.
    fn forget_oldest(&mut self) -> bool {
        let sets = [Some(&mut self.failed), Some(&mut self.unasked), self.passed.as_mut()];
        let oldest = sets.into_iter().flatten().filter(|set| !set.is_empty()).min_by_key(|set| set.first());
        oldest.is_some_and(|set| set.forget_first())
    }
}
