//! Downloads of code and layers, from addresses that contain their own signature, like S3's presigned URLs.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::{HeaderValue, Response, header, request::Parts};
use subtle::ConstantTimeEq;

use super::call::{Call, query};
use crate::clock::{self, Millis};
use crate::store::Store;
use crate::wire::error::{Body, Fault, full};

/// The beginning of the path of such an address.
const PATH: &str = "/snapshots/";

/// How long an address is valid, in milliseconds: ten minutes, as on AWS.
const VALID: Millis = 10 * 60 * 1000;

/// An address for downloading the zip of a digest, which needs no credentials and expires.
pub(crate) fn address(call: &Call, digest: &str) -> String {
    let host = call.header("host").unwrap_or_default();
    let expires = clock::now() + VALID;
    format!(
        "http://{host}{PATH}{digest}?expires={expires}&signature={}",
        signature(&call.cloud.host.store, digest, expires)
    )
}

fn signature(store: &Store, digest: &str, expires: Millis) -> String {
    let key = generate_signing_key(&store.credentials.secret_access_key, std::time::UNIX_EPOCH, "local", "download");
    calculate_signature(key, format!("{digest} {expires}").as_bytes())
}

/// The digest in such an address; `None` if the request is for something else.
pub(crate) fn asked(parts: &Parts) -> Option<&str> {
    let is_signed = parts.headers.contains_key(header::AUTHORIZATION);
    parts.uri.path().strip_prefix(PATH).filter(|_| !is_signed && parts.method == http::Method::GET)
}

/// Answers with the zip, if the address is valid.
///
/// # Errors
/// Those of S3, if it is not.
pub(crate) async fn answer(store: &Store, parts: &Parts, digest: &str) -> Result<Response<Body>, Fault> {
    let denied = |message: &str| Fault::new(403, "AccessDenied", message);
    let given = |name: &str| query(&parts.uri, name).into_iter().next().unwrap_or_default();
    let expires: Millis = given("expires").parse().map_err(|_| denied("Access Denied"))?;
    let expected = signature(store, digest, expires);
    if !bool::from(expected.as_bytes().ct_eq(given("signature").as_bytes())) {
        return Err(denied("Access Denied"));
    }
    if expires < clock::now() {
        return Err(denied("Request has expired"));
    }
    let zip = tokio::fs::read(store.data.zip(digest)).await;
    let zip = zip.map_err(|_| Fault::new(404, "NoSuchKey", "The specified key does not exist."))?;
    let mut answer = Response::new(full(zip));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    Ok(answer)
}
