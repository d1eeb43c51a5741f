//! An immutable published version: the code and configuration that serve.

use super::attachments::Attachments;
use super::logging::Logging;
use super::secret::Secret;
use packaging::Architecture;
use std::collections::BTreeMap;

/// A release is known by its content alone; the number that Lambda gives it is an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Base64 of the zip's SHA-256, as AWS's `CodeSha256`.
    pub code: String,
    pub configuration: Configuration,
}

/// What Lambda freezes into a version beside the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub role_arn: String,
    pub architecture: Architecture,
    pub runtime: String,
    pub handler: String,
    /// MB, 128–10,240.
    pub memory: u32,
    /// Seconds, 1–900.
    pub timeout: u32,
    /// MB of `/tmp`, 512–10,240.
    pub ephemeral_storage: u32,
    /// ARNs, in the order in which they are unpacked.
    pub layers: Vec<String>,
    pub environment: Environment,
    pub logging: Logging,
    pub log_group: String,
    pub attachments: Box<Attachments>,
}

impl Default for Configuration {
    /// What AWS uses where nothing is said; without a role and a log group.
    fn default() -> Configuration {
        Configuration {
            role_arn: String::new(),
            architecture: Architecture::X86_64,
            runtime: String::new(),
            handler: String::new(),
            memory: 128,
            timeout: 3,
            ephemeral_storage: 512,
            layers: Vec::new(),
            environment: Environment::new(),
            logging: Logging::default(),
            log_group: String::new(),
            attachments: Box::default(),
        }
    }
}

pub type Environment = BTreeMap<String, Secret>;
