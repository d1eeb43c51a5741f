//! All that exists in this cloud: plain values, changed by calls, knowing neither files nor processes.

pub(crate) mod bucket;
pub(crate) mod configuration;
pub(crate) mod function;
pub(crate) mod layer;
pub(crate) mod log_group;
pub(crate) mod managed_policy;
pub(crate) mod parameter;
pub(crate) mod policy;
pub(crate) mod role;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod url;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wire::date::Millis;
use bucket::Bucket;
use function::{Function, Version};
use layer::Layer;
use log_group::LogGroup;
use managed_policy::ManagedPolicy;
use parameter::Parameter;
use role::Role;
use secret::Secret;
use session::Session;

/// Tags, as every service has them.
pub(crate) type Tags = BTreeMap<String, String>;

/// The account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct World {
    /// By name in lower case: IAM's names are unique without case.
    pub(crate) roles: BTreeMap<String, Role>,
    /// By ARN.
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
    /// By access key id.
    #[serde(default)]
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) regions: BTreeMap<String, Region>,
    /// By name, which is one for all regions.
    #[serde(default)]
    pub(crate) buckets: BTreeMap<String, Bucket>,
}

/// What AWS keeps apart by region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Region {
    pub(crate) log_groups: BTreeMap<String, LogGroup>,
    pub(crate) functions: BTreeMap<String, Function>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, Secret>,
    #[serde(default)]
    pub(crate) layers: BTreeMap<String, Layer>,
}

impl Region {
    /// The bytes of all zips, of functions with their versions and of layers.
    pub(crate) fn code_size(&self) -> u64 {
        let versions =
            self.functions.values().flat_map(|function| function.versions.values().chain([&function.latest]));
        let layers = self.layers.values().flat_map(|layer| layer.versions.values());
        versions.map(|version| version.code.size).chain(layers.map(|version| version.size)).sum()
    }

    /// The concurrency that functions have reserved, all together.
    pub(crate) fn reserved(&self) -> usize {
        self.functions.values().filter_map(|function| function.reserved).map(|reserved| reserved as usize).sum()
    }
}

impl World {
    /// A region, as if it had always been there.
    pub(crate) fn region(&mut self, name: &str) -> &mut Region {
        self.regions.entry(name.to_owned()).or_default()
    }

    /// Completes what was pending until now; whether anything was. What comes of it follows from this world and the
    /// moment alone.
    pub(crate) fn settle(&mut self, now: Millis) -> bool {
        let mut changed = false;
        for function in self.functions_mut() {
            for version in function.versions.values_mut().chain([&mut function.latest]) {
                changed |= version.settle(now);
            }
        }
        changed
    }

    /// When the next thing is complete that is pending or in progress.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.versions().flat_map(|version| version.pending.into_iter().chain(version.updating)).min()
    }

    /// Lets what is under way fail, of functions that are to fail.
    pub(crate) fn doom(&mut self, failing: &[String]) {
        for function in self.functions_mut().filter(|function| failing.contains(&function.name)) {
            for version in function.versions.values_mut().chain([&mut function.latest]) {
                version.doomed = version.busy();
            }
        }
    }

    fn functions_mut(&mut self) -> impl Iterator<Item = &mut Function> {
        self.regions.values_mut().flat_map(|region| region.functions.values_mut())
    }

    fn versions(&self) -> impl Iterator<Item = &Version> {
        let functions = self.regions.values().flat_map(|region| region.functions.values());
        functions.flat_map(|function| function.versions.values().chain([&function.latest]))
    }

    /// The digest of every zip that something here is made of.
    pub(crate) fn digests(&self) -> impl Iterator<Item = &str> {
        let published = self.regions.values().flat_map(|region| region.layers.values());
        let published = published.flat_map(|layer| layer.versions.values()).map(|version| version.digest.as_str());
        self.versions().flat_map(Version::digests).chain(published)
    }

    /// The layers of every version, as they are used together.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &[configuration::Layer]> {
        self.versions().map(|version| version.runs().0.layers.as_slice()).filter(|layers| !layers.is_empty())
    }

    /// Every build that may still be run.
    pub(crate) fn builds(&self) -> impl Iterator<Item = &str> {
        self.versions().map(|version| version.runs().2)
    }

    /// A role by its ARN.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn == arn)
    }
}

/// A fresh RevisionId.
pub(crate) fn revision() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The RevisionId that follows another one when time alone has changed something.
pub(crate) fn revision_after(revision: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(revision)[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
