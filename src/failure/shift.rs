//! Failures of shifts.

use super::{Failure, FailureKind};
use crate::manifest::MostErrors;
use std::time::Duration;

impl Failure {
    pub fn shift_in_progress(name: &str) -> Failure {
        Failure::own(FailureKind::Conflict, format!("a shift of `{name}` is in progress"))
            .hint(format!("end it first: `lamstream promote {name}` or `lamstream abort {name}`"))
    }

    /// A failed check could not tell which of the two releases is at fault. `is_shifted` is whether the unverified one has
    /// only part of the traffic.
    pub fn shift_beside_unverified(name: &str, version: &str, is_shifted: bool) -> Failure {
        let message = format!("cannot shift traffic of `{name}`: version {version} is live and unverified");
        Failure::new(FailureKind::Conflict, message).hint(match is_shifted {
            true => format!("end its shift first: `lamstream abort {name}`"),
            false => format!("return to the previous release first: `lamstream rollback {name}`"),
        })
    }

    pub fn shift_of_provisioned(name: &str) -> Failure {
        let message =
            format!("`--shift` cannot split the traffic of `{name}`: Lambda keeps instances warm for one version");
        Failure::usage(message).hint("deploy without `--shift`, or without `provisioned_concurrency`")
    }

    /// Several percentages, and no time after which one follows the other.
    pub fn shift_without_time(percents: &str) -> Failure {
        Failure::usage(format!("`--shift {percents}` has several percentages, but no time for which each is held"))
            .hint(format!("add the time: `lamstream deploy --shift {percents} --for 10m`"))
    }

    pub fn time_without_shift(name: &str) -> Failure {
        let message = format!("`--for` has no percentages to hold: `{name}` has no `rollout` in the manifest");
        Failure::usage(message).hint("add `--shift`: `lamstream deploy --shift 10,50 --for 10m`")
    }

    /// A shift that ends itself, of a function that nothing can be judged by.
    pub fn shift_unjudged(name: &str, why: &str) -> Failure {
        let message = format!("`--for` cannot judge the new release of `{name}`: {why}");
        Failure::usage(message).hint("deploy without `--for`: then you end the shift, with `promote` or `abort`")
    }

    /// Another process moved the traffic while a step was held.
    pub fn moved_meanwhile(name: &str, now: &str) -> Failure {
        let message = format!("cannot go on with the shift of `{name}`: another process moved `live`; {now}");
        Failure::own(FailureKind::Conflict, message).hint("check what is live with `lamstream status`")
    }

    /// Too many requests failed.
    pub fn requests_failed(name: &str, version: &str, [errors, requests]: [usize; 2], limit: MostErrors) -> Failure {
        let s = if requests == 1 { "" } else { "s" };
        let message = format!(
            "cannot keep version {version} of `{name}`: {errors} of {requests} request{s} failed; `max_errors` is {limit}"
        );
        Failure::own(FailureKind::Verify, message)
            .hint(format!("see why: `lamstream logs {name} --version {version} --errors`"))
    }

    /// Too many first bytes came late.
    pub fn requests_late(name: &str, version: &str, [late, requests]: [usize; 2], limit: Duration) -> Failure {
        let s = if requests == 1 { "" } else { "s" };
        let message = format!(
            "cannot keep version {version} of `{name}`: the first byte of {late} of {requests} request{s} took longer than \
             {:.1} s, which is `max_first_byte`",
            limit.as_secs_f64()
        );
        Failure::own(FailureKind::Verify, message)
            .hint(format!("see what they did: `lamstream logs {name} --version {version}`"))
    }

    /// Says that the traffic stays split, and what can be done with it.
    pub fn shift_stays(self, name: &str, split: &str) -> Failure {
        let failure = self.therefore(&format!("the shift stays: {split}"));
        failure
            .hint(format!("run `lamstream deploy {name}` to hold this step again and to continue"))
            .hint(format!("or end the shift: `lamstream promote {name}`, `lamstream abort {name}`"))
    }
}
