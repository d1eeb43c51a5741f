//! A small S3: enough to pass large packages to Lambda. Buckets are addressed in the path.

mod checksum;
mod multipart;
mod xml;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quick_xml::escape::escape;
use quick_xml::events::Event;

use crate::clock;
use crate::disk::files::write_private;
use crate::options::ACCOUNT;
use crate::random;
use crate::services::call::Call;
use crate::services::response::empty;
use crate::wire::date;
use crate::wire::error::{Body, Fault, full};
use crate::world::bucket::{Bucket, Object};
use crate::world::tags::Tags;
use xml::elements;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The largest object: a little more than Lambda unpacks, so that Lambda can refuse it.
pub(crate) const LARGEST: usize = 300 * 1024 * 1024;

/// Answers a request.
pub(crate) fn answer(call: &Call) -> Result<Response<Body>, Fault> {
    let path = percent_decode_str(call.parts.uri.path()).decode_utf8_lossy().into_owned();
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    if let Some(owner) = call.header("x-amz-expected-bucket-owner").filter(|owner| *owner != ACCOUNT) {
        return Err(Fault::new(403, "AccessDenied", format!("the bucket is not owned by {owner}")));
    }
    let query = call.parts.uri.query().unwrap_or_default();
    let about = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).find(|name| *name != "x-id");
    if let Some(id) = call.query("uploadId").filter(|_| !key.is_empty()) {
        return multipart::on_upload(call, bucket, key, &id);
    }
    match (call.parts.method.as_str(), key, about.unwrap_or_default()) {
        ("POST", key, "uploads") if !key.is_empty() => multipart::create(call, bucket, key),
        ("GET", "", _) if query.split('&').any(|parameter| parameter.trim_end_matches('=') == "uploads") => {
            multipart::list(call, bucket)
        }
        ("PUT", "", "") => create_bucket(call, bucket),
        ("HEAD", "", "") => see(call, bucket, |_| Ok(empty(StatusCode::OK))),
        ("DELETE", "", "") => delete_bucket(call, bucket),
        ("PUT", "", "tagging") => put_tags(call, bucket),
        ("GET", "", "tagging") => see(call, bucket, tags),
        ("GET", "", "list-type") if query.split('&').all(is_listed_by) => {
            see(call, bucket, |found| list(found, bucket, query))
        }
        ("PUT", key, "") => put(call, bucket, key),
        ("GET" | "HEAD", key, "") if !key.is_empty() => get(call, bucket, key),
        ("DELETE", key, "") => delete(call, bucket, key),
        (method, ..) => Err(Fault::new(
            501,
            "NotImplemented",
            format!("the local cloud does not have the operation `s3: {method} {path}?{query}`"),
        )),
    }
}

fn see(
    call: &Call,
    name: &str,
    look: impl FnOnce(&Bucket) -> Result<Response<Body>, Fault>,
) -> Result<Response<Body>, Fault> {
    call.read(|world| look(world.bucket(name)?))
}

