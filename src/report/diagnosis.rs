//! The results of `doctor`.

use crate::failure::{Failure, Message};

/// What `doctor` found.
#[derive(Clone, Debug)]
pub struct DoctorAnswer {
    pub checks: Vec<Diagnosis>,
    /// Set if any check is a problem.
    pub failure: Option<Failure>,
}

/// One thing that `doctor` looked at, or why it did not.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    pub name: String,
    pub result: Health,
    pub message: Message,
    /// What to do about it.
    pub hints: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Ok,
    /// Some commands work differently, or may fail.
    Warning,
    /// Some command fails.
    Problem,
    /// It was not looked at.
    Skipped,
}

impl Health {
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Warning => "warning",
            Health::Problem => "problem",
            Health::Skipped => "skipped",
        }
    }
}
