//! Function URLs: a loopback port each, from an HTTP request to an event and back.

mod answer;
mod cors;
mod door;
mod event;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use serde_json::json;

pub(crate) use door::{Door, Doors, open, reopen, reopen_one};

use crate::cloud::{Cloud, millis};
use crate::guard;
use crate::payload::{self, Broken, Payload};
use crate::sandbox::{self, Blueprint};
use crate::sign::{Caller, Scope};
use crate::wire::date;
use crate::wire::error::{Body, Fault, full};
use crate::world::function::Function;
use crate::world::url::Url;

/// The largest request and event.
const LARGEST: usize = 6 * 1024 * 1024;

/// What stands behind a URL at one moment.
struct Behind {
    url: Url,
    /// Whether anybody may come in.
    public: bool,
    blueprint: Option<Blueprint>,
    not_active: Option<&'static str>,
}

/// Why a request gets no answer of the function's.
enum Refusal {
    /// It is for another host.
    Foreign(String),
    Forbidden,
    TooLarge,
    Broken,
    Throttled(Fault),
    /// With what is said of it here alone.
    Failed(String),
}

fn behind(cloud: &Cloud, door: &Door) -> Option<Behind> {
    let lag = millis(cloud.options.url_permission_lag);
    cloud.read(|world| {
        let function = world.regions.get(&door.region)?.functions.get(&door.function)?;
        let url = function.urls.get(&door.qualifier)?.clone();
        let public = function.policies.get(&door.qualifier).is_some_and(|policy| policy.opens_url(date::now(), lag));
        let version = version(function, &door.qualifier).and_then(|number| function.version(&number));
        let blueprint = version.map(|version| Blueprint::of(&cloud.data, function, version, &door.qualifier));
        Some(Behind { url, public, blueprint, not_active: version.and_then(|version| version.not_active()) })
    })
}

/// The version for one request: an alias may share them out. A deleted alias has none.
fn version(function: &Function, qualifier: &str) -> Option<String> {
    if qualifier.is_empty() {
        return Some(crate::world::function::LATEST.to_owned());
    }
    Some(function.aliases.get(qualifier)?.choose(rand::random()).to_owned())
}

