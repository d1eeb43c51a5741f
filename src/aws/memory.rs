//! What the description of `live` stores: the previous version, and which versions passed their checks.
//! `description.rs` has its text.

use super::numbers::Numbers;
use crate::apply::Remembered;
use crate::stack::{Arrival, Steps, Verdict};
use std::collections::BTreeMap;

/// An alias's memory. If it is missing, or an older lamstream wrote it, no version is known to have passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// The previous live version.
    pub previous: Option<String>,
    /// The version before `previous`, kept until the live version passes. After a move back, it becomes `previous`.
    pub older: Option<String>,
    /// The version that became live last, until its URL passes or fails. If it is still set, the run that made it live
    /// was interrupted.
    pub asking: Option<u64>,
    /// The steps of the shift in progress, if it ends itself.
    pub steps: Option<Steps>,
    /// Versions that passed their checks; `None` if nothing was recorded yet.
    pub passed: Option<Numbers>,
    /// Versions that failed their checks.
    pub failed: Numbers,
    /// Versions that became live without full verification: with `--no-verify`, without a usable check, or with only a
    /// share of the traffic.
    pub unasked: Numbers,
    /// Versions whose URL passed while they were live, with the fingerprint of the checks.
    pub verified: BTreeMap<u64, String>,
    /// The version that `live` was last moved to, and when. Another tool may have moved it since.
    pub arrival: Option<(u64, Arrival)>,
}

/// When `live` was moved, and by whom, makes no difference: a write may find its own outcome, or that of an earlier run.
impl PartialEq for Memory {
    fn eq(&self, other: &Memory) -> bool {
        let Memory { previous, older, asking, steps, passed, failed, unasked, verified, arrival: _ } = self;
        (previous, older, asking, steps) == (&other.previous, &other.older, &other.asking, &other.steps)
            && (passed, failed, unasked, verified) == (&other.passed, &other.failed, &other.unasked, &other.verified)
    }
}

impl Eq for Memory {}

impl Memory {
    /// The same with the steps of a shift that ends itself, or without any.
    pub(super) fn with_steps(self, steps: Option<&Steps>) -> Memory {
        Memory { steps: steps.cloned(), ..self }
    }

    /// The memory before any version is live. These have failed.
    pub(super) fn with_failed(failed: Numbers) -> Memory {
        let passed = (!failed.is_empty()).then(Numbers::default);
        Memory { failed, passed, ..Memory::default() }
    }

    /// The memory after all traffic moves to `number`. `from` is the version that gets it now; `asked` says whether the
    /// URL is verified afterwards.
    pub(super) fn moved(&self, from: Option<&str>, number: &str, asked: bool) -> Memory {
        let mut memory = self.begun(from);
        match from.filter(|from| *from != number) {
            // A release that never passed must not become the previous release.
            Some(from) if self.is_interrupted(from) => {
                memory.previous = memory.previous.filter(|previous| previous != number).or(memory.older.take());
            }
            Some(from) => memory.older = memory.previous.replace(from.to_owned()).filter(|_| asked),
            None => {}
        }
        memory.turned(number, asked);
        let kept = [parse(number), memory.previous.as_deref().and_then(parse)];
        memory.verified.retain(|number, _| kept.contains(&Some(*number)));
        memory
    }

    /// The memory after `live` was moved to `number`.
    pub(super) fn since(self, number: &str, arrival: Arrival) -> Memory {
        Memory { arrival: parse(number).map(|number| (number, arrival)), ..self }
    }

    /// When `live` was moved to `number`; `None` if it is not known.
    pub(super) fn arrival(&self, number: &str) -> Option<Arrival> {
        self.arrival.clone().filter(|(moved, _)| Some(*moved) == parse(number)).map(|(_, arrival)| arrival)
    }

    /// The previous version, and the memory after a move back to it.
    pub(super) fn back(&self) -> Option<(String, Memory)> {
        let mut memory = self.clone();
        let version = memory.previous.take()?;
        memory.previous = memory.older.take();
        Some((version, memory))
    }

