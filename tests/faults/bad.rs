//! What must hold of runs towards a release that passes while it is tried, and fails behind its URL.

use crate::cell::{Cell, Ending, Prepared, succeeded};
use crate::found::Found;
use crate::scenario::Scenario;
use crate::support::bench::said;
use serde_json::Value;
use std::process::Output;

/// What is said of a version that fails before it gets traffic, as one does that has turned bad in an earlier run.
const STAYS: &str = "`live` stays on version 1";

impl Cell<'_> {
    /// A run towards a bad release always fails. What it says of `live` is so, and where it may be wrong, it says "may".
    pub(crate) fn judge_bad(&self, document: &Value, output: &Output, between: &Found) -> Result<(), String> {
        let Prepared { start, goal, .. } = self.prepared;
        let words = document["error"]["message"].as_str().unwrap_or_default();
        if output.status.code() != Some(1) || document["ok"] != false || !words.starts_with("cannot ") {
            return Err("it does not fail as a run towards a bad release should".into());
        }
        let serves_as_before = between.answers == start.answers;
        let says_moved_back = words.contains("`live` was moved back to version");
        let may_stay = ["`live` may be on version", "the shift may go on"];
        let says_it_is_live = words.contains(" is live") || may_stay.iter().any(|may| words.contains(may));
        match (serves_as_before, says_moved_back, says_it_is_live) {
            (false, true, _) => Err("it says that `live` was moved back, and it was not".into()),
            (false, false, false) => Err("a bad release is live, and nothing says so".into()),
            (false, false, true) if self.kind.ends(self.step) == Ending::Well => {
                Err("one mishap kept `live` there".into())
            }
            (true, false, true) if words.contains(" is live") => Err("it says that a bad release is live".into()),
            _ if between.ours["release"] != start.ours["release"] && serves_as_before => {
                Err(format!("`live` remembers something else: {}", between.difference(goal)))
            }
            _ => Ok(()),
        }
    }
}

impl Scenario {
    /// # Errors
    /// When a run that nothing disturbed did not end as it must.
    pub(crate) fn ended_as_undisturbed(&self, output: &Output) -> Result<(), String> {
        if !self.bad {
            return succeeded(output);
        }
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let words = document["error"]["message"].as_str().unwrap_or_default();
        let back = output.status.code() == Some(1)
            && document["error"]["kind"] == "verify"
            && (words.contains("`live` was moved back to version") || self.has_steps() && words.contains(STAYS));
        if back { Ok(()) } else { Err(format!("it did not move back: {}", said(output))) }
    }
}
