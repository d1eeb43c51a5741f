//! A function with its versions, aliases, URLs and policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::policy::Policy;
use super::tags::Tags;
use super::url::Url;
use super::version::{Code, LATEST, Version, not_active};
use crate::clock::{self, Millis};
use crate::options::ACCOUNT;
use crate::wire::error::Fault;
use crate::wire::partition::partition;

/// A function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) region: String,
    #[serde(default)]
    pub(crate) created: Millis,
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
    /// What happens to a recursive loop, if it was set.
    #[serde(default)]
    pub(crate) recursive_loop: Option<String>,
    /// When a version's runtime is updated, by its number.
    #[serde(default)]
    pub(crate) runtime_updates: BTreeMap<String, Value>,
    /// How asynchronous events are handled, by qualifier.
    #[serde(default)]
    pub(crate) event_invoke: BTreeMap<String, Map<String, Value>>,
}

/// Provisioned concurrency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Provisioned {
    pub(crate) requested: u32,
    /// In progress until this moment.
    pub(crate) ready: Millis,
    pub(crate) modified: Millis,
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
    /// Not found before this moment.
    #[serde(default)]
    pub(crate) visible: Millis,
    /// While provisioned instances of another version start, the previous version is shown with all the traffic until
    /// this moment.
    #[serde(default)]
    pub(crate) moving: Option<(String, Millis)>,
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
    format!("arn:{}:lambda:{region}:{ACCOUNT}:function:{name}{colon}{qualifier}", partition(region))
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

    /// The same, to be changed.
    pub(crate) fn version_mut(&mut self, number: &str) -> Option<&mut Version> {
        if number == LATEST { Some(&mut self.latest) } else { self.versions.get_mut(&number.parse().ok()?) }
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

    /// The same, if it is old enough to be found.
    pub(crate) fn found(&self, qualifier: &str) -> Result<&Version, Fault> {
        let now = clock::now();
        let version = self.resolve(qualifier)?;
        let is_visible = version.visible <= now && self.aliases.get(qualifier).is_none_or(|alias| alias.visible <= now);
        if is_visible { Ok(version) } else { Err(self.missing(qualifier)) }
    }

    /// An alias, if it is old enough to be found.
    pub(crate) fn found_alias(&self, name: &str) -> Option<&Alias> {
        self.aliases.get(name).filter(|alias| alias.visible <= clock::now())
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
            visible: 0,
            moving: None,
        };
        assert_eq!(alias.choose(0.2), "2");
        assert_eq!(alias.choose(0.25), "1");
        assert_eq!(alias.choose(0.99), "1");
    }
}