    /// The memory after part of the traffic moves to `number` and the rest stays on `from`.
    pub(super) fn shifted(&self, from: &str, number: &str, asked: bool) -> Memory {
        let mut memory = self.begun(Some(from));
        memory.turned(number, asked);
        memory
    }

    /// The memory of an alias that stays on `live`, or moves back to it, because `refused` failed. A version that
    /// passed earlier checks has failed now, but pruning still keeps it: the checks may have changed.
    pub(super) fn refusing(&self, refused: &str, live: &str) -> Memory {
        let mut memory = self.begun(Some(live));
        if let Some(number) = parse(refused) {
            memory.answered(number);
            memory.fails(number);
        }
        memory
    }

    /// The memory while `number`, which an interrupted run made live, is still live although its URL failed. It still
    /// counts as interrupted, so that it does not become the previous release.
    pub(super) fn failing(&self, number: &str) -> Memory {
        let mut memory = self.begun(Some(number));
        parse(number).into_iter().for_each(|number| memory.fails(number));
        memory
    }

    /// The memory after `number` passed its URL checks, whose fingerprint is `checks`. Unless `whole` is true, another
    /// version may have answered.
    pub(super) fn verified(&self, number: &str, checks: &str, whole: bool) -> Memory {
        let mut memory = self.begun(Some(number));
        if let Some(number) = parse(number) {
            memory.answered(number);
            memory.verified.insert(number, checks.to_owned());
            memory.older = None;
            match whole {
                true => {
                    memory.failed.remove(number);
                    memory.unasked.remove(number);
                    memory.passed.get_or_insert_default().insert(number);
                }
                false => memory.taken_as_it_is(number),
            }
        }
        memory
    }

    /// The memory after a version is accepted without all of its checks.
    pub(super) fn unasked(&self, number: &str) -> Memory {
        let mut memory = self.begun(Some(number));
        if let Some(number) = parse(number) {
            memory.answered(number);
            memory.taken_as_it_is(number);
        }
        memory
    }

    /// Counts versions from an older lamstream, which recorded no verdicts, as passed, so that users can return to
    /// them.
    fn begun(&self, from: Option<&str>) -> Memory {
        let mut memory = self.clone();
        let older = || from.and_then(parse).map(Numbers::up_to).unwrap_or_default();
        memory.passed.get_or_insert_with(older);
        memory
    }

    fn turned(&mut self, number: &str, asked: bool) {
        let Some(number) = parse(number) else { return };
        self.asking = Some(number).filter(|_| asked);
        match asked {
            true => drop(self.verified.remove(&number)),
            false => self.taken_as_it_is(number),
        }
    }

    fn taken_as_it_is(&mut self, number: u64) {
        if !self.has_passed(number) {
            self.unasked.insert(number);
        }
    }

    fn fails(&mut self, number: u64) {
        self.verified.remove(&number);
        self.unasked.remove(number);
        self.failed.insert(number);
    }

    fn answered(&mut self, number: u64) {
        self.asking = self.asking.filter(|asking| *asking != number);
    }

    fn has_passed(&self, number: u64) -> bool {
        self.passed.as_ref().is_some_and(|passed| passed.contains(number))
    }

    /// Whether a run was interrupted after this version became live and before its URL was verified.
    pub(super) fn is_interrupted(&self, number: &str) -> bool {
        self.asking.is_some() && self.asking == parse(number)
    }

    /// Whether a rollback may return to this version, so that pruning must keep it. `None` if it was never recorded or
    /// was dropped.
    pub(super) fn is_good(&self, number: u64) -> Option<bool> {
        let passed = self.passed.as_ref()?;
        let oldest = [passed, &self.failed, &self.unasked].into_iter().filter_map(Numbers::first).min();
        let is_known = oldest.is_some_and(|oldest| oldest <= number);
        is_known.then(|| passed.contains(number) || self.unasked.contains(number))
    }

