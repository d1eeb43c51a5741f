//! The few calls to S3 that an upload needs. Each of them requires that the bucket belongs to this account, because a
//! bucket's name can be guessed, and any account may own a bucket of that name.

use super::access::Account;
use super::api::S3;
use super::call::Call;
use super::error::{NO_SUCH_KEY, TOO_MANY_REQUESTS};
use super::patience;
use crate::apply::CloudError;
use aws_runtime::auth::SigningOptions;
use aws_sigv4::http_request::SignableBody;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, try_data};
use aws_types::request_id::apply_request_id;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::StreamBody;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The size of the pieces in which a body is sent, in bytes.
const PIECE: usize = 256 * 1024;

/// Receives the number of bytes that were sent. The number decreases when an attempt is repeated.
pub(super) type OnSent = Arc<dyn Fn(usize) + Send + Sync>;

/// A request to S3.
pub(super) struct Request {
    pub operation: &'static str,
    pub method: http::Method,
    pub bucket: String,
    /// The key of an object; empty for the bucket itself.
    pub key: String,
    /// As in the URL, such as `tagging`.
    pub query: Cow<'static, str>,
    pub body: Bytes,
    pub on_sent: Option<OnSent>,
}

impl Request {
    /// A request without a body. `key` is empty for the bucket itself.
    pub(super) fn new(
        operation: &'static str,
        method: http::Method,
        bucket: &str,
        key: &str,
        query: impl Into<Cow<'static, str>>,
    ) -> Request {
        let (bucket, key, query) = (bucket.to_owned(), key.to_owned(), query.into());
        Request { operation, method, bucket, key, query, body: Bytes::new(), on_sent: None }
    }
}

/// A response of S3.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub text: String,
    /// The object's or the part's `ETag`.
    pub etag: Option<String>,
    /// The object's checksum, if the request asked for it.
    pub checksum: Option<String>,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}/{} ({} bytes)", self.operation, self.bucket, self.key, self.body.len())
    }
}

impl Account {
    /// Sends a request, and returns the response. `owner` is the account that must own the bucket.
    ///
    /// # Errors
    /// If S3 refuses the call, with its code, or does not answer it.
    pub(super) async fn s3(
        &self,
        request: Request,
        owner: &str,
        action: impl Fn() -> String,
    ) -> Result<Answer, CloudError> {
        let digest = Sha256::digest(&request.body);
        let mut signing = SigningOptions::default();
        signing.double_uri_encode = false;
        signing.content_sha256_header = true;
        signing.normalize_uri_path = false;
        signing.payload_override = Some(SignableBody::Precomputed(hex::encode(digest)));
        // To put parts together, S3 may take minutes.
        let is_long = request.on_sent.is_some() || request.operation == "CompleteMultipartUpload";
        let timeouts = is_long.then(patience::uploads);
        // Tags are refused without a checksum; an object's bytes are verified by it.
        let checksum = (request.method == http::Method::PUT).then(|| STANDARD.encode(digest));
        let owner = owner.to_owned();
        let call = Call { api: &S3, operation: request.operation, signing, timeouts, input: request };
        self.send(call, move |request| serialized(request, &owner, checksum.as_deref()), answer, action).await
    }
}

/// Puts the bucket in the path. In the host, its name would require a certificate for it, and a resolver that knows it.
fn serialized(request: Request, owner: &str, checksum: Option<&str>) -> Result<HttpRequest, BoxError> {
    let slash = if request.key.is_empty() { "" } else { "/" };
    let mark = if request.query.is_empty() { "" } else { "?" };
    let target = format!("/{}{slash}{}{mark}{}", request.bucket, request.key, request.query);
    let length = request.body.len();
    let mut built = http::Request::builder()
        .method(request.method)
        .uri(target)
        .header("user-agent", concat!("lamstream/", env!("CARGO_PKG_VERSION")))
        .header("content-length", length);
    // A call that creates a bucket cannot name the bucket's owner.
    if request.operation != "CreateBucket" {
        built = built.header("x-amz-expected-bucket-owner", owner);
    }
    if let Some(checksum) = checksum {
        built = built.header("x-amz-checksum-sha256", checksum);
    }
    match request.operation {
        // Each part is sent with a checksum of this kind.
        "CreateMultipartUpload" => built = built.header("x-amz-checksum-algorithm", "SHA256"),
        "HeadObject" => built = built.header("x-amz-checksum-mode", "ENABLED"),
        _ => {}
    }
    let body = match request.on_sent {
        Some(on_sent) => counted(request.body, on_sent),
        None => SdkBody::from(request.body),
    };
    Ok(built.body(body)?.try_into()?)
}

