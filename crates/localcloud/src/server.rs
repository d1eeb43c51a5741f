//! The API's listener: which requests are allowed, and what every response contains.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::cloud::Cloud;
use crate::net::body::{self, BodyError, Payload};
use crate::net::guard;
use crate::net::head_timeout::{HeadTimeout, Requests};
use crate::random;
use crate::services::call::Call;
use crate::services::{self, ServiceEntry, download};
use crate::signature::{Authorization, SignatureError};
use crate::wire::error::{Body, Fault, Protocol};

/// Accepts until it is dropped.
pub(crate) async fn accept(cloud: Arc<Cloud>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors: other connections have to end first.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let serving = cloud.clone();
        cloud.connections.serve(async move {
            let requests = Requests::default();
            let stream = HeadTimeout::new(stream, &requests, serving.host.options.head_timeout);
            let service = service_fn(move |request| {
                let (cloud, pending) = (serving.clone(), requests.begin(&request));
                async move { Ok::<_, std::convert::Infallible>(pending.until_sent(serve(cloud, request).await)) }
            });
            // There is nothing to do if a connection breaks.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(cloud: Arc<Cloud>, request: Request<Incoming>) -> Response<Body> {
    let request_id = random::uuid();
    let service = services::service(request.headers());
    let protocol = service.protocol();
    let mut answer = match enter(cloud, service, request, &request_id).await {
        Ok(answer) => answer,
        Err(fault) => fault.answer(protocol, &request_id),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        let name = if protocol == Protocol::RestXml { "x-amz-request-id" } else { "x-amzn-requestid" };
        answer.headers_mut().insert(name, id);
    }
    answer
}

async fn enter(
    cloud: Arc<Cloud>,
    service: &ServiceEntry,
    request: Request<Incoming>,
    request_id: &str,
) -> Result<Response<Body>, Fault> {
    let largest = service.largest;
    let guarded = guard::api(&request).map_err(|message| Fault::new(403, "AccessDeniedException", message));
    let (parts, body) = request.into_parts();
    // A request whose headers show that it must be refused is refused before its body is read.
    let authorization = match guarded.and_then(|()| admit(&cloud, &parts).map_err(|error| refused(error, service))) {
        Ok(Some(authorization)) => authorization,
        Ok(None) => {
            return download::answer(&cloud.host.store, &parts, download::asked(&parts).unwrap_or_default()).await;
        }
        Err(fault) => {
            body::discard(&parts.headers, body, largest);
            return Err(fault);
        }
    };
    let payload = Payload::read(body, largest, &cloud.host.store.data.run()).await;
    let payload = payload.map_err(|error| no_body(error, largest, &parts))?;
    let caller = authorization
        .caller(&parts, Some(&payload.digest), &cloud.host.store)
        .map_err(|error| refused(error, service))?;
    let body = payload.load().await.map_err(Fault::internal)?;
    if authorization.service != service.name {
        let (name, method, path) = (&authorization.service, &parts.method, parts.uri.path());
        let message = format!("the local cloud has no service `{name}`: {method} {path}");
        return Err(Fault::new(400, "UnknownOperationException", message));
    }
    let (region, request_id) = (authorization.region, request_id.to_owned());
    service.answer(Call::new(cloud, service.name, (parts, body), caller, region, request_id)).await
}

/// The signature of a request, as far as it can be verified without the body; `None` for a download, whose address is
/// signed instead.
fn admit(cloud: &Cloud, parts: &Parts) -> Result<Option<Authorization>, SignatureError> {
    if download::asked(parts).is_some() {
        return Ok(None);
    }
    let authorization = Authorization::read(&parts.headers)?;
    authorization.caller(parts, None, &cloud.host.store)?;
    Ok(Some(authorization))
}

fn no_body(error: BodyError, largest: usize, parts: &Parts) -> Fault {
    let error = match error {
        BodyError::Incomplete(error) => error,
        BodyError::TooLarge => {
            let path = parts.uri.path();
            let operation = match path.rsplit('/').next() {
                Some("functions") => "CreateFunction ",
                Some("code") => "UpdateFunctionCode ",
                Some("versions") if path.contains("/layers/") => "PublishLayerVersion ",
                _ => "",
            };
            let message = format!("Request must be smaller than {largest} bytes for the {operation}operation");
            return Fault::new(413, "RequestEntityTooLargeException", message);
        }
    };
    Fault::new(400, "RequestBodyIncomplete", format!("the request's body ended early: {error}"))
}

/// A signature error in the words of the service's protocol.
fn refused(error: SignatureError, service: &ServiceEntry) -> Fault {
    let query = matches!(service.protocol(), Protocol::Query { .. });
    let (code, query_code, message) = match error {
        SignatureError::Missing => {
            ("MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing Authentication Token")
        }
        SignatureError::Incomplete => {
            ("IncompleteSignatureException", "IncompleteSignature", "The Authorization header is incomplete.")
        }
        SignatureError::UnknownKey => (
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        SignatureError::SessionExpired => {
            ("ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired")
        }
        SignatureError::Expired => (
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "Signature expired: the date is more than 15 minutes away.",
        ),
        SignatureError::Mismatch => (
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        ),
    };
    Fault::new(service.refusal, if query { query_code } else { code }, message)
}
