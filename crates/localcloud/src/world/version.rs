//! A version of a function: its code and configuration, and its state.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::revision;
use crate::clock::Millis;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::wire::partition::partition;

/// The version that can be changed.
pub(crate) const LATEST: &str = "$LATEST";

/// The reason why a function of `Options::failing` fails.
const FAILURE: &str = "Internal error: the local cloud was started to let this function fail.";

/// Code and configuration, of `$LATEST` or of a published version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) number: String,
    pub(crate) configuration: Configuration,
    pub(crate) code: Code,
    pub(crate) architecture: String,
    pub(crate) config_sha256: String,
    pub(crate) revision: String,
    pub(crate) modified: Millis,
    /// When it was last invoked, roughly.
    #[serde(default)]
    pub(crate) used: Millis,
    /// Whether it has not been used for so long that its next invocation fails.
    #[serde(default)]
    pub(crate) inactive: bool,
    /// Whether it is pending because it was inactive.
    #[serde(default)]
    pub(crate) restoring: bool,
    /// Not found before this moment.
    #[serde(default)]
    pub(crate) visible: Millis,
    /// Pending until this moment.
    pub(crate) pending: Option<Millis>,
    /// LastUpdateStatus is InProgress until this moment.
    pub(crate) updating: Option<Millis>,
    /// Changes with code and configuration: instances of another build are not used.
    pub(crate) build: String,
    /// Whether the pending creation or update will fail.
    #[serde(default, rename = "doomed")]
    pub(crate) will_fail: bool,
    /// Whether its creation has failed.
    #[serde(default)]
    pub(crate) failed: bool,
    /// Whether the last update has failed.
    #[serde(default)]
    pub(crate) update_failed: bool,
    /// What requests run on until an update is complete, and after an update that failed.
    #[serde(default)]
    pub(crate) before: Option<Box<Before>>,
}

/// What a version was before an update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Before {
    pub(crate) configuration: Configuration,
    pub(crate) code: Code,
    pub(crate) build: String,
}

/// An uploaded zip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// In hex; also the name of its directory.
    pub(crate) digest: String,
    /// In base64, as AWS returns it.
    pub(crate) sha256: String,
    pub(crate) size: u64,
}

impl Version {
    /// A new `$LATEST`, which is pending until a moment.
    pub(crate) fn latest(
        configuration: Configuration,
        code: Code,
        architecture: String,
        (now, pending): (Millis, Millis),
    ) -> Self {
        Self {
            number: LATEST.into(),
            config_sha256: configuration.digest(),
            configuration,
            code,
            architecture,
            revision: revision::fresh(),
            modified: now,
            used: 0,
            inactive: false,
            restoring: false,
            visible: 0,
            pending: Some(pending),
            updating: None,
            build: revision::fresh(),
            will_fail: false,
            failed: false,
            update_failed: false,
            before: None,
        }
    }

    /// Completes the creation or update that is due. Each is a new revision, which follows from the previous one, so
    /// that it is the same after a restart.
    pub(crate) fn settle(&mut self, now: Millis) -> bool {
        let due = |until: &mut Option<Millis>| until.take_if(|until| *until <= now);
        let (made, updated) = (due(&mut self.pending), due(&mut self.updating));
        self.used = self.used.max(made.or(updated).unwrap_or_default());
        let (made, updated) = (made.is_some(), updated.is_some());
        self.restoring &= !made;
        let fails = (made || updated) && std::mem::take(&mut self.will_fail);
        self.failed |= made && fails;
        if updated {
            self.update_failed = fails;
        }
        if updated && !fails {
            self.before = None;
        }
        if made || updated {
            self.revision = revision::following(&self.revision);
        }
        made || updated
    }

    /// Makes it inactive if it has not been used for a time, or active if that is not asked for.
    pub(crate) fn rest(&mut self, now: Millis, after: Option<Millis>) {
        let unused = after.is_some_and(|after| self.used.max(self.modified) + after <= now);
        self.inactive = unused && !self.busy() && !self.failed;
    }

    /// Begins to restore it after it was inactive.
    pub(crate) fn wake(&mut self, now: Millis, until: Millis) {
        (self.used, self.inactive, self.restoring, self.pending) = (now, false, true, Some(until));
    }

    /// Keeps what requests run on, before it is changed.
    pub(crate) fn begin_update(&mut self, until: Millis) {
        // After an update that failed, this is still what ran before that update.
        let Self { configuration, code, build, before, .. } = self;
        before.get_or_insert_with(|| {
            Box::new(Before { configuration: configuration.clone(), code: code.clone(), build: build.clone() })
        });
        self.updating = Some(until);
        self.update_failed = false;
    }

    /// The ARN of the runtime's build: one for each runtime and architecture.
    fn runtime_version(&self, region: &str) -> String {
        let sum = hex::encode(Sha256::digest(format!("{} {}", self.configuration.runtime, self.architecture)));
        format!("arn:{}:lambda:{region}::runtime:{sum}", partition(region))
    }

