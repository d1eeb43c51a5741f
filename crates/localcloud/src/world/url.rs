//! A Function URL's settings.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wire::date::{self, Millis};

/// A URL on a function or on one of its aliases.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Url {
    pub(crate) id: String,
    /// The loopback port, kept as long as the URL exists.
    pub(crate) port: u16,
    pub(crate) auth: String,
    pub(crate) mode: String,
    pub(crate) cors: Option<Cors>,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
}

/// What browsers of other origins may do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Cors {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_credentials: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_origins: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expose_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u32>,
}

impl Url {
    /// Whether answers are streamed.
    pub(crate) fn streams(&self) -> bool {
        self.mode == "RESPONSE_STREAM"
    }

    /// Its configuration as the API shows it.
    pub(crate) fn describe(&self, arn: &str) -> Value {
        let mut shown = json!({
            "FunctionUrl": format!("http://127.0.0.1:{}/", self.port),
            "FunctionArn": arn,
            "AuthType": self.auth,
            "InvokeMode": self.mode,
            "CreationTime": date::url(self.created),
            "LastModifiedTime": date::url(self.modified),
        });
        if let Some(cors) = &self.cors {
            shown["Cors"] = json!(cors);
        }
        shown
    }
}
