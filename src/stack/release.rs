//! An immutable published version: the code and configuration that serve.

use super::{Architecture, Attachments, Secret};
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
    pub log_format: LogFormat,
    pub log_group: String,
    pub attachments: Box<Attachments>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    /// As the manifest spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

pub type Environment = BTreeMap<String, Secret>;
