//! A function with its versions, aliases, URLs and policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::policy::Policy;
use super::revision;
use super::tags::Tags;
use super::url::Url;
use crate::clock::{self, Millis};
use crate::options::ACCOUNT;
use crate::wire::date;
use crate::wire::error::Fault;

/// The version that can be changed.
pub(crate) const LATEST: &str = "$LATEST";

/// The reason why a function of `Options::failing` fails.
const FAILURE: &str = "Internal error: the local cloud was started to let this function fail.";

/// A function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) latest: Version,
    pub(crate) versions: BTreeMap<u64, Version>,
    /// Numbers are never reused, not even after a deletion.
    pub(crate) next_version: u64,
    /// The last published version, and what it was made from.
    pub(crate) published: Option<Published>,
    pub(crate) aliases: BTreeMap<String, Alias>,
    /// By alias; the empty name is the function itself.
    pub(crate) urls: BTreeMap<String, Url>,
    /// By qualifier; the empty name is the function itself.
    pub(crate) policies: BTreeMap<String, Policy>,
    pub(crate) tags: Tags,
    pub(crate) reserved: Option<u32>,
    /// By alias or version.
    #[serde(default)]
    pub(crate) provisioned: BTreeMap<String, Provisioned>,
}

/// Provisioned concurrency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Provisioned {
    pub(crate) requested: u32,
    /// In progress until this moment.
    pub(crate) ready: Millis,
    pub(crate) modified: Millis,
}

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
    /// Pending until this moment.
    pub(crate) pending: Option<Millis>,
    /// LastUpdateStatus is InProgress until this moment.
    pub(crate) updating: Option<Millis>,
    /// Changes with code and configuration: instances of another build are not used.
    pub(crate) build: String,
    /// Whether the pending creation or update will fail.
    #[serde(default)]
    pub(crate) doomed: bool,
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

/// What the last published version was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) number: u64,
    pub(crate) code: Code,
    pub(crate) config_sha256: String,
}

/// A name for a version, or for two with weights.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) weights: BTreeMap<String, f64>,
    pub(crate) revision: String,
    /// While provisioned instances of another version start, the previous version is shown with all the traffic until
    /// this moment.
    #[serde(default)]
    pub(crate) moving: Option<(String, Millis)>,
}

impl Version {
    /// Completes the creation or update that is due. Each is a new revision, which follows from the previous one, so
    /// that it is the same after a restart.
    pub(crate) fn settle(&mut self, now: Millis) -> bool {
        let due = |until: &mut Option<Millis>| until.take_if(|until| *until <= now).is_some();
        let (made, updated) = (due(&mut self.pending), due(&mut self.updating));
        let fails = (made || updated) && std::mem::take(&mut self.doomed);
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
        let sum = Sha256::digest(format!("{} {}", self.configuration.runtime, self.architecture));
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("arn:aws:lambda:{region}::runtime:{sum}")
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

    /// The state in which it cannot be invoked, if so.
    pub(crate) fn not_active(&self) -> Option<&'static str> {
        if self.pending.is_some() { Some("Pending") } else { self.failed.then_some("Failed") }
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
        shown
    }