    /// Configuration, code and build that requests run on.
    pub(crate) fn runs(&self) -> (&Configuration, &Code, &str) {
        match &self.before {
            Some(before) => (&before.configuration, &before.code, &before.build),
            None => (&self.configuration, &self.code, &self.build),
        }
    }

    /// The digests of its code and layers, and of those that requests run on.
    pub(crate) fn digests(&self) -> impl Iterator<Item = &str> {
        let (running, code, _) = self.runs();
        let layers = self.configuration.layers.iter().chain(&running.layers);
        let layers = layers.filter_map(|layer| layer.digest.as_deref());
        layers.chain([self.code.digest.as_str(), code.digest.as_str()])
    }

    /// Refuses an invocation in a state in which there can be none. An inactive version has to be restored instead.
    pub(crate) fn expect_invocable(&self) -> Result<(), Fault> {
        match self.pending {
            Some(_) if self.restoring => Err(not_ready()),
            Some(_) if self.snap_starts() => Err(Fault::new(
                409,
                "SnapStartNotReadyException",
                "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.",
            )),
            Some(_) => Err(not_active("Pending")),
            None if self.failed => Err(not_active("Failed")),
            None => Ok(()),
        }
    }

    /// Whether it is a published version that starts from a snapshot.
    fn snap_starts(&self) -> bool {
        self.number != LATEST && self.configuration.snap_starts()
    }

    /// Whether a write has to wait.
    pub(crate) fn busy(&self) -> bool {
        self.pending.is_some() || self.updating.is_some()
    }

    /// Its FunctionConfiguration in lists, which leave out the state.
    pub(crate) fn listed(&self, name: &str, arn: &str) -> Map<String, Value> {
        let mut shown = self.configuration.describe();
        let mut set = |key: &str, value: Value| shown.insert(key.to_owned(), value);
        set("FunctionName", json!(name));
        set("FunctionArn", json!(arn));
        set("Version", json!(self.number));
        set("CodeSize", json!(self.code.size));
        set("CodeSha256", json!(self.code.sha256));
        set("ConfigSha256", json!(self.config_sha256));
        set("LastModified", json!(date::lambda(self.modified)));
        set("RevisionId", json!(self.revision));
        set("Architectures", json!([self.architecture]));
        set("PackageType", json!("Zip"));
        if self.snap_starts() && self.pending.is_none() {
            set("SnapStart", json!({"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}));
        }
        shown
    }

    /// Its FunctionConfiguration.
    pub(crate) fn describe(&self, name: &str, arn: &str) -> Map<String, Value> {
        let mut shown = self.listed(name, arn);
        let mut set = |key: &str, value: Value| shown.insert(key.to_owned(), value);
        let region = arn.split(':').nth(3).unwrap_or_default();
        set("RuntimeVersionConfig", json!({"RuntimeVersionArn": self.runtime_version(region)}));
        if self.pending.is_some() && self.restoring {
            set("State", json!("Pending"));
            set("StateReason", json!("The function is being restored."));
            set("StateReasonCode", json!("Restoring"));
        } else if self.pending.is_some() {
            set("State", json!("Pending"));
            set("StateReason", json!("The function is being created."));
            set("StateReasonCode", json!("Creating"));
        } else if self.inactive {
            set("State", json!("Inactive"));
            set("StateReason", json!("The function is inactive because it was not used for a long time."));
            set("StateReasonCode", json!("Idle"));
        } else if self.failed {
            set("State", json!("Failed"));
            set("StateReason", json!(FAILURE));
            set("StateReasonCode", json!("InternalError"));
        } else {
            set("State", json!("Active"));
            let updating = self.updating.is_some();
            let status = if self.update_failed { "Failed" } else { "Successful" };
            set("LastUpdateStatus", json!(if updating { "InProgress" } else { status }));
            if self.update_failed {
                set("LastUpdateStatusReason", json!(FAILURE));
                set("LastUpdateStatusReasonCode", json!("InternalError"));
            }
            if updating {
                set("LastUpdateStatusReason", json!("The function is being created."));
                set("LastUpdateStatusReasonCode", json!("Creating"));
            }
        }
        shown
    }
}

/// The error for a state in which the operation is not possible.
pub(crate) fn not_active(state: &str) -> Fault {
    Fault::conflict(format!(
        "The operation cannot be performed at this time. The function is currently in the following state: {state}"
    ))
}

/// The error for an invocation of a version that was inactive, and is being restored.
pub(crate) fn not_ready() -> Fault {
    let message = "The function is inactive and its VPC connection is no longer available. Wait for the VPC connection to reestablish and try again.";
    Fault::new(502, "ResourceNotReadyException", message)
}
