//! The nouns of a deploy: one function's AWS resources, as wanted or as observed. Pure values, which are equal if the
//! resources on AWS would be equal.

mod address;
mod arn;
mod attachments;
mod caller;
mod field;
mod function;
mod live;
mod log_group;
mod logging;
mod name;
mod noun;
mod origin;
mod owner;
mod parameter;
mod partition;
mod permission;
mod provisioned;
mod published;
mod release;
mod role;
mod secret;
mod settings;
mod steps;
mod tags;
mod unmanaged;
mod url;
mod word;

pub use address::{Address, Auth};
pub use arn::Arn;
pub use attachments::{Attachments, FileSystem, Tracing, Vpc};
pub use caller::Caller;
pub use field::{Field, Fields};
pub use function::Function;
pub use live::{Live, Shift, Weight};
pub use log_group::LogGroup;
pub use logging::{LogFormat, LogLevel, Logging, SystemLogLevel};
pub use name::{Names, function_name, log_group, stage_name};
pub use noun::Noun;
pub use origin::Origin;
pub use owner::{EXPIRES, Owner};
pub use parameter::{LONGEST_SECRET, is_secret_name, reserved_prefix, secret_path};
pub use partition::Partition;
pub use permission::Permission;
pub use provisioned::Provisioned;
pub use published::{Arrival, Published, Share, Verdict};
pub use release::{Configuration, Environment, Release, Undecryptable, secrets_of};
pub use role::{MANAGED_POLICIES, Role, Statement};
pub use secret::{NoValue, Secret};
pub use settings::Settings;
pub use steps::{Steps, spelled_time};
pub use tags::Tags;
pub use unmanaged::UnmanagedSetting;
pub use url::{Cors, FunctionUrl, InvokeMode};
pub use word::Word;

/// The platforms that code runs on. The crate that builds the code defines them.
pub use packaging::{Architecture, Family, Machine, OperatingSystem, Platform, Runtime};

use std::collections::BTreeSet;

/// All AWS resources that serve one function. A resource that is `None` does not exist, or must not exist.
///
/// A version's number and a URL's host are not part of it: AWS chooses them, so they are outputs (`apply::Outputs`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    pub names: Names,
    pub log_group: Option<LogGroup>,
    pub role: Option<Role>,
    pub function: Option<Function>,
    /// The target of the alias `live`. `$LATEST` is only used to prepare releases, so it is not part of a stack.
    pub live: Option<Live>,
    pub url: Option<FunctionUrl>,
    pub provisioned: Option<Provisioned>,
    /// Our own statements on `live`. Others are not observed, so they are never changed.
    pub permissions: BTreeSet<Permission>,
}

impl Stack {
    /// The stack in which nothing exists: a first deploy starts with it, and `destroy` ends with it.
    pub fn empty(names: Names) -> Stack {
        Stack {
            names,
            log_group: None,
            role: None,
            function: None,
            live: None,
            url: None,
            provisioned: None,
            permissions: BTreeSet::new(),
        }
    }

    /// What decides, besides the release, what the function's addresses answer. Two stacks with the same text answer alike.
    /// `live` stores a digest of it, so another text has everything that is deployed verified again.
    pub fn conduct(&self) -> String {
        let Stack { names: _, log_group: _, live: _, role, function, url, provisioned, permissions } = self;
        let role = role.as_ref().map(|role| (&role.statements, &role.managed_policies, &role.permissions_boundary));
        let concurrency = function.as_ref().and_then(|function| function.concurrency);
        let provisioned = provisioned.map(|Provisioned(count)| count);
        format!("{url:?} {permissions:?} {role:?} {concurrency:?} {provisioned:?}")
    }

    /// Whether the manifest names a log group that lamstream did not create. It is used as it is.
    pub fn borrows_log_group(&self) -> bool {
        let is_theirs = |group: &LogGroup| group.owner(&self.names) == Some(Owner::Foreign);
        self.names.log_group.is_some() && self.log_group.as_ref().is_some_and(is_theirs)
    }
}
