//! The fields of a Function URL's event (payload format 2.0) that this function uses.

use http::Method;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    raw_path: String,
    raw_query_string: String,
    request_context: RequestDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RequestDetails {
    http: Http,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Http {
    method: String,
}

impl Request {
    pub fn path(&self) -> &str {
        &self.raw_path
    }

    /// The request's method. An invalid one counts as `GET`, but Lambda never sends one.
    pub fn method(&self) -> Method {
        self.request_context.http.method.parse().unwrap_or_default()
    }

    /// The first value of a query parameter, decoded. It may be empty.
    pub fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.raw_query_string.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}
