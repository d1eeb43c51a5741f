//! The few fields of a Function URL's event (payload format 2.0) that this function reads.

use http::Method;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    raw_path: String,
    raw_query_string: String,
    request_context: Circumstances,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Circumstances {
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

    /// The request's method; one that HTTP does not know counts as `GET`, and Lambda sends none.
    pub fn method(&self) -> Method {
        self.request_context.http.method.parse().unwrap_or_default()
    }

    /// The first value of a query parameter, decoded; an empty value is a value.
    pub fn query(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.raw_query_string.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}