/// A body that reports its progress. Each attempt starts from the beginning.
fn counted(bytes: Bytes, on_sent: OnSent) -> SdkBody {
    SdkBody::retryable(move || {
        let (bytes, on_sent) = (bytes.clone(), on_sent.clone());
        let pieces = (0..bytes.len().div_ceil(PIECE)).map(move |nth| {
            let (start, end) = (nth * PIECE, bytes.len().min((nth + 1) * PIECE));
            on_sent(start);
            Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes.slice(start..end)))
        });
        SdkBody::from_body_1_x(StreamBody::new(futures_util::stream::iter(pieces)))
    })
}

fn answer(response: &HttpResponse) -> Result<Answer, OrchestratorError<ErrorMetadata>> {
    let text = response.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
    // S3 answers 200 before it puts parts together, and may report an error afterwards.
    if response.status().is_success() && !is_error(&text) {
        let header = |name| response.headers().get(name).map(str::to_owned);
        let (etag, checksum) = (header("etag"), header("x-amz-checksum-sha256"));
        return Ok(Answer { text: text.into_owned(), etag, checksum });
    }
    // A gateway in front of S3 may return only a status.
    let by_status = match response.status().as_u16() {
        // The response to a HEAD has no body.
        404 if text.is_empty() => NO_SUCH_KEY.to_owned(),
        429 => TOO_MANY_REQUESTS.to_owned(),
        status => status.to_string(),
    };
    let code = value(&text, "Code").unwrap_or(by_status);
    let error =
        ErrorMetadata::builder().code(code).message(value(&text, "Message").unwrap_or_else(|| text.trim().to_owned()));
    Err(OrchestratorError::operation(apply_request_id(error, response.headers()).build()))
}

fn is_error(text: &str) -> bool {
    Document::new(text).root_element().is_ok_and(|root| root.start_el().local() == "Error")
}

/// The text of the first element of this name right below the root.
pub(super) fn value(text: &str, name: &str) -> Option<String> {
    let mut document = Document::new(text);
    let mut root = document.root_element().ok()?;
    while let Some(mut element) = root.next_tag() {
        if element.start_el().local() == name {
            return try_data(&mut element).ok().map(|data| data.into_owned());
        }
    }
    None
}

/// The members of each element of this name right below the root, as S3's lists have them: those that are texts.
pub(super) fn members(text: &str, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut document = Document::new(text);
    let Ok(mut root) = document.root_element() else { return Vec::new() };
    let mut rows = Vec::new();
    while let Some(mut element) = root.next_tag() {
        let is_row = element.start_el().local() == name;
        let mut row = BTreeMap::new();
        while let Some(mut member) = element.next_tag() {
            let name = member.start_el().local().to_owned();
            row.extend(try_data(&mut member).ok().map(|data| (name, data.into_owned())));
        }
        rows.extend(Some(row).filter(|_| is_row));
    }
    rows
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
    fn errors_keys_and_tags_are_read_from_xml() {
        let error =
            "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>The bucket &amp; so on</Message></Error>";
        assert_eq!(value(error, "Code").as_deref(), Some("NoSuchBucket"));
        assert_eq!(value(error, "Message").as_deref(), Some("The bucket & so on"));
        assert_eq!(value("", "Code"), None);
        let list = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><KeyCount>2</KeyCount>\
                    <Contents><Size>1</Size><Key>package.zip</Key></Contents><Contents><Key>b</Key></Contents></ListBucketResult>";
        let keys: Vec<String> = members(list, "Contents").iter().map(|object| object["Key"].clone()).collect();
        assert_eq!(keys, ["package.zip", "b"]);
        assert!(is_error(error) && !is_error(list) && !is_error(""));
        let tagging = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key><Value>1</Value></Tag>\
                       <Tag><Key>b</Key><Value/></Tag></TagSet></Tagging>";
        assert_eq!(tags(tagging), [("a".into(), "1".into()), ("b".into(), String::new())]);
    }
}
