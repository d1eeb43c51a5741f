//! A parameter of Parameter Store, with all its versions.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::options::ACCOUNT;
use crate::wire::partition::partition;

/// A parameter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parameter {
    /// `String`, `StringList` or `SecureString`: the same for all versions.
    pub(crate) kind: String,
    pub(crate) description: Option<String>,
    /// The last one is the latest; there is always at least one.
    pub(crate) versions: Vec<ParameterVersion>,
}

/// One version of a parameter.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ParameterVersion {
    pub(crate) number: u64,
    pub(crate) value: String,
    pub(crate) written: Millis,
    /// The ARN of the caller that wrote it; `None` in a state that an older version of this cloud has left.
    #[serde(default)]
    pub(crate) user: Option<String>,
}

impl std::fmt::Debug for ParameterVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParameterVersion").field("number", &self.number).field("value", &"…").finish()
    }
}

/// Its ARN; the `/` after `parameter` is the first one of a hierarchical name.
pub(crate) fn arn(region: &str, name: &str) -> String {
    format!("arn:{}:ssm:{region}:{ACCOUNT}:parameter/{}", partition(region), name.trim_start_matches('/'))
}
