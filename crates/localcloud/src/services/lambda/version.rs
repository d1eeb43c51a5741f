//! Versions: immutable code and configuration.

use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, by_version, page};
use super::check::check_description;
use super::name::Name;
use crate::clock::{self, Millis};
use crate::services::call::Call;
use crate::wire::error::Fault;
use crate::world::function::{Function, Published};
use crate::world::revision;
use crate::world::version::{LATEST, Version};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

pub(super) fn publish(call: &Call, name: &Name) -> Answer {
    let input: Publish = call.input()?;
    if let Some(description) = &input.description {
        check_description(description)?;
    }
    name.change(call, |function| {
        function.expect_revision(input.revision_id.as_deref())?;
        function.expect_settled()?;
        let sha256 = &function.latest.code.sha256;
        if let Some(wanted) = input.code_sha256.filter(|wanted| wanted != sha256) {
            return Err(Fault::parameter(format!(
                "CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({sha256}). \
                 Please try again with the CodeSHA256 in $LATEST."
            )));
        }
        let times = Times { pending: pending(call, function, None), visible: visible(call) };
        let number = freeze(function, input.description, times);
        Ok((201, Value::Object(function.describe(&number.to_string())?)))
    })
}

/// Until when a new version is pending: while its snapshot is made, if there is one, and else as usual.
pub(super) fn pending(call: &Call, function: &Function, usual: Option<Millis>) -> Option<Millis> {
    if function.latest.configuration.snap_starts() { Some(clock::after(call.options().snapshot)) } else { usual }
}

/// From when on a new version or alias is found.
pub(super) fn visible(call: &Call) -> Millis {
    clock::after(call.options().visibility_lag)
}

/// What a new version has to wait for.
pub(super) struct Times {
    /// Until when it is `Pending`; AWS publishes a version of an active function without a delay.
    pub(super) pending: Option<Millis>,
    /// From when on it is found.
    pub(super) visible: Millis,
}

/// Publishes `$LATEST` and returns the number; if nothing has changed since the last version, that is its number.
pub(super) fn freeze(function: &mut Function, description: Option<String>, times: Times) -> u64 {
    let Times { pending, visible } = times;
    let latest = &function.latest;
    let made_from =
        |number| Published { number, code: latest.code.clone(), config_sha256: latest.config_sha256.clone() };
    if let Some(last) = &function.published
        && *last == made_from(last.number)
        && function.versions.contains_key(&last.number)
    {
        return last.number;
    }
    let number = function.next_version;
    let mut version = Version {
        number: number.to_string(),
        revision: revision::fresh(),
        build: revision::fresh(),
        modified: clock::now(),
        visible,
        pending,
        restoring: false,
        updating: None,
        update_failed: false,
        before: None,
        ..latest.clone()
    };
    if let Some(description) = description {
        version.configuration.description = description;
    }
    function.published = Some(made_from(number));
    function.versions.insert(number, version);
    function.next_version += 1;
    // Publishing changes the function, too.
    function.latest.revision = revision::fresh();
    number
}

pub(super) fn list(call: &Call, name: &Name) -> Answer {
    let versions = name.look(call, |function| {
        let versions = std::iter::once(&function.latest).chain(function.versions.values());
        Ok(versions
            .map(|version| Value::Object(version.listed(&function.name, &function.arn(&version.number))))
            .collect())
    })?;
    page(call, "Versions", versions, by_version)
}

/// Refuses a version that does not exist.
pub(super) fn expect(function: &Function, number: &str) -> Result<(), Fault> {
    let numeric = number == LATEST || number.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric || number.is_empty() {
        return Err(Fault::validation(
            number,
            "functionVersion",
            "Member must satisfy regular expression pattern: (\\$LATEST(\\.PUBLISHED)?|[0-9]+)",
        ));
    }
    let now = clock::now();
    let found = function.version(number).filter(|version| version.visible <= now);
    found.map(|_| ()).ok_or_else(|| function.missing(number))
}
