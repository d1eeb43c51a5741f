//! A version of a function as Lambda describes it, including `$LATEST`.

use super::{first_version, settings};
use crate::stack::{Names, Origin, Release, UnmanagedSetting};
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, State};
use std::collections::{BTreeSet, HashMap};

/// The version that is not published.
pub(super) const LATEST: &str = "$LATEST";

/// A version as `GetFunction` returns it.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub release: Release,
    pub description: String,
    pub number: Option<String>,
    /// `None` if the cloud has no revisions (moto).
    pub revision: Option<String>,
    pub condition: Condition,
    /// See [`settings::outside`].
    pub outside: BTreeSet<UnmanagedSetting>,
}

/// Whether a version can be used yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Ready,
    /// The version was not used for a long time: its next invocation fails, and makes Lambda restore it.
    Inactive,
    /// The version is being created or updated.
    Busy,
    /// The version could not be created, for this reason in Lambda's words.
    NeverMade(String),
    /// The version exists, but its last update failed.
    UpdateFailed(String),
}

impl Version {
    pub(super) fn of(configuration: &FunctionConfiguration, names: &Names) -> Version {
        Version {
            release: Release {
                code: configuration.code_sha256().map(str::to_owned),
                configuration: settings::read(configuration, &names.log_group()),
            },
            description: configuration.description().unwrap_or_default().to_owned(),
            number: configuration.version().map(str::to_owned),
            revision: configuration.revision_id().map(str::to_owned),
            condition: condition(configuration),
            outside: settings::outside(configuration),
        }
    }

    /// Where a published version comes from, by its description or these tags of its function.
    pub(super) fn origin(&self, tags: Option<&HashMap<String, String>>) -> Origin {
        first_version::origin(&self.description, self.number.as_deref(), tags)
    }

    /// The number of a published version that starts from a snapshot.
    pub(super) fn snapshot(&self) -> Option<&str> {
        let has_snapshot = self.release.configuration.settings.snap_start;
        self.number.as_deref().filter(|number| has_snapshot && *number != LATEST)
    }

    /// Whether the two differ at most in revision, condition and number.
    pub(super) fn same_content(&self, other: &Version) -> bool {
        self.release == other.release && self.description == other.description
    }
}

/// Says why a version cannot answer yet; `None` if it can.
pub(super) fn unready(configuration: &FunctionConfiguration) -> Option<String> {
    let number = configuration.version().unwrap_or_default();
    match condition(configuration) {
        Condition::Inactive => Some(format!("version {number} is inactive, because it was not used for weeks")),
        Condition::Busy => Some(format!("version {number} is still being prepared")),
        Condition::Ready | Condition::NeverMade(_) | Condition::UpdateFailed(_) => None,
    }
}

fn condition(configuration: &FunctionConfiguration) -> Condition {
    let state_reason =
        || reason(configuration.state_reason_code().map(|code| code.as_str()), configuration.state_reason());
    match (configuration.state(), configuration.last_update_status()) {
        (Some(State::Failed), _) => Condition::NeverMade(state_reason()),
        (Some(State::Inactive), _) => Condition::Inactive,
        (Some(State::Pending), _) | (_, Some(LastUpdateStatus::InProgress)) => Condition::Busy,
        (_, Some(LastUpdateStatus::Failed)) => {
            let code = configuration.last_update_status_reason_code().map(|code| code.as_str());
            Condition::UpdateFailed(reason(code, configuration.last_update_status_reason()))
        }
        _ => Condition::Ready,
    }
}

fn reason(code: Option<&str>, words: Option<&str>) -> String {
    match (code, words) {
        (Some(code), Some(words)) => format!("{words} ({code})"),
        (code, words) => words.or(code).unwrap_or("Lambda gave no reason").to_owned(),
    }
}
