//! The API's listener: who may come in, and what every answer carries.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::cloud::Cloud;
use crate::connection::{Punctual, Requests};
use crate::payload::{self, Broken, Payload};
use crate::sign::{Refusal, Scope};
use crate::wire::error::{Body, Fault, Protocol};
use crate::{download, guard, route, s3};

/// The largest request Lambda takes: a 50 MB zip in base64, and some words around it.
const LARGEST: usize = 70_167_211;

/// Accepts until it is dropped.
pub(crate) async fn accept(cloud: Arc<Cloud>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: others must end before there can be a new one.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let ours = cloud.clone();
        cloud.attend(async move {
            let requests = Requests::default();
            let stream = Punctual::new(stream, &requests, ours.options.head_timeout);
            let service = service_fn(move |request| {
                let (cloud, open) = (ours.clone(), requests.begin(&request));
                async move { Ok::<_, std::convert::Infallible>(open.until_sent(serve(cloud, request).await)) }
            });
            // A connection that breaks is the client's affair.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(cloud: Arc<Cloud>, request: Request<Incoming>) -> Response<Body> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let protocol = route::protocol(request.headers());
    let mut answer = match enter(cloud, request, &request_id).await {
        Ok(answer) => answer,
        Err(fault) => fault.answer(protocol, &request_id),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        let name = if protocol == Protocol::RestXml { "x-amz-request-id" } else { "x-amzn-requestid" };
        answer.headers_mut().insert(name, id);
    }
    answer
}

async fn enter(cloud: Arc<Cloud>, request: Request<Incoming>, request_id: &str) -> Result<Response<Body>, Fault> {
    let protocol = route::protocol(request.headers());
    let largest = if protocol == Protocol::RestXml { s3::LARGEST } else { LARGEST };
    let guarded = guard::api(&request).map_err(|message| Fault::new(403, "AccessDeniedException", message));
    let (parts, body) = request.into_parts();
    // What the headers alone give away is refused before the body is read.
    let scope = match guarded.and_then(|()| admit(&cloud, &parts).map_err(|refusal| refused(refusal, protocol))) {
        Ok(Some(scope)) => scope,
        Ok(None) => return download::answer(&cloud, &parts, download::asked(&parts).unwrap_or_default()).await,
        Err(fault) => {
            payload::discard(&parts.headers, body, largest);
            return Err(fault);
        }
    };
    let payload = Payload::read(body, largest, &cloud.data.run()).await;
    let payload = payload.map_err(|broken| no_body(broken, largest, &parts))?;
    let caller = scope.caller(&parts, Some(&payload.digest), &cloud).map_err(|refusal| refused(refusal, protocol))?;
    let body = payload.load().await.map_err(Fault::internal)?;
    let (region, request_id) = (scope.region, request_id.to_owned());
    let call = route::Call { cloud, parts, body, caller, region, request_id, uses: Default::default() };
    route::answer(call, &scope.service).await
}

/// What a request is signed for, as far as that can be judged without its body; none where it asks for an address that
/// carries its own right.
fn admit(cloud: &Cloud, parts: &Parts) -> Result<Option<Scope>, Refusal> {
    if download::asked(parts).is_some() {
        return Ok(None);
    }
    let scope = Scope::read(&parts.headers)?;
    scope.caller(parts, None, cloud)?;
    Ok(Some(scope))
}

fn no_body(broken: Broken, largest: usize, parts: &Parts) -> Fault {
    let error = match broken {
        Broken::Incomplete(error) => error,
        Broken::TooLarge => {
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

/// A refusal in the words of each protocol.
fn refused(refusal: Refusal, protocol: Protocol) -> Fault {
    let query = matches!(protocol, Protocol::Query { .. });
    let status = if protocol == Protocol::Json11 { 400 } else { 403 };
    let (code, query_code, message) = match refusal {
        Refusal::Missing => {
            ("MissingAuthenticationTokenException", "MissingAuthenticationToken", "Missing Authentication Token")
        }
        Refusal::Incomplete => {
            ("IncompleteSignatureException", "IncompleteSignature", "The Authorization header is incomplete.")
        }
        Refusal::UnknownKey => (
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        Refusal::SessionOver => {
            ("ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired")
        }
        Refusal::Expired => (
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "Signature expired: the date is more than 15 minutes away.",
        ),
        Refusal::Mismatch => (
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        ),
    };
    Fault::new(status, if query { query_code } else { code }, message)
}
