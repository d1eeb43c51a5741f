//! What a version is configured with: what is run has a type, the rest is kept and echoed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The part of a function that UpdateFunctionConfiguration changes and PublishVersion freezes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    pub(crate) role: String,
    pub(crate) runtime: String,
    pub(crate) handler: String,
    pub(crate) description: String,
    pub(crate) timeout: u32,
    pub(crate) memory: u32,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) logging: Logging,
    /// VpcConfig, Layers, TracingConfig and the like, in the shape of the answer.
    pub(crate) echoed: Map<String, Value>,
}

/// Where lines go, and how they look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Logging {
    pub(crate) log_format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application_log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_log_level: Option<String>,
    pub(crate) log_group: String,
}

impl Configuration {
    /// A digest of everything in it.
    pub(crate) fn digest(&self) -> String {
        // A struct of strings, numbers and maps always becomes JSON.
        STANDARD.encode(Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Its members in a FunctionConfiguration.
    pub(crate) fn describe(&self) -> Map<String, Value> {
        let mut shown = self.echoed.clone();
        let Value::Object(typed) = json!({
            "Role": self.role,
            "Runtime": self.runtime,
            "Handler": self.handler,
            "Description": self.description,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
            "LoggingConfig": self.logging,
        }) else {
            return shown;
        };
        shown.extend(typed);
        if !self.environment.is_empty() {
            shown.insert("Environment".into(), json!({"Variables": self.environment}));
        }
        shown
    }
}