    /// The verdict on a version without traffic.
    pub(super) fn verdict(&self, number: &str) -> Verdict {
        match parse(number) {
            Some(number) if self.failed.contains(number) => Verdict::Failed,
            Some(number) if self.has_passed(number) => Verdict::Verified,
            _ => Verdict::Unverified,
        }
    }

    /// The verdict on a version with traffic, which depends on whether its URL passed.
    pub(super) fn live(&self, number: &str) -> Remembered {
        let known = parse(number);
        let checks = known.and_then(|number| self.verified.get(&number)).cloned();
        let verdict = match self.verdict(number) {
            Verdict::Verified if checks.is_none() => Verdict::Unverified,
            verdict => verdict,
        };
        Remembered { verdict, checks, interrupted: self.is_interrupted(number) }
    }
}

/// A version's number; `$LATEST` has none.
pub(super) fn parse(number: &str) -> Option<u64> {
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::description::LIMIT;
    use crate::stack::Caller;

    #[test]
    fn it_is_read_as_it_is_written() {
        let memory = Memory::default().moved(None, "1", true).verified("1", "aa", true).moved(Some("1"), "2", true);
        assert_eq!(memory.write(), "lamstream previous=1 asking=2 passed=1 verified=1:aa");
        let memory = memory.verified("2", "bb", true).moved(Some("2"), "4", false).refusing("3", "4");
        assert_eq!(memory.write(), "lamstream previous=2 passed=1-2 failed=3 unasked=4 verified=2:bb");
        assert_eq!(Memory::read(&memory.write()), memory);
        for foreign in ["another tool's words previous=3", "lamstream previous=$LATEST older=x asking=- verified=1"] {
            assert_eq!(Memory::read(foreign), Memory::default(), "{foreign}");
        }
        let long = format!("lamstream previous=01 verified=2:{}", "a".repeat(200));
        assert_eq!(Memory::read(&long).write(), "lamstream previous=1");
    }

    #[test]
    fn what_an_older_version_wrote_counts_as_good() {
        let old = Memory::read("lamstream previous=3");
        assert_eq!((old.previous.as_deref(), old.is_good(2), old.is_interrupted("4")), (Some("3"), None, false));
        let new = old.moved(Some("4"), "5", true);
        assert_eq!(new.write(), "lamstream previous=4 older=3 asking=5 passed=1-4");
        assert_eq!((new.verdict("2"), new.live("5").verdict), (Verdict::Verified, Verdict::Unverified));
        assert!(new.live("5").interrupted && !old.live("4").interrupted);
        // A later failure does not make an earlier version suspect.
        let failed = old.refusing("5", "4");
        assert!(!failed.is_interrupted("4") && failed.moved(Some("4"), "6", true).previous.as_deref() == Some("4"));
    }

    /// A rollback skips a release that never passed.
    #[test]
    fn an_interrupted_release_is_not_gone_back_to() {
        let good = Memory::default().moved(None, "1", true).verified("1", "aa", true);
        let killed = good.moved(Some("1"), "2", true);
        assert!(killed.is_interrupted("2") && !killed.is_interrupted("1"));
        assert_eq!(killed.moved(Some("2"), "3", true).previous.as_deref(), Some("1"));
        // With `--no-verify`, or without a value that a check needs, the release was accepted unverified.
        let twice = killed.verified("2", "bb", true).moved(Some("2"), "3", true);
        let back = twice.back().map(|(version, memory)| (version, memory.previous));
        assert_eq!(back, Some(("2".into(), Some("1".into()))));
        for taken in [good.moved(Some("1"), "2", false), killed.unasked("2")] {
            assert!(!taken.is_interrupted("2"));
            assert_eq!(taken.moved(Some("2"), "3", true).previous.as_deref(), Some("2"));
        }
        // After a return to `2`, which was live before `3`, a rollback leads on to `1`.
        assert_eq!(twice.moved(Some("3"), "2", true).previous.as_deref(), Some("1"));
    }

    /// A rollback may return to a release that passed once, even if the checks have changed.
    #[test]
    fn a_release_that_passed_and_then_fails_has_failed_and_is_kept() {
        let good = Memory::default().moved(None, "1", true).verified("1", "aa", true);
        let refused = good.moved(Some("1"), "2", true).verified("2", "bb", true).refusing("1", "2");
        assert_eq!(refused.write(), "lamstream previous=1 passed=1-2 failed=1 verified=2:bb");
        assert_eq!((refused.verdict("1"), refused.live("1").verdict), (Verdict::Failed, Verdict::Failed));
        assert_eq!(refused.is_good(1), Some(true));
        let again = refused.moved(Some("2"), "1", true);
        assert_eq!(again.live("1").verdict, Verdict::Failed);
        assert_eq!(again.verified("1", "aa", true).live("1").verdict, Verdict::Verified);
    }

    #[test]
    fn the_time_of_the_last_move_is_kept_and_its_caller_as_far_as_it_fits() {
        let by = |name: &str| Caller::read(&format!("user/{name}"));
        let arrival = |at, by: Option<Caller>| Arrival { at, by };
        let moved = Memory::default().moved(Some("1"), "2", true).since("2", arrival(1_796_025_600, by("bob")));
        assert_eq!(moved.write(), "lamstream previous=1 asking=2 passed=1 since=2:1796025600 by=user/bob");
        assert_eq!(Memory::read(&moved.write()), moved);
        let verified = moved.verified("2", "bb", true);
        assert_eq!(verified.arrival("2"), Some(arrival(1_796_025_600, by("bob"))));
        // Another tool has moved `live`.
        assert_eq!((verified.arrival("1"), Memory::read("lamstream previous=1").arrival("2")), (None, None));
        let long = verified.since("2", arrival(7, by(&"x".repeat(200))));
        assert_eq!(Memory::read(&long.write()).arrival("2"), Some(arrival(7, None)));
        assert_eq!(Memory::read("lamstream since=x:7 by=user/bob"), Memory::default());
        assert_eq!(Memory::read("lamstream since=2:7 by=bob smith").arrival("2"), Some(arrival(7, None)));
    }

    /// Another release may have answered.
    #[test]
    fn a_part_of_the_traffic_proves_nothing() {
        let good = Memory::default().moved(None, "1", true).verified("1", "aa", true);
        let shifted = good.shifted("1", "2", true).verified("2", "bb", false).live("2");
        assert_eq!(
            (shifted.verdict, shifted.checks.as_deref(), shifted.interrupted),
            (Verdict::Unverified, Some("bb"), false)
        );
    }

    #[test]
    fn the_steps_of_a_shift_are_kept_with_it() {
        let good = Memory::default().moved(None, "1", true).verified("1", "aa", true);
        let steps = Steps::parse("10,50/600000");
        let shifted = good.with_steps(steps.as_ref()).shifted("1", "2", true);
        assert_eq!(shifted.write(), "lamstream previous= asking=2 steps=10,50/600000 passed=1 verified=1:aa");
        assert_eq!((Memory::read(&shifted.write()), &shifted.steps), (shifted.clone(), &steps));
        assert_eq!(Memory::read("lamstream previous= steps=10").steps, None);
    }

    #[test]
    fn it_never_grows_beyond_what_aws_takes() {
        let mut memory = Memory::default();
        for number in (100_001..100_401).step_by(2) {
            memory = memory.moved(Some(&number.to_string()), &(number + 1).to_string(), true);
            memory = memory.verified(&(number + 1).to_string(), "0a1b2c3d4e5f", true);
            memory = memory.refusing(&(number + 2).to_string(), &(number + 1).to_string());
        }
        let text = memory.write();
        assert!(text.len() <= LIMIT, "{text}");
        let read = Memory::read(&text);
        assert_eq!((read.verdict("100400"), read.verdict("100401")), (Verdict::Verified, Verdict::Failed));
        // A dropped version does not count as failed.
        assert_eq!((read.verdict("100002"), read.is_good(100_002)), (Verdict::Unverified, None));
    }
}