    /// Its FunctionConfiguration.
    pub(crate) fn describe(&self, name: &str, arn: &str) -> Map<String, Value> {
        let mut shown = self.listed(name, arn);
        let mut set = |key: &str, value: Value| shown.insert(key.to_owned(), value);
        let region = arn.split(':').nth(3).unwrap_or_default();
        set("RuntimeVersionConfig", json!({"RuntimeVersionArn": self.runtime_version(region)}));
        if self.pending.is_some() {
            set("State", json!("Pending"));
            set("StateReason", json!("The function is being created."));
            set("StateReasonCode", json!("Creating"));
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

impl Alias {
    /// Its AliasConfiguration.
    pub(crate) fn describe(&self, function: &Function) -> Value {
        let mut shown = json!({
            "AliasArn": function.arn(&self.name),
            "Name": self.name,
            "FunctionVersion": self.version,
            "Description": self.description,
            "RevisionId": self.revision,
        });
        let weights = self.seen_weights(clock::now());
        if !weights.is_empty() {
            shown["RoutingConfig"] = json!({"AdditionalVersionWeights": weights});
        }
        shown
    }

    /// Its weights as they are shown; see `moving`.
    pub(crate) fn seen_weights(&self, now: Millis) -> BTreeMap<String, f64> {
        match &self.moving {
            Some((before, until)) if now < *until => BTreeMap::from([(before.clone(), 1.0)]),
            _ => self.weights.clone(),
        }
    }

    /// The version for one request, chosen by a number from 0 to 1.
    pub(crate) fn choose(&self, dice: f64) -> &str {
        let mut below = 0.0;
        for (version, weight) in &self.weights {
            below += weight;
            if dice < below {
                return version;
            }
        }
        &self.version
    }
}

/// The ARN of a function, or of a version or alias.
pub(crate) fn arn(region: &str, name: &str, qualifier: &str) -> String {
    let colon = if qualifier.is_empty() { "" } else { ":" };
    format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}{colon}{qualifier}")
}

impl Function {
    /// Its ARN, or that of a qualifier.
    pub(crate) fn arn(&self, qualifier: &str) -> String {
        arn(&self.region, &self.name, qualifier)
    }

    /// The error for a qualifier that does not exist.
    pub(crate) fn missing(&self, qualifier: &str) -> Fault {
        Fault::not_found(format!("Function not found: {}", self.arn(qualifier)))
    }

    /// A version by its number or `$LATEST`.
    pub(crate) fn version(&self, number: &str) -> Option<&Version> {
        if number == LATEST { Some(&self.latest) } else { self.versions.get(&number.parse().ok()?) }
    }

    /// The version that a qualifier refers to: an empty one to `$LATEST`, an alias to its main version.
    pub(crate) fn resolve(&self, qualifier: &str) -> Result<&Version, Fault> {
        let number = match self.aliases.get(qualifier) {
            Some(alias) => &alias.version,
            None if qualifier.is_empty() => LATEST,
            None => qualifier,
        };
        self.version(number).ok_or_else(|| self.missing(qualifier))
    }

    /// The FunctionConfiguration of a qualifier.
    pub(crate) fn describe(&self, qualifier: &str) -> Result<Map<String, Value>, Fault> {
        Ok(self.resolve(qualifier)?.describe(&self.name, &self.arn(qualifier)))
    }

    /// Refuses a write if its RevisionId is not the current one.
    pub(crate) fn expect_revision(&self, wanted: Option<&str>) -> Result<(), Fault> {
        expect_revision(wanted, &self.latest.revision, "GetFunction/GetAlias")
    }

    /// Refuses a write while another one is in progress.
    pub(crate) fn expect_settled(&self) -> Result<(), Fault> {
        if self.latest.busy() {
            let arn = self.arn("");
            return Err(Fault::conflict(format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
            )));
        }
        if self.latest.failed {
            return Err(not_active("Failed"));
        }
        Ok(())
    }
}

/// The error for a state in which the operation is not possible.
pub(crate) fn not_active(state: &str) -> Fault {
    Fault::conflict(format!(
        "The operation cannot be performed at this time. The function is currently in the following state: {state}"
    ))
}

/// Checks the RevisionId of a write; `call` is the operation that returns the current one.
pub(crate) fn expect_revision(wanted: Option<&str>, current: &str, call: &str) -> Result<(), Fault> {
    if wanted.is_some_and(|wanted| wanted != current) {
        return Err(Fault::new(
            412,
            "PreconditionFailedException",
            format!(
                "The Revision Id provided does not match the latest Revision Id. \
                 Call the {call} API to retrieve the latest Revision Id"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Alias;

    #[test]
    fn weights_choose_between_versions() {
        let alias = Alias {
            name: "live".into(),
            version: "1".into(),
            description: String::new(),
            weights: [("2".to_owned(), 0.25)].into(),
            revision: String::new(),
            moving: None,
        };
        assert_eq!(alias.choose(0.2), "2");
        assert_eq!(alias.choose(0.25), "1");
        assert_eq!(alias.choose(0.99), "1");
    }
}
