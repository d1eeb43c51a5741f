//! A small S3: enough to pass large packages to Lambda. Buckets are addressed in the path, and there is no listing.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;
use sha2::{Digest, Sha256};

use super::call::Call;
use super::response::empty;
use crate::clock;
use crate::disk::files::write_private;
use crate::options::ACCOUNT;
use crate::random;
use crate::wire::date;
use crate::wire::error::{Body, Fault, full};
use crate::world::bucket::{Bucket, Object};
use crate::world::tags::Tags;

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
    match (call.parts.method.as_str(), key, about.unwrap_or_default()) {
        ("PUT", "", "") => create_bucket(call, bucket),
        ("HEAD", "", "") => see(call, bucket, |_| Ok(empty(StatusCode::OK))),
        ("DELETE", "", "") => delete_bucket(call, bucket),
        ("PUT", "", "tagging") => put_tags(call, bucket),
        ("GET", "", "tagging") => see(call, bucket, tags),
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
        if world.buckets.contains_key(name) {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(Fault::new(409, "BucketAlreadyOwnedByYou", message));
        }
        let bucket = Bucket { region: call.region.clone(), tags: None, objects: Default::default() };
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
    call.change(|world| {
        let bucket = world.bucket(name)?;
        if !bucket.objects.is_empty() {
            return Err(Fault::new(409, "BucketNotEmpty", "The bucket you tried to delete is not empty"));
        }
        world.buckets.remove(name);
        Ok(empty(StatusCode::NO_CONTENT))
    })
}

fn put_tags(call: &Call, name: &str) -> Result<Response<Body>, Fault> {
    let tags: Tags = elements(&call.body, "Key").into_iter().zip(elements(&call.body, "Value")).collect();
    call.change(|world| {
        world.bucket_mut(name)?.tags = Some(tags);
        Ok(empty(StatusCode::NO_CONTENT))
    })
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

fn put(call: &Call, name: &str, key: &str) -> Result<Response<Body>, Fault> {
    if call.header("x-amz-content-sha256").is_some_and(|kind| kind.starts_with("STREAMING")) {
        return Err(Fault::new(501, "NotImplemented", "the local cloud takes whole bodies, not signed chunks"));
    }
    see(call, name, |_| Ok(empty(StatusCode::OK)))?;
    let etag = format!("\"{}\"", hex(&call.body, 16));
    let file = random::uuid();
    let path = call.data().objects().join(&file);
    write_private(&path, &call.body).map_err(Fault::unwritten)?;
    let object = Object {
        file,
        size: call.body.len() as u64,
        etag: etag.clone(),
        content_type: call.header("content-type").unwrap_or("binary/octet-stream").to_owned(),
        modified: clock::now(),
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

fn hex(bytes: &[u8], count: usize) -> String {
    Sha256::digest(bytes).iter().take(count).map(|byte| format!("{byte:02x}")).collect()
}

/// The texts of all elements of this name, in their order.
fn elements(body: &[u8], name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_reader(body);
    let (mut texts, mut inside) = (Vec::new(), None::<String>);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if start.local_name().as_ref() == name => inside = Some(String::new()),
            Ok(Event::Empty(start)) if start.local_name().as_ref() == name => texts.push(String::new()),
            Ok(Event::Text(text)) => {
                if let Some(inside) = &mut inside {
                    inside.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(entity)) => {
                if let Some(inside) = &mut inside {
                    inside.push_str(&format!("&{};", &*entity));
                }
            }
            Ok(Event::End(end)) if end.local_name().as_ref() == name => {
                let text = inside.take().unwrap_or_default();
                texts.push(unescape(&text).map_or_else(|_| text.clone(), std::borrow::Cow::into_owned));
            }
            Ok(Event::Eof) | Err(_) => return texts,
            Ok(_) => {}
        }
    }
}
