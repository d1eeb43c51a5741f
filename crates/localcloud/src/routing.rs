//! From a request to the service that answers it: the one table of services.

use futures_util::future::BoxFuture;
use http::{HeaderMap, Response, header};
use serde_json::Value;

use crate::services::call::Call;
use crate::services::form::Form;
use crate::services::response::{blocking, typed};
use crate::services::{iam, lambda, logs, s3, secretsmanager, ssm, sts};
use crate::signature::Authorization;
use crate::wire::error::{Body, Fault, Protocol};
use crate::wire::xml;

/// The largest request of Lambda, which no other service but S3 exceeds: a 50 MB zip in base64, and the other members.
const LARGEST: usize = 70_167_211;

/// One service in the table.
pub(crate) struct ServiceEntry {
    /// The name that requests are signed for.
    pub(crate) name: &'static str,
    /// The largest request, in bytes.
    pub(crate) largest: usize,
    api: Api,
}

/// The protocol of a service, and what answers its requests.
enum Api {
    /// A form with an `Action`, answered in XML of a namespace.
    Query {
        namespace: &'static str,
        answer: fn(&Call, &str, &Form) -> Result<Value, Fault>,
    },
    /// JSON with an `X-Amz-Target` of a prefix and the action.
    Json11 {
        target: &'static str,
        answer: fn(&Call, &str) -> Result<Value, Fault>,
    },
    RestJson {
        answer: fn(Call) -> BoxFuture<'static, Result<Response<Body>, Fault>>,
    },
    RestXml {
        answer: fn(&Call) -> Result<Response<Body>, Fault>,
    },
}

/// All services.
static SERVICES: [ServiceEntry; 7] = [
    ServiceEntry {
        name: "sts",
        largest: LARGEST,
        api: Api::Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/", answer: sts::answer },
    },
    ServiceEntry {
        name: "iam",
        largest: LARGEST,
        api: Api::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/", answer: iam::answer },
    },
    ServiceEntry { name: "logs", largest: LARGEST, api: Api::Json11 { target: "Logs_20140328", answer: logs::answer } },
    ServiceEntry { name: "ssm", largest: LARGEST, api: Api::Json11 { target: "AmazonSSM", answer: ssm::answer } },
    ServiceEntry {
        name: "secretsmanager",
        largest: LARGEST,
        api: Api::Json11 { target: "secretsmanager", answer: secretsmanager::answer },
    },
    ServiceEntry {
        name: "lambda",
        largest: LARGEST,
        api: Api::RestJson { answer: |call| Box::pin(lambda::answer(call)) },
    },
    ServiceEntry { name: "s3", largest: s3::LARGEST, api: Api::RestXml { answer: s3::answer } },
];

impl ServiceEntry {
    /// A service by the name that requests are signed for.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name)
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Those of the operation.
    pub(crate) async fn answer(&self, call: Call) -> Result<Response<Body>, Fault> {
        match self.api {
            Api::Query { namespace, answer } => blocking(move || query(&call, namespace, answer)).await,
            Api::Json11 { target, answer } => blocking(move || json11(&call, target, answer)).await,
            Api::RestJson { answer } => answer(call).await,
            Api::RestXml { answer } => blocking(move || answer(&call)).await,
        }
    }

    fn protocol(&self) -> Protocol {
        match self.api {
            Api::Query { namespace, .. } => Protocol::Query { namespace },
            Api::Json11 { .. } => Protocol::Json11,
            Api::RestJson { .. } => Protocol::RestJson,
            Api::RestXml { .. } => Protocol::RestXml,
        }
    }
}

/// The service that a request is signed for.
fn signed_for(headers: &HeaderMap) -> Option<&'static ServiceEntry> {
    ServiceEntry::find(&Authorization::read(headers).ok()?.service)
}

/// The protocol of a request, whether it is signed or not.
pub(crate) fn protocol(headers: &HeaderMap) -> Protocol {
    let is_form = |kind: &header::HeaderValue| kind.as_bytes().starts_with(b"application/x-www-form");
    match signed_for(headers) {
        Some(service) => service.protocol(),
        None if headers.contains_key("x-amz-target") => Protocol::Json11,
        // Any service of the Query protocol would do.
        None if headers.get(header::CONTENT_TYPE).is_some_and(is_form) => SERVICES[0].protocol(),
        None => Protocol::RestJson,
    }
}

/// The most bytes that a request may have.
pub(crate) fn largest(headers: &HeaderMap) -> usize {
    signed_for(headers).map_or(LARGEST, |service| service.largest)
}

fn query(
    call: &Call,
    namespace: &str,
    answer: fn(&Call, &str, &Form) -> Result<Value, Fault>,
) -> Result<Response<Body>, Fault> {
    let form = Form::parse(&call.body);
    let action = form.get("Action").unwrap_or_default();
    let result = answer(call, action, &form)?;
    let mut document = serde_json::Map::new();
    if !result.is_null() {
        document.insert(format!("{action}Result"), result);
    }
    document.insert("ResponseMetadata".into(), serde_json::json!({"RequestId": call.request_id}));
    Ok(typed(xml::document(&format!("{action}Response"), namespace, &Value::Object(document)), "text/xml"))
}

fn json11(call: &Call, target: &str, answer: fn(&Call, &str) -> Result<Value, Fault>) -> Result<Response<Body>, Fault> {
    let given = call.header("x-amz-target").unwrap_or_default();
    let action = given.strip_prefix(target).and_then(|rest| rest.strip_prefix('.')).unwrap_or(given);
    let result = answer(call, action)?;
    let text = if result.is_null() { String::new() } else { result.to_string() };
    Ok(typed(text, "application/x-amz-json-1.1"))
}
