//! The settings of a Function URL.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Millis;
use crate::wire::date;

/// A URL on a function or on one of its aliases.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Url {
    pub(crate) id: String,
    /// The loopback port, kept as long as the URL exists.
    pub(crate) port: u16,
    pub(crate) auth: String,
    /// `None` until one is set.
    pub(crate) mode: Option<String>,
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
        self.mode.as_deref() == Some("RESPONSE_STREAM")
    }

    /// Its configuration as creating and updating return it: with the members that were set.
    pub(crate) fn describe(&self, arn: &str) -> Value {
        let mut shown = json!({
            "FunctionUrl": format!("http://127.0.0.1:{}/", self.port),
            "FunctionArn": arn,
            "AuthType": self.auth,
            "CreationTime": date::url(self.created),
            "LastModifiedTime": date::url(self.modified),
        });
        if let Some(mode) = &self.mode {
            shown["InvokeMode"] = json!(mode);
        }
        if let Some(cors) = &self.cors {
            shown["Cors"] = json!(cors);
        }
        shown
    }

    /// The same with the default mode, which reading returns and creating does not.
    pub(crate) fn whole(&self, arn: &str) -> Value {
        let mut shown = self.describe(arn);
        shown["InvokeMode"] = json!(self.mode.as_deref().unwrap_or("BUFFERED"));
        shown
    }
}
