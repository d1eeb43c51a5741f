//! The API's listener: who may come in, and what every answer carries.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::cloud::Cloud;
use crate::sign::{Caller, Refusal, Scope};
use crate::wire::error::{Body, Fault, Protocol};
use crate::{download, route, s3};

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
            let service = service_fn(move |request| {
                let cloud = ours.clone();
                async move { Ok::<_, std::convert::Infallible>(serve(cloud, request).await) }
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
    guard_origin(request.headers())?;
    let (parts, body) = request.into_parts();
    if let Some(digest) = download::asked(&parts) {
        return download::answer(&cloud, &parts, digest).await;
    }
    let largest = if protocol == Protocol::RestXml { s3::LARGEST } else { LARGEST };
    let body = Limited::new(body, largest).collect().await;
    let body = body.map_err(|error| too_large(error.as_ref(), largest, &parts))?.to_bytes();
    let (scope, caller) = authenticate(&cloud, &parts, &body).map_err(|refusal| refused(refusal, protocol))?;
    route::answer(
        route::Call {
            cloud,
            parts,
            body,
            caller,
            region: scope.region,
            request_id: request_id.to_owned(),
            uses: Default::default(),
        },
        &scope.service,
    )
    .await
}

fn too_large(error: &(dyn std::error::Error + Send + Sync + 'static), largest: usize, parts: &Parts) -> Fault {
    if error.is::<http_body_util::LengthLimitError>() {
        let path = parts.uri.path();
        let operation = match path.rsplit('/').next() {
            Some("functions") => "CreateFunction ",
            Some("code") => "UpdateFunctionCode ",
            Some("versions") if path.contains("/layers/") => "PublishLayerVersion ",
            _ => "",
        };
        let message = format!("Request must be smaller than {largest} bytes for the {operation}operation");
        Fault::new(413, "RequestEntityTooLargeException", message)
    } else {
        Fault::new(400, "RequestBodyIncomplete", format!("the request's body ended early: {error}"))
    }
}

/// A page in a browser must not reach the API, neither by its own script nor through a name that resolves to us.
fn guard_origin(headers: &HeaderMap) -> Result<(), Fault> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_loopback(host) {
        return Err(Fault::new(403, "AccessDeniedException", format!("the host `{host}` is not a loopback name")));
    }
    if headers.contains_key(header::ORIGIN) {
        return Err(Fault::new(403, "AccessDeniedException", "calls from web pages are refused"));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    !host.contains('@') && matches!(authority.host().to_ascii_lowercase().as_str(), "127.0.0.1" | "localhost" | "[::1]")
}

fn authenticate(cloud: &Cloud, parts: &Parts, body: &Bytes) -> Result<(Scope, Caller), Refusal> {
    let scope = Scope::read(&parts.headers)?;
    let caller = scope.caller(parts, body, cloud)?;
    Ok((scope, caller))
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

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_loopback_names_are_hosts() {
        for host in ["127.0.0.1:4566", "localhost", "LOCALHOST:1", "[::1]:80"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "10.0.0.1"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
