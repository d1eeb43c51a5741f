//! AWS's services, side by side: what their operations take, refuse and answer, and which service answers a request.
//! No service uses another one.

pub(crate) mod call;
pub(crate) mod download;
pub(crate) mod form;
mod iam;
mod lambda;
mod logs;
mod paging;
mod response;
mod s3;
mod secretsmanager;
mod ssm;
mod sts;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Response};
use serde_json::Value;

use crate::signature::Authorization;
use crate::wire::error::{Body, Fault, Protocol};
use crate::wire::xml;
use call::Call;
use form::Form;
use response::{blocking, typed};

/// The largest request of Lambda, which no other service but S3 exceeds: a 50 MB zip in base64, and the other members.
const LARGEST: usize = 70_167_211;

/// One service in the table.
pub(crate) struct ServiceEntry {
    /// The name that requests are signed for.
    pub(crate) name: &'static str,
    /// The largest request, in bytes.
    pub(crate) largest: usize,
    /// The status of the answer if a signature is missing or wrong.
    pub(crate) refusal: u16,
    api: Api,
}

/// The protocol of a service, and what answers its requests.
enum Api {
    /// A form with an `Action`, answered in XML of a namespace.
    Query {
        namespace: &'static str,
        answer: fn(&Call, &str, &Form) -> Result<Value, Fault>,
    },
    /// JSON of a version, with an `X-Amz-Target` of a prefix and the action.
    Json {
        content_type: &'static str,
        target: &'static str,
        /// As in [`Protocol::Json`].
        capital: &'static [&'static str],
        answer: fn(Call, String) -> BoxFuture<'static, Result<Value, Fault>>,
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
        refusal: 403,
        api: Api::Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/", answer: sts::answer },
    },
    ServiceEntry {
        name: "iam",
        largest: LARGEST,
        refusal: 403,
        api: Api::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/", answer: iam::answer },
    },
    ServiceEntry {
        name: "logs",
        largest: LARGEST,
        refusal: 400,
        api: Api::Json {
            content_type: "application/x-amz-json-1.1",
            target: "Logs_20140328.",
            capital: &[],
            answer: |call, action| Box::pin(blocking(move || logs::answer(&call, &action))),
        },
    },
    ServiceEntry {
        name: "ssm",
        largest: LARGEST,
        refusal: 400,
        api: Api::Json {
            content_type: "application/x-amz-json-1.1",
            target: "AmazonSSM.",
            capital: &[],
            answer: |call, action| Box::pin(blocking(move || ssm::answer(&call, &action))),
        },
    },
    ServiceEntry {
        name: "secretsmanager",
        largest: LARGEST,
        refusal: 400,
        api: Api::Json {
            content_type: "application/x-amz-json-1.1",
            target: "secretsmanager.",
            capital: secretsmanager::MODELLED,
            answer: |call, action| Box::pin(blocking(move || secretsmanager::answer(&call, &action))),
        },
    },
    ServiceEntry {
        name: "lambda",
        largest: LARGEST,
        refusal: 403,
        api: Api::RestJson { answer: |call| Box::pin(lambda::answer(call)) },
    },
    ServiceEntry { name: "s3", largest: s3::LARGEST, refusal: 403, api: Api::RestXml { answer: s3::answer } },
];

/// The service that a request is signed for or, if it is not signed or for none of the table, the one that it looks most
/// like: that service's protocol and limits apply until the signature is verified.
pub(crate) fn service(headers: &HeaderMap) -> &'static ServiceEntry {
    let signed_for = Authorization::read(headers).ok().map(|authorization| authorization.service);
    let likeness = |service: &&ServiceEntry| match signed_for.as_deref() {
        Some(name) if name == service.name => u8::MAX,
        _ => service.likeness(headers),
    };
    // Of several that are alike, the first counts.
    SERVICES.iter().rev().max_by_key(likeness).unwrap_or(&SERVICES[0])
}

impl ServiceEntry {
    /// How much a request looks like one of this service.
    fn likeness(&self, headers: &HeaderMap) -> u8 {
        let begins = |name: &str, with: &str| {
            headers.get(name).is_some_and(|value| value.as_bytes().starts_with(with.as_bytes()))
        };
        match self.api {
            Api::Json { target, .. } if begins("x-amz-target", target) => 4,
            Api::Json { .. } if headers.contains_key("x-amz-target") => 3,
            Api::Query { .. } if begins("content-type", "application/x-www-form") => 2,
            Api::RestJson { .. } => 1,
            _ => 0,
        }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Those of the operation.
    pub(crate) async fn answer(&self, call: Call) -> Result<Response<Body>, Fault> {
        match self.api {
            Api::Query { namespace, answer } => blocking(move || query(&call, namespace, answer)).await,
            Api::Json { content_type, target, answer, .. } => {
                let given = call.header("x-amz-target").unwrap_or_default();
                let action = given.strip_prefix(target).unwrap_or(given).to_owned();
                let result = answer(call, action).await?;
                Ok(typed(if result.is_null() { String::new() } else { result.to_string() }, content_type))
            }
            Api::RestJson { answer } => answer(call).await,
            Api::RestXml { answer } => blocking(move || answer(&call)).await,
        }
    }

    /// How this service's errors are returned.
    pub(crate) fn protocol(&self) -> Protocol {
        match self.api {
            Api::Query { namespace, .. } => Protocol::Query { namespace },
            Api::Json { content_type, capital, .. } => Protocol::Json { content_type, capital },
            Api::RestJson { .. } => Protocol::RestJson,
            Api::RestXml { .. } => Protocol::RestXml,
        }
    }
}

fn query(
    call: &Call,
    namespace: &str,
    answer: fn(&Call, &str, &Form) -> Result<Value, Fault>,
) -> Result<Response<Body>, Fault> {
    let form = Form::parse(&call.body);
    let action = form.get("Action").unwrap_or_default();
    let result = answer(call, action, &form)?;
    let metadata = ("ResponseMetadata".to_owned(), serde_json::json!({"RequestId": call.request_id}));
    // SDKs take the first element for the result.
    let result = (!result.is_null()).then(|| (format!("{action}Result"), result));
    let elements: Vec<(String, Value)> = result.into_iter().chain([metadata]).collect();
    Ok(typed(xml::response(&format!("{action}Response"), namespace, &elements), "text/xml"))
}
