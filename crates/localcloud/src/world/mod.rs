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

use crate::wire::date::Millis;
use bucket::Bucket;
use function::Function;
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
#[derive(Debug, Default, Serialize, Deserialize)]
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
#[derive(Debug, Default, Serialize, Deserialize)]
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

    /// Completes what was pending until now; whether anything was.
    pub(crate) fn settle(&mut self, now: Millis, failing: &[String]) -> bool {
        let mut changed = false;
        for function in self.regions.values_mut().flat_map(|region| region.functions.values_mut()) {
            let fails = failing.contains(&function.name);
            changed |= function.latest.settle(now, fails);
            for version in function.versions.values_mut() {
                changed |= version.settle(now, fails);
            }
        }
        changed
    }

    /// Every build that may still be run.
    pub(crate) fn builds(&self) -> impl Iterator<Item = &str> {
        let functions = self.regions.values().flat_map(|region| region.functions.values());
        let versions = functions.flat_map(|function| function.versions.values().chain([&function.latest]));
        versions.map(|version| version.runs().2)
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
