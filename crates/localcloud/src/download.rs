//! Zips to download from addresses that carry their own right, as AWS gives out S3's for code and layers.

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::{HeaderValue, Response, header, request::Parts};
use subtle::ConstantTimeEq;

use crate::cloud::Cloud;
use crate::route::{Call, query};
use crate::wire::date::{self, Millis};
use crate::wire::error::{Body, Fault, full};

/// What the paths of such addresses begin with.
const PATH: &str = "/snapshots/";

/// How long an address works, in milliseconds; AWS's works for ten minutes.
const VALID: Millis = 10 * 60 * 1000;

/// An address from which anybody who has it may download the zip of a digest, for a while.
pub(crate) fn address(call: &Call, digest: &str) -> String {
    let host = call.header("host").unwrap_or_default();
    let expires = date::now() + VALID;
    format!("http://{host}{PATH}{digest}?expires={expires}&signature={}", signature(&call.cloud, digest, expires))
}

fn signature(cloud: &Cloud, digest: &str, expires: Millis) -> String {
    let key = generate_signing_key(&cloud.credentials.secret_access_key, std::time::UNIX_EPOCH, "local", "download");
    calculate_signature(key, format!("{digest} {expires}").as_bytes())
}

/// The digest that a request for such an address names, if it is one.
pub(crate) fn asked(parts: &Parts) -> Option<&str> {
    let is_signed = parts.headers.contains_key(header::AUTHORIZATION);
    parts.uri.path().strip_prefix(PATH).filter(|_| !is_signed && parts.method == http::Method::GET)
}

/// The zip, for who has a right to it.
pub(crate) async fn answer(cloud: &Cloud, parts: &Parts, digest: &str) -> Result<Response<Body>, Fault> {
    let denied = |message: &str| Fault::new(403, "AccessDenied", message);
    let given = |name: &str| query(&parts.uri, name).into_iter().next().unwrap_or_default();
    let expires: Millis = given("expires").parse().map_err(|_| denied("Access Denied"))?;
    let expected = signature(cloud, digest, expires);
    if !bool::from(expected.as_bytes().ct_eq(given("signature").as_bytes())) {
        return Err(denied("Access Denied"));
    }
    if expires < date::now() {
        return Err(denied("Request has expired"));
    }
    let zip = tokio::fs::read(cloud.data.zip(digest)).await;
    let zip = zip.map_err(|_| Fault::new(404, "NoSuchKey", "The specified key does not exist."))?;
    let mut answer = Response::new(full(zip));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    Ok(answer)
}
