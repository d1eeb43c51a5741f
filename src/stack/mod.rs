//! The nouns of a deploy: one function's AWS resources, as wanted or as found. Pure values, equal when AWS would be.

mod arn;
mod attachments;
mod function;
mod live;
mod log_group;
mod logging;
mod name;
mod owner;
mod partition;
mod permission;
mod published;
mod release;
mod role;
mod secret;
mod tags;
mod url;
mod word;

pub use arn::Arn;
pub use attachments::{Attachments, FileSystem, Tracing, Vpc};
pub use function::Function;
pub use live::{Live, Shift, Weight};
pub use log_group::LogGroup;
pub use logging::{LogFormat, LogLevel, Logging, SystemLogLevel};
pub use name::{Names, function_name, log_group};
pub use owner::Owner;
pub use partition::Partition;
pub use permission::Permission;
pub use published::{Published, Share, Verdict};
pub use release::{Configuration, Environment, Release};
pub use role::{Role, Statement};
pub use secret::Secret;
pub use tags::Tags;
pub use url::{Auth, Cors, FunctionUrl, InvokeMode};
pub use word::Word;

/// What code runs on is known where it is built.
pub use packaging::{Architecture, Family, Platform, Runtime};

use std::collections::BTreeSet;

/// Everything on AWS that serves one function. What is `None` does not exist, or shall not.
///
/// A version's number and a URL's host are not here: AWS makes them up, so they are outputs (`apply::Outputs`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    pub names: Names,
    pub log_group: Option<LogGroup>,
    pub role: Option<Role>,
    pub function: Option<Function>,
    /// What the alias `live` points to. `$LATEST` is only where releases are prepared, so it is not part of a stack.
    pub live: Option<Live>,
    pub url: Option<FunctionUrl>,
    /// How many instances are kept warm for `live`.
    pub provisioned: Option<u32>,
    /// Our own statements on `live`; others are not observed, and so never touched.
    pub permissions: BTreeSet<Permission>,
}

impl Stack {
    /// The stack in which nothing exists: where a first deploy begins and `destroy` ends.
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

    pub fn is_empty(&self) -> bool {
        *self == Stack::empty(self.names.clone())
    }
}
