//! Everything that exists in this cloud, as plain values without files or processes.

pub(crate) mod bucket;
pub(crate) mod configuration;
pub(crate) mod function;
pub(crate) mod layer;
pub(crate) mod log_group;
pub(crate) mod managed_policy;
pub(crate) mod parameter;
pub(crate) mod policy;
pub(crate) mod revision;
pub(crate) mod role;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod tags;
pub(crate) mod url;
pub(crate) mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use bucket::Bucket;
use function::Function;
use layer::Layer;
use log_group::LogGroup;
use managed_policy::ManagedPolicy;
use parameter::Parameter;
use role::Role;
use secret::Secret;
use session::Session;
use version::Version;

use crate::clock::{self, Millis};
use crate::wire::error::Fault;

/// The account, and everything in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct World {
    /// By name in lower case: IAM's names are unique regardless of case.
    pub(crate) roles: BTreeMap<String, Role>,
    /// By ARN.
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
    /// By access key id.
    #[serde(default)]
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) regions: BTreeMap<String, Region>,
    /// By name, which is unique across regions.
    #[serde(default)]
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// The names of deleted buckets that cannot be used yet, and from when they can.
    #[serde(default)]
    pub(crate) deleted_buckets: BTreeMap<String, Millis>,
}

/// Everything that AWS keeps per region.
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
    /// When log groups of these names were deleted.
    #[serde(default)]
    pub(crate) deleted_log_groups: BTreeMap<String, Millis>,
}

impl Region {
    /// The bytes of all zips of functions, versions and layers.
    pub(crate) fn code_size(&self) -> u64 {
        let versions =
            self.functions.values().flat_map(|function| function.versions.values().chain([&function.latest]));
        let layers = self.layers.values().flat_map(|layer| layer.versions.values());
        versions.map(|version| version.code.size).chain(layers.map(|version| version.size)).sum()
    }

    /// The concurrency that all functions together have reserved.
    pub(crate) fn reserved(&self) -> usize {
        self.functions.values().filter_map(|function| function.reserved).map(|reserved| reserved as usize).sum()
    }
}

/// The region, function and number of a version.
pub(crate) type VersionKey = (String, String, String);

impl World {
    /// A version of a function.
    pub(crate) fn version(&self, (region, function, number): &VersionKey) -> Option<&Version> {
        self.regions.get(region)?.functions.get(function)?.version(number)
    }

    /// The same, to be changed.
    pub(crate) fn version_mut(&mut self, (region, function, number): &VersionKey) -> Option<&mut Version> {
        self.regions.get_mut(region)?.functions.get_mut(function)?.version_mut(number)
    }

    /// A region; every region exists.
    pub(crate) fn region(&mut self, name: &str) -> &mut Region {
        self.regions.entry(name.to_owned()).or_default()
    }

    /// Completes everything that was pending until `now`, and returns whether anything was. The result depends only on
    /// this world and the moment.
    pub(crate) fn settle(&mut self, now: Millis) -> bool {
        let mut changed = false;
        for function in self.functions_mut() {
            for version in function.versions.values_mut().chain([&mut function.latest]) {
                changed |= version.settle(now);
            }
        }
        changed
    }

    /// Makes every version inactive that has not been used for a time; none if that is not asked for.
    pub(crate) fn rest(&mut self, now: Millis, after: Option<Millis>) {
        for function in self.functions_mut() {
            function.versions.values_mut().chain([&mut function.latest]).for_each(|version| version.rest(now, after));
        }
    }

    /// The next moment at which something that is pending or in progress completes.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.versions().flat_map(|version| version.pending.into_iter().chain(version.updating)).min()
    }

    /// Makes everything that is pending or in progress fail, for these functions.
    pub(crate) fn let_fail(&mut self, failing: &[String]) {
        for function in self.functions_mut().filter(|function| failing.contains(&function.name)) {
            for version in function.versions.values_mut().chain([&mut function.latest]) {
                version.will_fail = version.busy();
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

    /// The digest of every zip that functions and layers are made of.
    pub(crate) fn digests(&self) -> impl Iterator<Item = &str> {
        let published = self.regions.values().flat_map(|region| region.layers.values());
        let published = published.flat_map(|layer| layer.versions.values()).map(|version| version.digest.as_str());
        self.versions().flat_map(Version::digests).chain(published)
    }

    /// The layers of every version that has any, in their order.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &[configuration::Layer]> {
        self.versions().map(|version| version.runs().0.layers.as_slice()).filter(|layers| !layers.is_empty())
    }

    /// Every build that may still be invoked.
    pub(crate) fn builds(&self) -> impl Iterator<Item = &str> {
        self.versions().map(|version| version.runs().2)
    }

    /// A bucket by its name.
    ///
    /// # Errors
    /// S3's own if it does not exist.
    pub(crate) fn bucket(&self, name: &str) -> Result<&Bucket, Fault> {
        self.buckets.get(name).filter(|bucket| bucket.visible <= clock::now()).ok_or_else(no_bucket)
    }

    /// A bucket by its name, to be changed.
    ///
    /// # Errors
    /// S3's own if it does not exist.
    pub(crate) fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, Fault> {
        self.buckets.get_mut(name).filter(|bucket| bucket.visible <= clock::now()).ok_or_else(no_bucket)
    }

    /// A role by its ARN.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn == arn)
    }
}

fn no_bucket() -> Fault {
    Fault::new(404, "NoSuchBucket", "The specified bucket does not exist")
}
