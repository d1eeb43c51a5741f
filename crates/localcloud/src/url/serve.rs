//! Serves one request to a URL: who may send it, what the function gets, what the client gets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, request::Parts};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::listener::UrlListener;
use super::request::{Refusal, UrlRequest};
use super::{answer, cors, event};
use crate::clock::{self, millis};
use crate::net::body::{self, BodyError, Payload};
use crate::net::guard;
use crate::random;
use crate::sandbox::{self, Host, INSTANCE, InstanceSpec, NEW};
use crate::signature::{Authorization, Caller};
use crate::wire::error::{Body, Fault};
use crate::world::function::Function;
use crate::world::url::Url;
use crate::world::version::LATEST;

/// The largest request and event.
const LARGEST: usize = 6 * 1024 * 1024;

/// What answers a URL at one moment.
struct Backend {
    url: Url,
    /// Whether requests need no signature.
    is_public: bool,
    /// `None` if the alias has been deleted.
    spec: Option<InstanceSpec>,
    /// Whether it can be invoked.
    invocable: Result<(), Fault>,
    /// Whether it has to be restored first.
    inactive: bool,
}

impl Backend {
    /// `None` if the URL has been deleted.
    fn find(host: &Host, listener: &UrlListener) -> Option<Self> {
        let lag = millis(host.options.url_permission_lag);
        host.store.read(|world| {
            let function = world.regions.get(&listener.region)?.functions.get(&listener.function)?;
            let url = function.urls.get(&listener.qualifier)?.clone();
            let policy = function.policies.get(&listener.qualifier);
            let is_public = policy.is_some_and(|policy| policy.opens_url(clock::now(), lag));
            let version = version(function, &listener.qualifier).and_then(|number| function.version(&number));
            let spec =
                version.map(|version| InstanceSpec::new(&host.store.data, function, version, &listener.qualifier));
            let invocable = version.map_or(Ok(()), |version| version.expect_invocable());
            let inactive = version.is_some_and(|version| version.inactive);
            Some(Self { url, is_public, spec, invocable, inactive })
        })
    }
}

/// The version for one request: an alias may have two. A deleted alias has none.
fn version(function: &Function, qualifier: &str) -> Option<String> {
    if qualifier.is_empty() {
        return Some(LATEST.to_owned());
    }
    Some(function.aliases.get(qualifier)?.choose(rand::random()).to_owned())
}

/// Answers one request, whatever happens.
pub(super) async fn serve(
    host: Arc<Host>,
    listener: Arc<UrlListener>,
    source: IpAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    if !host.options.public_hosts
        && let Err(message) = guard::url(&request)
    {
        let (parts, body) = request.into_parts();
        body::discard(&parts.headers, body, LARGEST);
        return Refusal::WrongHost(message).answer();
    }
    let request_id = random::uuid();
    let trace = sandbox::trace();
    let origin = request.headers().get("origin").cloned();
    let new_instance = request.headers().get(INSTANCE).is_some_and(|value| value == NEW);
    let backend = Backend::find(&host, &listener);
    let cors = backend.as_ref().and_then(|backend| backend.url.cors.clone());
    let preflight = cors.as_ref().and_then(|cors| cors::preflight(cors, &request));
    let mut answer = match (preflight, backend) {
        (Some(answer), _) => answer,
        (None, None) => Refusal::Forbidden.answer(),
        (None, Some(backend)) => {
            let (request_id, trace) = (request_id.clone(), trace.clone());
            let streams = backend.url.streams();
            let url_request = UrlRequest { host, listener, source, request_id, trace, streams, new_instance };
            url_request.run(backend, request).await.unwrap_or_else(Refusal::answer)
        }
    };
    if let (Some(cors), Some(origin)) = (&cors, &origin) {
        cors::apply(cors, origin, answer.headers_mut());
    }
    if new_instance {
        answer.headers_mut().insert(INSTANCE, HeaderValue::from_static(NEW));
    }
    for (name, value) in [("x-amzn-requestid", request_id), ("x-amzn-trace-id", trace)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

impl UrlRequest {
    async fn run(&self, backend: Backend, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        let (body, caller) = self.admit(&backend, &parts, body).await?;
        let spec = backend.spec.ok_or(Refusal::Forbidden)?;
        if backend.inactive {
            let fault = self.host.wake((spec.region, spec.function, spec.number)).await;
            return Err(self.failed(format!("{}: {}", fault.code, fault.message)));
        }
        backend.invocable.map_err(|fault| self.failed(format!("version {}: {}", spec.number, fault.message)))?;
        let event = event::build(self, &backend.url, &parts, &body, caller.as_ref());
        // The event may be too large although the request is not: base64 adds a third to binary bodies.
        if event.len() > LARGEST {
            return Err(Refusal::TooLarge);
        }
        let timeout = Duration::from_secs(spec.configuration.timeout.into());
        let open_until = self.host.options.open_bodyless.then(|| Instant::now() + timeout);
        let mut request = sandbox::Request::new(self.request_id.clone(), event);
        request.trace.clone_from(&self.trace);
        request.new_instance = self.new_instance;
        let invocation = sandbox::invoke(&self.host, spec, request).await.map_err(|fault| {
            if fault.status == 429 {
                return Refusal::Throttled(fault);
            }
            self.failed(fault.message)
        })?;
        answer::convert(self, &backend.url, &parts.method, invocation.outcome, open_until).await
    }

    /// The body of a request that is allowed, and who signed it. One that is not allowed is refused before its body is
    /// read, if its headers show it.
    async fn admit(
        &self,
        backend: &Backend,
        parts: &Parts,
        body: Incoming,
    ) -> Result<(Bytes, Option<Caller>), Refusal> {
        let needs_signature = backend.url.auth == "AWS_IAM";
        let is_open = needs_signature || (backend.is_public && !self.host.options.block_public);
        if !is_open || (needs_signature && self.caller(parts, None).is_none()) {
            body::discard(&parts.headers, body, LARGEST);
            return Err(Refusal::Forbidden);
        }
        let refusal = |error| match error {
            BodyError::TooLarge => Refusal::TooLarge,
            BodyError::Incomplete(_) => Refusal::Incomplete,
        };
        if !needs_signature {
            return Ok((body::unsigned(body, LARGEST).await.map_err(refusal)?, None));
        }
        let payload = Payload::read(body, LARGEST, &self.host.store.data.run()).await.map_err(refusal)?;
        let caller = self.caller(parts, Some(&payload.digest)).ok_or(Refusal::Forbidden)?;
        Ok((payload.load().await.map_err(|_| Refusal::Incomplete)?, Some(caller)))
    }

    /// Who signed the request. `digest` is its body's, if that has arrived.
    fn caller(&self, parts: &Parts, digest: Option<&str>) -> Option<Caller> {
        let authorization = Authorization::read(&parts.headers).ok()?;
        if authorization.service != "lambda" || authorization.region != self.listener.region {
            return None;
        }
        authorization.caller(parts, digest, &self.host.store).ok()
    }
}