/// Answers one request; whatever happens there is an answer.
async fn serve(cloud: Arc<Cloud>, door: Arc<Door>, source: IpAddr, request: Request<Incoming>) -> Response<Body> {
    if !cloud.options.public_hosts
        && let Err(message) = guard::url(&request)
    {
        let (parts, body) = request.into_parts();
        payload::discard(&parts.headers, body, LARGEST);
        return refuse(Refusal::Foreign(message));
    }
    let request_id = uuid::Uuid::new_v4().to_string();
    let trace = sandbox::trace();
    let origin = request.headers().get("origin").cloned();
    let behind = behind(&cloud, &door);
    let cors = behind.as_ref().and_then(|behind| behind.url.cors.clone());
    let preflight = cors.as_ref().and_then(|cors| cors::preflight(cors, &request));
    let mut answer = match (preflight, behind) {
        (Some(answer), _) => answer,
        (None, None) => refuse(Refusal::Forbidden),
        (None, Some(behind)) => {
            let ticket = Ticket { cloud, door, source, request_id: request_id.clone(), trace: trace.clone() };
            ticket.run(behind, request).await.unwrap_or_else(refuse)
        }
    };
    if let (Some(cors), Some(origin)) = (&cors, &origin) {
        cors::apply(cors, origin, answer.headers_mut());
    }
    for (name, value) in [("x-amzn-requestid", request_id), ("x-amzn-trace-id", trace)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// One request on its way through.
struct Ticket {
    cloud: Arc<Cloud>,
    door: Arc<Door>,
    source: IpAddr,
    request_id: String,
    trace: String,
}

impl Ticket {
    async fn run(&self, behind: Behind, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        let (body, caller) = self.admit(&behind, &parts, body).await?;
        let blueprint = behind.blueprint.ok_or(Refusal::Forbidden)?;
        if let Some(state) = behind.not_active {
            return Err(self.failed(format!("version {} is {state}", blueprint.number)));
        }
        let event = event::build(self, &behind.url, &parts, &body, caller.as_ref());
        // Base64 makes a third more of what is not text.
        if event.len() > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let mut order = sandbox::Request::new(self.request_id.clone(), event);
        order.trace.clone_from(&self.trace);
        let run = sandbox::invoke(&self.cloud, blueprint, order).await.map_err(|fault| {
            if fault.status == 429 {
                return Refusal::Throttled(fault);
            }
            self.failed(fault.message)
        })?;
        answer::carry(self, &behind.url, &parts.method, run.outcome).await
    }

    /// The body of a request that may come in, and who signed it. One that may not is refused before its body is read, as
    /// far as its headers show it.
    async fn admit(&self, behind: &Behind, parts: &Parts, body: Incoming) -> Result<(Bytes, Option<Caller>), Refusal> {
        let signed = behind.url.auth == "AWS_IAM";
        let is_open = signed || (behind.public && !self.cloud.options.block_public);
        if !is_open || (signed && self.caller(parts, None).is_none()) {
            payload::discard(&parts.headers, body, LARGEST);
            return Err(Refusal::Forbidden);
        }
        let broken = |broken| match broken {
            Broken::TooLarge => Refusal::TooLarge,
            Broken::Incomplete(_) => Refusal::Broken,
        };
        if !signed {
            return Ok((payload::unsigned(body, LARGEST).await.map_err(broken)?, None));
        }
        let payload = Payload::read(body, LARGEST, &self.cloud.data.run()).await.map_err(broken)?;
        let caller = self.caller(parts, Some(&payload.digest)).ok_or(Refusal::Forbidden)?;
        Ok((payload.load().await.map_err(|_| Refusal::Broken)?, Some(caller)))
    }

    /// Who signed the request; `digest` is its body's, once that is there.
    fn caller(&self, parts: &Parts, digest: Option<&str>) -> Option<Caller> {
        let scope = Scope::read(&parts.headers)
            .ok()
            .filter(|scope| scope.service == "lambda" && scope.region == self.door.region)?;
        scope.caller(parts, digest, &self.cloud).ok()
    }

    /// Tells of a failure, in `cloud.log` and to the client.
    fn failed(&self, why: String) -> Refusal {
        self.loud(&why);
        Refusal::Failed(why)
    }

    /// A line in `cloud.log`.
    fn loud(&self, line: &str) {
        let Door { function, qualifier, .. } = &*self.door;
        self.cloud.note(&format!("{function}:{qualifier} url, request {}: {line}", self.request_id));
    }
}

/// A refusal in the words of AWS.
fn refuse(refusal: Refusal) -> Response<Body> {
    let (status, kind, body) = match refusal {
        Refusal::Forbidden => (
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            json!({"Message": "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}),
        ),
        Refusal::Foreign(message) => (StatusCode::FORBIDDEN, "AccessDeniedException", json!({"Message": message})),
        Refusal::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLargeException",
            json!({"Message": "Request Entity Too Large"}),
        ),
        Refusal::Broken => (StatusCode::BAD_REQUEST, "BadRequestException", json!({"Message": "Bad Request"})),
        Refusal::Throttled(fault) => {
            let reason = fault.more.map(|(_, reason)| reason);
            (
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                json!({"Reason": reason, "Type": "User", "message": fault.message}),
            )
        }
        // AWS says the first alone: who asks here would have to look for the log.
        Refusal::Failed(why) => (
            StatusCode::BAD_GATEWAY,
            "InternalServerErrorException",
            json!({"Message": "Internal Server Error", "LocalCloud": why}),
        ),
    };
    let mut answer = Response::new(full(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    answer
}
