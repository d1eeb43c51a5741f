//! A version of a function as Lambda describes it, `$LATEST` included.

use super::settings;
use crate::stack::{Names, Release};
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, State};

/// What `GetFunction` says of one version.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub release: Release,
    pub description: String,
    pub number: String,
    /// `None` where the cloud has none (moto).
    pub revision: Option<String>,
    pub condition: Condition,
}

/// Whether a version can be used yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Ready,
    /// Being made or updated.
    Busy,
    /// It could not be made; the reason in Lambda's words.
    NeverMade(String),
    /// It is there, but its last update failed.
    UpdateFailed(String),
}

impl Version {
    pub fn of(configuration: &FunctionConfiguration, names: &Names) -> Version {
        Version {
            release: Release {
                code: configuration.code_sha256().unwrap_or_default().to_owned(),
                configuration: settings::read(configuration, names),
            },
            description: configuration.description().unwrap_or_default().to_owned(),
            number: configuration.version().unwrap_or_default().to_owned(),
            revision: configuration.revision_id().map(str::to_owned),
            condition: condition(configuration),
        }
    }

    /// Whether nothing but the revision, the condition or the number differs.
    pub fn same_content(&self, other: &Version) -> bool {
        self.release == other.release && self.description == other.description
    }
}

fn condition(configuration: &FunctionConfiguration) -> Condition {
    let state_reason =
        || reason(configuration.state_reason_code().map(|code| code.as_str()), configuration.state_reason());
    match (configuration.state(), configuration.last_update_status()) {
        (Some(State::Failed), _) => Condition::NeverMade(state_reason()),
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
