//! What the alias `live` remembers in its description: which version was live before, and which versions passed.
//!
//! `lamstream previous=4 passed=1-4,6 failed=5 unasked=3 verified=6:0a1b2c3d4e5f`: nothing else on AWS can hold it. A
//! version's own description is fixed when it is published, and versions have no tags.

use super::numbers::Numbers;
use crate::apply::Remembered;
use crate::stack::Verdict;
use std::collections::BTreeMap;

/// What a description of ours begins with.
const OURS: &str = "lamstream";
/// Characters that AWS allows in a description.
const LIMIT: usize = 256;

/// An alias's memory. One that nobody wrote, or that an older lamstream wrote, knows of no version whether it passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// The version that was live before.
    pub previous: Option<String>,
    /// The one before that, until the live version is seen to pass: a way back leads to `previous`, and then on to it.
    older: Option<String>,
    /// Versions that passed their checks; `None` where nothing was written down yet.
    passed: Option<Numbers>,
    /// Versions that did not pass.
    failed: Numbers,
    /// Versions that became live without being asked: with `--no-verify`, or for want of a check.
    unasked: Numbers,
    /// Versions whose URL was seen to pass while they were live, with the fingerprint of what it was asked.
    verified: BTreeMap<u64, String>,
}

impl Memory {
    pub fn read(description: &str) -> Memory {
        let mut memory = Memory::default();
        let mut words = description.split(' ');
        if words.next() != Some(OURS) {
            return memory;
        }
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            match key {
                "previous" => memory.previous = Some(value.to_owned()).filter(|number| !number.is_empty()),
                "older" => memory.older = Some(value.to_owned()),
                "passed" => memory.passed = Some(Numbers::read(value)),
                "failed" => memory.failed = Numbers::read(value),
                "unasked" => memory.unasked = Numbers::read(value),
                "verified" => {
                    let found = value.split_once(':').and_then(|(number, checks)| Some((number.parse().ok()?, checks)));
                    memory.verified.extend(found.map(|(number, checks): (u64, &str)| (number, checks.to_owned())));
                }
                _ => {}
            }
        }
        memory
    }

    /// The description. Where it would be too long, the oldest versions are forgotten.
    pub fn write(&self) -> String {
        let mut memory = self.clone();
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
        words.extend(self.passed.as_ref().map(|passed| format!("passed={passed}")));
        let named = [("failed", &self.failed), ("unasked", &self.unasked)];
        words.extend(named.iter().filter(|(_, set)| !set.is_empty()).map(|(key, set)| format!("{key}={set}")));
        words.extend(self.verified.iter().map(|(number, checks)| format!("verified={number}:{checks}")));
        words.join(" ")
    }

    /// False where there is nothing more to forget.
    fn forget_oldest(&mut self) -> bool {
        let sets = [Some(&mut self.failed), Some(&mut self.unasked), self.passed.as_mut()];
        let oldest = sets.into_iter().flatten().filter(|set| !set.is_empty()).min_by_key(|set| set.first());
        oldest.is_some_and(|set| set.forget_first())
    }

    /// The memory of an alias that gives all traffic to `number`. `from` is the version that has it now; `asked` is
    /// whether the URL is going to be asked afterwards.
    pub fn moved(&self, from: Option<&str>, number: &str, asked: bool) -> Memory {
        let mut memory = self.begun(from);
        // A release that was never seen to pass is not one to go back to.
        if let Some(from) = from.filter(|from| *from != number && !self.is_interrupted(from)) {
            memory.older = memory.previous.replace(from.to_owned()).filter(|_| asked);
        }
        memory.turned(number, asked);
        let kept = [parse(number), memory.previous.as_deref().and_then(parse)];
        memory.verified.retain(|number, _| kept.contains(&Some(*number)));
        memory
    }

    /// The version that was live before, and the memory of an alias that goes back to it.
    pub fn back(&self) -> Option<(String, Memory)> {
        let mut memory = self.clone();
        let version = memory.previous.take()?;
        memory.previous = memory.older.take();
        Some((version, memory))
    }

    /// The memory of an alias that gives a part of the traffic to `number`, and the rest to `from` as before.
    pub fn shifted(&self, from: &str, number: &str, asked: bool) -> Memory {
        let mut memory = self.begun(Some(from));
        memory.turned(number, asked);
        memory
    }

    /// The memory of an alias that stays on `live`, or goes back to it, because `refused` did not pass.
    pub fn refusing(&self, refused: &str, live: &str) -> Memory {
        let mut memory = self.begun(Some(live));
        if let Some(number) = parse(refused) {
            memory.forget(number);
            memory.failed.insert(number);
        }
        memory
    }

    /// With a version whose URL was seen to pass. `checks` is the fingerprint of what it was asked.
    pub fn verified(&self, number: &str, checks: &str) -> Memory {
        let mut memory = self.begun(Some(number));
        if let Some(number) = parse(number) {
            memory.forget(number);
            memory.passed.get_or_insert_default().insert(number);
            memory.verified.insert(number, checks.to_owned());
            memory.older = None;
        }
        memory
    }

    /// What an older lamstream left is taken for good: nothing says otherwise, and it is what people go back to.
    fn begun(&self, from: Option<&str>) -> Memory {
        let mut memory = self.clone();
        let older = || from.and_then(parse).map(Numbers::up_to).unwrap_or_default();
        memory.passed.get_or_insert_with(older);
        memory
    }

    fn turned(&mut self, number: &str, asked: bool) {
        let Some(number) = parse(number) else { return };
        if asked {
            self.verified.remove(&number);
            self.unasked.remove(number);
        } else if !self.has_passed(number) {
            self.unasked.insert(number);
        }
    }

    fn forget(&mut self, number: u64) {
        self.verified.remove(&number);
        self.failed.remove(number);
        self.unasked.remove(number);
        self.passed.iter_mut().for_each(|passed| passed.remove(number));
    }

    fn has_passed(&self, number: u64) -> bool {
        self.passed.as_ref().is_some_and(|passed| passed.contains(number))
    }

    /// Whether a run ended after this version had become live and before its URL was seen to pass.
    pub fn is_interrupted(&self, number: &str) -> bool {
        let known = |number| self.verified.contains_key(&number) || self.unasked.contains(number);
        self.passed.is_some() && parse(number).is_some_and(|number| !known(number))
    }

    /// Whether this version is one to go back to, and to be kept for it; `None` where that was never written down.
    pub fn is_good(&self, number: u64) -> Option<bool> {
        self.passed.as_ref().map(|passed| passed.contains(number) || self.unasked.contains(number))
    }

    /// How a version stands that has no traffic.
    pub fn verdict(&self, number: &str) -> Verdict {
        match parse(number) {
            Some(number) if self.has_passed(number) => Verdict::Verified,
            Some(number) if self.failed.contains(number) => Verdict::Failed,
            _ => Verdict::Unverified,
        }
    }

    /// How a version stands that has traffic: what counts is whether its URL was seen to pass.
    pub fn live(&self, number: &str) -> Remembered {
        let known = parse(number);
        let checks = known.and_then(|number| self.verified.get(&number)).cloned();
        let verdict = match known {
            _ if checks.is_some() => Verdict::Verified,
            Some(number) if self.failed.contains(number) => Verdict::Failed,
            _ => Verdict::Unverified,
        };
        Remembered { verdict, checks, interrupted: self.is_interrupted(number) }
    }
}

