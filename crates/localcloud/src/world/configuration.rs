//! The configuration of a version. Settings that have an effect here have types of their own; the rest is stored and
//! returned.

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
    /// `None` if none was ever set, not even an empty one.
    pub(crate) environment: Option<BTreeMap<String, String>>,
    pub(crate) logging: Logging,
    /// In the order in which they are merged.
    #[serde(default)]
    pub(crate) layers: Vec<Layer>,
    /// VpcConfig, TracingConfig and others, in the form in which they are returned.
    pub(crate) echoed: Map<String, Value>,
}

/// A layer of a function; it remains if the layer's version is deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) arn: String,
    /// The digest of its zip; `None` for the adapter's layers, which are made of a program of this machine.
    pub(crate) digest: Option<String>,
    /// The bytes of its zip.
    pub(crate) size: u64,
}

impl Layer {
    /// Whether it is one of those that AWS publishes with Lambda Web Adapter.
    pub(crate) fn is_adapter(&self) -> bool {
        is_adapter(&self.arn)
    }
}

/// Whether an ARN is that of a layer with Lambda Web Adapter, in an account that publishes them.
pub(crate) fn is_adapter(arn: &str) -> bool {
    /// AWS's, and those of its two regions in China.
    const PUBLISHERS: [&str; 3] = ["753240598075", "041581134020", "069767869989"];
    const NAMES: [&str; 2] = ["LambdaAdapterLayerX86", "LambdaAdapterLayerArm64"];
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts[..], [_, _, _, _, account, "layer", name, _] if PUBLISHERS.contains(&account) && NAMES.contains(&name))
}

/// The log group and the format of its lines.
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

/// The variables of a function that has no environment.
static NONE: BTreeMap<String, String> = BTreeMap::new();

impl Configuration {
    /// The variables of its environment.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        self.environment.as_ref().unwrap_or(&NONE)
    }

    /// Whether published versions start from a snapshot.
    pub(crate) fn snap_starts(&self) -> bool {
        self.echoed.get("SnapStart").is_some_and(|given| given["ApplyOn"] == "PublishedVersions")
    }

    /// A digest of the whole configuration.
    pub(crate) fn digest(&self) -> String {
        // A struct of strings, numbers and maps can always be serialised.
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
        if !self.layers.is_empty() {
            let layers = self.layers.iter().map(|layer| json!({"Arn": layer.arn, "CodeSize": layer.size}));
            shown.insert("Layers".into(), layers.collect());
        }
        if let Some(variables) = &self.environment {
            shown.insert("Environment".into(), json!({"Variables": variables}));
        }
        shown
    }
}