fn create_bucket(call: &Call, name: &str) -> Result<Response<Body>, Fault> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if !(3..=63).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(Fault::new(400, "InvalidBucketName", "The specified bucket is not valid."));
    }
    let location = elements(&call.body, "LocationConstraint").pop().unwrap_or_else(|| "us-east-1".to_owned());
    if location != call.region {
        return Err(Fault::new(
            400,
            "IllegalLocationConstraintException",
            format!(
                "The {location} location constraint is incompatible for the region specific endpoint this request was sent to."
            ),
        ));
    }
    call.change(|world| {
        let now = clock::now();
        world.deleted_buckets.retain(|_, until| *until > now);
        if world.deleted_buckets.contains_key(name) {
            let message =
                "A conflicting conditional operation is currently in progress against this resource. Please try again.";
            return Err(Fault::new(409, "OperationAborted", message));
        }
        if world.buckets.contains_key(name) {
            // In the oldest region it is not an error, for the sake of the oldest clients.
            if call.region == "us-east-1" {
                return Ok(());
            }
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(Fault::new(409, "BucketAlreadyOwnedByYou", message));
        }
        let visible = clock::after(call.options().visibility_lag);
        let bucket = Bucket {
            region: call.region.clone(),
            visible,
            tags: None,
            objects: Default::default(),
            uploads: Default::default(),
        };
        world.buckets.insert(name.to_owned(), bucket);
        Ok(())
    })?;
    let mut answer = empty(StatusCode::OK);
    if let Ok(location) = HeaderValue::from_str(&format!("/{name}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    Ok(answer)
}

fn delete_bucket(call: &Call, name: &str) -> Result<Response<Body>, Fault> {
    let removed = call.change(|world| {
        let bucket = world.bucket(name)?;
        if !bucket.objects.is_empty() {
            return Err(Fault::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"));
        }
        let removed = world.buckets.remove(name);
        if !call.options().bucket_name_lag.is_zero() {
            world.deleted_buckets.insert(name.to_owned(), clock::after(call.options().bucket_name_lag));
        }
        Ok(removed)
    })?;
    // S3 deletes a bucket with unfinished uploads.
    for file in removed.iter().flat_map(Bucket::files) {
        let _ = std::fs::remove_file(call.data().objects().join(file));
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

fn put_tags(call: &Call, name: &str) -> Result<Response<Body>, Fault> {
    checksum::check(call, true)?;
    let tags = given_tags(&call.body)?;
    call.change(|world| {
        world.bucket_mut(name)?.tags = Some(tags);
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

/// The tags of a document. The key and the value of a tag may be in either order, and both have to be there.
fn given_tags(body: &[u8]) -> Result<Tags, Fault> {
    let mut reader = quick_xml::Reader::from_reader(body);
    let (mut tags, mut begins) = (Tags::default(), None::<usize>);
    loop {
        let before = reader.buffer_position() as usize;
        match reader.read_event() {
            Ok(Event::Start(start)) if start.local_name().as_ref() == "Tag" => begins = Some(before),
            Ok(Event::Empty(start)) if start.local_name().as_ref() == "Tag" => return Err(malformed()),
            Ok(Event::End(end)) if end.local_name().as_ref() == "Tag" => {
                let tag = &body[begins.take().ok_or_else(malformed)?..before];
                let [keys, values] = ["Key", "Value"].map(|name| elements(tag, name));
                let ([key], [value]) = (keys.as_slice(), values.as_slice()) else { return Err(malformed()) };
                if tags.insert(key.clone(), value.clone()).is_some() {
                    let message = "Cannot provide multiple Tags with the same key";
                    return Err(Fault::new(400, "InvalidTag", message));
                }
            }
            Ok(Event::Eof) => return Ok(tags),
            Err(_) => return Err(malformed()),
            Ok(_) => {}
        }
    }
}

fn malformed() -> Fault {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    Fault::new(400, "MalformedXML", message)
}

fn tags(bucket: &Bucket) -> Result<Response<Body>, Fault> {
    let Some(tags) = &bucket.tags else {
        return Err(Fault::new(404, "NoSuchTagSet", "The TagSet does not exist"));
    };
    let tag = |(key, value): (&String, &String)| {
        format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key.as_str()), escape(value.as_str()))
    };
    let tags: String = tags.iter().map(tag).collect();
    let text = format!("<Tagging xmlns=\"{NAMESPACE}\"><TagSet>{tags}</TagSet></Tagging>");
    let mut answer = Response::new(full(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok(answer)
}

/// Asks for percent-encoded keys, as every SDK does.
const URL_ENCODED: &str = "encoding-type=url";
/// The characters of a key that stay as they are.
const IN_KEYS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// What ListObjectsV2 can be asked for.
fn is_listed_by(parameter: &str) -> bool {
    ["list-type=2", URL_ENCODED].contains(&parameter)
        || ["max-keys=", "x-id="].iter().any(|name| parameter.starts_with(name))
}

/// A key in a list.
fn shown_key(key: &str, is_encoded: bool) -> String {
    if is_encoded { utf8_percent_encode(key, IN_KEYS).to_string() } else { escape(key).to_string() }
}

/// The first keys, without a token for those that follow.
fn list(bucket: &Bucket, name: &str, query: &str) -> Result<Response<Body>, Fault> {
    let most = query.split('&').find_map(|pair| pair.strip_prefix("max-keys=")?.parse().ok()).unwrap_or(1000).min(1000);
    let is_encoded = query.split('&').any(|parameter| parameter == URL_ENCODED);
    let content = |(key, object): (&String, &Object)| {
        format!("<Contents><Key>{}</Key><Size>{}</Size></Contents>", shown_key(key, is_encoded), object.size)
    };
    let shown: String = bucket.objects.iter().take(most).map(content).collect();
    let encoding = if is_encoded { "<EncodingType>url</EncodingType>" } else { "" };
    let count = bucket.objects.len().min(most);
    let text = format!(
        "<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>{}</Name><MaxKeys>{most}</MaxKeys><KeyCount>{count}</KeyCount>\
         <IsTruncated>{}</IsTruncated>{encoding}{shown}</ListBucketResult>",
        escape(name),
        count < bucket.objects.len()
    );
    let mut answer = Response::new(full(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok(answer)
}

fn put(call: &Call, name: &str, key: &str) -> Result<Response<Body>, Fault> {
    if call.header("x-amz-content-sha256").is_some_and(|kind| kind.starts_with("STREAMING")) {
        return Err(Fault::new(501, "NotImplemented", "the local cloud takes whole bodies, not signed chunks"));
    }
    see(call, name, |_| Ok(empty(StatusCode::OK)))?;
    checksum::check(call, false)?;
    let etag = format!("\"{}\"", hex::encode(Md5::digest(&call.body)));
    let checksum = checksum::given(call).first().map(|(algorithm, sum)| ((*algorithm).to_owned(), (*sum).to_owned()));
    let file = random::uuid();
    let path = call.data().objects().join(&file);
    write_private(&path, &call.body).map_err(Fault::unwritten)?;
    let object = Object {
        file,
        size: call.body.len() as u64,
        etag: etag.clone(),
        content_type: call.header("content-type").unwrap_or("binary/octet-stream").to_owned(),
        modified: clock::now(),
        checksum,
    };
    let replaced = call.change(|world| {
        let bucket = world.bucket_mut(name)?;
        Ok(bucket.objects.insert(key.to_owned(), object))
    });
    forget(call, replaced.inspect_err(|_| drop(std::fs::remove_file(path)))?);
    let mut answer = empty(StatusCode::OK);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    Ok(answer)
}

fn get(call: &Call, name: &str, key: &str) -> Result<Response<Body>, Fault> {
    let object = call.read(|world| {
        let bucket = world.bucket(name)?;
        bucket.object(key).cloned()
    })?;
    let bytes = match call.parts.method {
        Method::HEAD => Bytes::new(),
        _ => std::fs::read(call.data().objects().join(&object.file)).map_err(Fault::internal)?.into(),
    };
    let mut answer = Response::new(full(bytes));
    let headers = [
        (header::ETAG, object.etag),
        (header::CONTENT_TYPE, object.content_type),
        (header::LAST_MODIFIED, date::http(object.modified)),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    if let Some((algorithm, sum)) = object.checksum.filter(|_| call.header("x-amz-checksum-mode").is_some())
        && let (Ok(name), Ok(sum)) =
            (HeaderName::try_from(format!("x-amz-checksum-{algorithm}")), HeaderValue::from_str(&sum))
    {
        answer.headers_mut().insert(name, sum);
    }
    if call.parts.method == Method::HEAD {
        answer.headers_mut().insert(header::CONTENT_LENGTH, object.size.into());
    }
    Ok(answer)
}

/// On S3, it is not an error if the object does not exist.
fn delete(call: &Call, name: &str, key: &str) -> Result<Response<Body>, Fault> {
    let removed = call.change(|world| {
        let bucket = world.bucket_mut(name)?;
        Ok(bucket.objects.remove(key))
    })?;
    forget(call, removed);
    Ok(empty(StatusCode::NO_CONTENT))
}

fn forget(call: &Call, object: Option<Object>) {
    if let Some(object) = object {
        let _ = std::fs::remove_file(call.data().objects().join(object.file));
    }
}