/// A version's number; `$LATEST` has none.
fn parse(number: &str) -> Option<u64> {
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let memory = Memory::default().moved(None, "1", true).verified("1", "aa").moved(Some("1"), "2", true);
        assert_eq!(memory.write(), "lamstream previous=1 passed=1 verified=1:aa");
        let memory = memory.verified("2", "bb").moved(Some("2"), "4", false).refusing("3", "4");
        assert_eq!(memory.write(), "lamstream previous=2 passed=1-2 failed=3 unasked=4 verified=2:bb");
        assert_eq!(Memory::read(&memory.write()), memory);
        assert_eq!(Memory::read("somebody's own words previous=3"), Memory::default());
    }

    #[test]
    fn what_an_older_version_wrote_counts_as_good() {
        let old = Memory::read("lamstream previous=3");
        assert_eq!((old.previous.as_deref(), old.is_good(2), old.is_interrupted("4")), (Some("3"), None, false));
        let new = old.moved(Some("4"), "5", true);
        assert_eq!(new.write(), "lamstream previous=4 older=3 passed=1-4");
        assert_eq!((new.verdict("2"), new.live("5").verdict), (Verdict::Verified, Verdict::Unverified));
        assert!(new.live("5").interrupted && !old.live("4").interrupted);
    }

    /// The way back leads past a release that nobody saw pass.
    #[test]
    fn an_interrupted_release_is_not_gone_back_to() {
        let good = Memory::default().moved(None, "1", true).verified("1", "aa");
        let killed = good.moved(Some("1"), "2", true);
        assert!(killed.is_interrupted("2") && !killed.is_interrupted("1"));
        assert_eq!(killed.moved(Some("2"), "3", true).previous.as_deref(), Some("1"));
        // With --no-verify somebody took it as it is.
        let twice = killed.verified("2", "bb").moved(Some("2"), "3", true);
        assert_eq!(
            twice.back().map(|(version, memory)| (version, memory.previous)),
            Some(("2".into(), Some("1".into())))
        );
        let unasked = good.moved(Some("1"), "2", false);
        assert!(!unasked.is_interrupted("2"));
        assert_eq!(unasked.moved(Some("2"), "3", true).previous.as_deref(), Some("2"));
    }

    #[test]
    fn it_never_grows_beyond_what_aws_takes() {
        let mut memory = Memory::default();
        for number in (100_001..100_401).step_by(2) {
            memory = memory.moved(Some(&number.to_string()), &(number + 1).to_string(), true);
            memory = memory
                .verified(&(number + 1).to_string(), "0a1b2c3d4e5f")
                .refusing(&number.to_string(), &(number + 1).to_string());
        }
        let text = memory.write();
        assert!(text.len() <= LIMIT, "{text}");
        let read = Memory::read(&text);
        assert_eq!((read.verdict("100400"), read.verdict("100399")), (Verdict::Verified, Verdict::Failed));
        assert_eq!(read.verdict("100002"), Verdict::Unverified);
    }
}
