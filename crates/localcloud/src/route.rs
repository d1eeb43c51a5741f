//! From a request to the service that answers it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cloud::{Cloud, lock};
use crate::sign::{Caller, Scope};
use crate::uses::Use;
use crate::wire::error::{Body, Fault, Protocol, full};
use crate::wire::xml;
use crate::{iam, lambda, logs, s3, secretsmanager, ssm, sts};

const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const IAM: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// One authenticated request.
pub(crate) struct Call {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) parts: http::request::Parts,
    pub(crate) body: Bytes,
    pub(crate) caller: Caller,
    pub(crate) region: String,
    pub(crate) request_id: String,
    /// What must not be deleted while this request is answered.
    pub(crate) uses: std::sync::Mutex<Vec<Use>>,
}

impl Call {
    /// Keeps unpacked code until this request is answered.
    pub(crate) fn uses_code(&self, digest: &str) {
        let begun = self.cloud.data.uses.begin(self.cloud.data.code(digest));
        lock(&self.uses).push(begun);
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.query_all(name).into_iter().next()
    }

    /// All values of a query parameter.
    pub(crate) fn query_all(&self, name: &str) -> Vec<String> {
        query(&self.parts.uri, name)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// The JSON body in the shape an operation takes.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
    }
}

/// All values of a query parameter.
pub(crate) fn query(uri: &http::Uri, name: &str) -> Vec<String> {
    let query = uri.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    pairs.map(|(_, value)| value.into_owned()).collect()
}

/// The protocol of a request, also of one that nobody signed.
pub(crate) fn protocol(headers: &HeaderMap) -> Protocol {
    match Scope::read(headers).map(|scope| scope.service).as_deref() {
        Ok("sts") => Protocol::Query { namespace: STS },
        Ok("s3") => Protocol::RestXml,
        Ok("iam") => Protocol::Query { namespace: IAM },
        Ok("logs" | "ssm" | "secretsmanager") => Protocol::Json11,
        _ if headers.contains_key("x-amz-target") => Protocol::Json11,
        _ if headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form")) =>
        {
            Protocol::Query { namespace: STS }
        }
        _ => Protocol::RestJson,
    }
}

/// Answers by service.
pub(crate) async fn answer(call: Call, service: &str) -> Result<Response<Body>, Fault> {
    match service {
        "sts" => blocking(move || form(&call, STS, sts::answer)).await,
        "iam" => blocking(move || form(&call, IAM, iam::answer)).await,
        "logs" => blocking(move || json11(&call, "Logs_20140328", logs::answer)).await,
        "ssm" => blocking(move || json11(&call, "AmazonSSM", ssm::answer)).await,
        "secretsmanager" => blocking(move || json11(&call, "secretsmanager", secretsmanager::answer)).await,
        "s3" => blocking(move || s3::answer(&call)).await,
        "lambda" => lambda::answer(call).await,
        other => Err(Fault::new(
            400,
            "UnknownOperationException",
            format!("the local cloud has no service `{other}`: {} {}", call.parts.method, call.parts.uri.path()),
        )),
    }
}

/// Calls write to disk: they run where waiting for it holds up nobody's stream.
pub(crate) async fn blocking(
    work: impl FnOnce() -> Result<Response<Body>, Fault> + Send + 'static,
) -> Result<Response<Body>, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
}

/// The fields of a Query request.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// A field that may be absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A field that has to be there.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Fault::new(400, "ValidationError", format!("1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"))
        })
    }

    /// `NAME.member.1`, `NAME.member.2` and so on, each with a suffix.
    pub(crate) fn members(&self, name: &str, suffix: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}{suffix}")).map(str::to_owned)).collect()
    }
}

fn form(
    call: &Call,
    namespace: &str,
    answer: fn(&Call, &str, &Form) -> Result<Value, Fault>,
) -> Result<Response<Body>, Fault> {
    let form = Form(form_urlencoded::parse(&call.body).into_owned().collect());
    let action = form.get("Action").unwrap_or_default();
    let result = answer(call, action, &form)?;
    let mut document = serde_json::Map::new();
    if !result.is_null() {
        document.insert(format!("{action}Result"), result);
    }
    document.insert("ResponseMetadata".into(), serde_json::json!({"RequestId": call.request_id}));
    let text = xml::document(&format!("{action}Response"), namespace, &Value::Object(document));
    Ok(with_type(Response::new(full(text)), "text/xml"))
}

fn json11(call: &Call, prefix: &str, answer: fn(&Call, &str) -> Result<Value, Fault>) -> Result<Response<Body>, Fault> {
    let target = call.header("x-amz-target").unwrap_or_default();
    let action = target.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(target);
    let result = answer(call, action)?;
    let text = if result.is_null() { String::new() } else { result.to_string() };
    Ok(with_type(Response::new(full(text)), "application/x-amz-json-1.1"))
}

/// A JSON answer of a REST service.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut answer = with_type(Response::new(full(value.to_string())), "application/json");
    *answer.status_mut() = status;
    answer
}

fn with_type(mut answer: Response<Body>, content_type: &'static str) -> Response<Body> {
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The error for an operation that this cloud does not have.
pub(crate) fn unknown(code: &str, operation: &str) -> Fault {
    Fault::new(400, code, format!("the local cloud does not have the operation `{operation}`"))
}

/// One page of a list that is in the order of its keys: its items and the marker of the next page. The marker is the last
/// item's key, so that what is deleted meanwhile shifts nothing; `None` for one that this cloud never gave out.
pub(crate) fn page(
    items: Vec<Value>,
    key: impl Fn(&Value) -> String,
    marker: Option<&str>,
    most: usize,
) -> Option<(Vec<Value>, Option<String>)> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let from = match marker {
        None | Some("") => 0,
        Some(marker) => {
            let last = String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok()?;
            let there = items.iter().position(|item| key(item) == last).map(|at| at + 1);
            there.or_else(|| items.iter().position(|item| key(item) > last)).unwrap_or(items.len())
        }
    };
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(from).take(most.max(1)).collect();
    let next = page.last().filter(|_| from + page.len() < total).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    Some((page, next))
}

/// A member of an item, as its key.
pub(crate) fn member(name: &'static str) -> impl Fn(&Value) -> String {
    move |item| item[name].as_str().unwrap_or_default().to_owned()
}
