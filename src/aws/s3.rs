//! The few calls to S3 that an upload takes, each to a bucket of this account and of no other: a bucket's name
//! can be guessed, and what has it may be anybody's.

use super::access::Account;
use super::call::Call;
use super::patience;
use crate::apply::CloudError;
use crate::text::hex;
use aws_runtime::auth::SigningOptions;
use aws_sigv4::http_request::SignableBody;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, try_data};
use aws_types::request_id::apply_request_id;
use bytes::Bytes;
use http_body_util::StreamBody;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// How much of a body is handed on at once, in bytes.
const PIECE: usize = 256 * 1024;

/// Gets the number of bytes that have been handed on; less than before where an attempt is repeated.
pub(super) type Progress = Arc<dyn Fn(usize) + Send + Sync>;

/// One request.
pub(super) struct Request {
    pub operation: &'static str,
    pub method: http::Method,
    pub bucket: String,
    /// Of an object; empty for the bucket itself.
    pub key: String,
    /// As in the address, such as `tagging`.
    pub query: &'static str,
    pub body: Bytes,
    pub progress: Option<Progress>,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}/{} ({} bytes)", self.operation, self.bucket, self.key, self.body.len())
    }
}

impl Account {
    /// Gives the answer's body. `owner` is the account that the bucket must belong to.
    ///
    /// # Errors
    /// What S3 refuses, with its code, and all that keeps a call from being answered.
    pub(super) async fn s3(
        &self,
        request: Request,
        owner: &str,
        action: impl Fn() -> String,
    ) -> Result<String, CloudError> {
        let digest = hex(&Sha256::digest(&request.body));
        let mut signing = SigningOptions::default();
        signing.double_uri_encode = false;
        signing.content_sha256_header = true;
        signing.normalize_uri_path = false;
        signing.payload_override = Some(SignableBody::Precomputed(digest));
        let timeouts = request.progress.is_some().then(patience::uploads);
        let owner = owner.to_owned();
        let call = Call { id: "S3", name: "s3", operation: request.operation, signing, timeouts, input: request };
        self.send(call, move |request| serialized(request, &owner), answer, action).await
    }
}

/// With the bucket in the path: its name in the host would need a certificate for it, and a resolver that knows it.
fn serialized(request: Request, owner: &str) -> Result<HttpRequest, BoxError> {
    let slash = if request.key.is_empty() { "" } else { "/" };
    let mark = if request.query.is_empty() { "" } else { "?" };
    let target = format!("/{}{slash}{}{mark}{}", request.bucket, request.key, request.query);
    let length = request.body.len();
    let mut built = http::Request::builder()
        .method(request.method)
        .uri(target)
        .header("user-agent", concat!("lamstream/", env!("CARGO_PKG_VERSION")))
        .header("content-length", length);
    // Who makes a bucket cannot say whose it is.
    if request.operation != "CreateBucket" {
        built = built.header("x-amz-expected-bucket-owner", owner);
    }
    let body = match request.progress {
        Some(progress) => counted(request.body, progress),
        None => SdkBody::from(request.body),
    };
    Ok(built.body(body)?.try_into()?)
}

/// A body that reports its progress; each attempt starts again.
fn counted(bytes: Bytes, progress: Progress) -> SdkBody {
    SdkBody::retryable(move || {
        let (bytes, progress) = (bytes.clone(), progress.clone());
        let pieces = (0..bytes.len().div_ceil(PIECE)).map(move |nth| {
            let (start, end) = (nth * PIECE, bytes.len().min((nth + 1) * PIECE));
            progress(start);
            Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes.slice(start..end)))
        });
        SdkBody::from_body_1_x(StreamBody::new(futures_util::stream::iter(pieces)))
    })
}

fn answer(response: &HttpResponse) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let text = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    if response.status().is_success() {
        return Ok(text.into_owned());
    }
    // A gateway before S3 may say it by the status alone; the SDK retries an error of this name.
    let by_status = match response.status().as_u16() {
        429 => "TooManyRequestsException".to_owned(),
        status => status.to_string(),
    };
    let code = value(&text, "Code").unwrap_or(by_status);
    let error =
        ErrorMetadata::builder().code(code).message(value(&text, "Message").unwrap_or_else(|| text.trim().to_owned()));
    Err(OrchestratorError::operation(apply_request_id(error, response.headers()).build()))
}

/// The text of the first element of this name right below the root.
fn value(text: &str, name: &str) -> Option<String> {
    let mut document = Document::new(text);
    let mut root = document.root_element().ok()?;
    while let Some(mut element) = root.next_tag() {
        if element.start_el().local() == name {
            return try_data(&mut element).ok().map(|data| data.into_owned());
        }
    }
    None
}

/// The tags of a bucket, as GetBucketTagging tells them.
pub(super) fn tags(text: &str) -> Vec<(String, String)> {
    let mut document = Document::new(text);
    let Ok(mut root) = document.root_element() else { return Vec::new() };
    let mut tags = Vec::new();
    while let Some(mut set) = root.next_tag() {
        while let Some(mut tag) = set.next_tag() {
            let (mut key, mut content) = (String::new(), String::new());
            while let Some(mut part) = tag.next_tag() {
                let name = part.start_el().local().to_owned();
                let data = try_data(&mut part).map(|data| data.into_owned()).unwrap_or_default();
                match name.as_str() {
                    "Key" => key = data,
                    "Value" => content = data,
                    _ => {}
                }
            }
            tags.push((key, content));
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_tags_are_read_from_xml() {
        let error =
            "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>The bucket &amp; so on</Message></Error>";
        assert_eq!(value(error, "Code").as_deref(), Some("NoSuchBucket"));
        assert_eq!(value(error, "Message").as_deref(), Some("The bucket & so on"));
        assert_eq!(value("", "Code"), None);
        let tagging = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key><Value>1</Value></Tag>\
                       <Tag><Key>b</Key><Value/></Tag></TagSet></Tagging>";
        assert_eq!(tags(tagging), [("a".into(), "1".into()), ("b".into(), String::new())]);
    }
}
