//! Code that is too large to be sent to Lambda itself: it goes through an S3 bucket, and nothing of it stays there.
//!
//! Lambda copies what it is pointed to. So the object is there for the time of one call, and so is the bucket, where the
//! manifest names none: made, tagged as ours, and removed again. What a killed run left behind is removed by the next
//! run that needs the bucket, and by `destroy`.

use super::place::Place;
use super::s3::{Progress, Request, tags};
use crate::apply::{Artifact, CloudError, Event, Observer, Reason};
use crate::stack::{Names, Owner, Tags};
use crate::text::hex;
use bytes::Bytes;
use http::Method;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What Lambda takes in a call itself, in bytes. Source: AWS's quotas.
const DIRECT_LIMIT: usize = 52_428_800;
/// How often an upload says how far it is.
const SIGN_OF_LIFE: Duration = Duration::from_millis(200);
/// The object in a bucket of ours, so that it can be emptied without a look. A run that reads another run's package by
/// that name publishes nothing: its digest is not the one that was planned.
const OWN_KEY: &str = "package.zip";
/// Where no location is said, and none may be.
const CLASSIC_REGION: &str = "us-east-1";

/// How Lambda gets the code.
pub(super) enum Code<'a> {
    Inline(&'a Bytes),
    Object { bucket: &'a str, key: &'a str },
}

/// Puts the code where Lambda can get it, has it used, and takes it away again.
pub(super) async fn with_code<T>(
    place: &Place<'_>,
    artifact: &Artifact,
    observer: &Observer<'_>,
    used: impl AsyncFnOnce(Code<'_>) -> Result<T, CloudError>,
) -> Result<T, CloudError> {
    if artifact.zip.len() <= DIRECT_LIMIT {
        return used(Code::Inline(&artifact.zip)).await;
    }
    let own = artifact.bucket.is_none();
    let bucket = artifact.bucket.clone().unwrap_or_else(|| bucket_name(&place.names));
    let key = if own { OWN_KEY.to_owned() } else { key(&place.names, &artifact.zip) };
    if own {
        make(place, &bucket).await?;
    }
    let result = match upload(place, &bucket, &key, &artifact.zip, observer).await {
        Ok(()) => used(Code::Object { bucket: &bucket, key: &key }).await,
        Err(error) => Err(error),
    };
    if let Err(error) = clear(place, &bucket, &key, own).await {
        observer.tell(&Event::Stays { function: place.names.function.clone(), why: error.to_string() });
    }
    result
}

impl Place<'_> {
    /// Removes the bucket that a killed upload may have left, with the package in it; gives its name where there was one.
    ///
    /// # Errors
    /// When it may be there, and cannot be removed.
    pub async fn sweep(&self) -> Result<Option<String>, CloudError> {
        let bucket = bucket_name(&self.names);
        match owner(self, &bucket).await {
            Ok(Some(Owner::Us)) => clear(self, &bucket, OWN_KEY, true).await.map(|()| Some(bucket)),
            Ok(_) => Ok(None),
            // Without permission to see the bucket, this deployer cannot have made it, or it is another account's.
            Err(error) if error.reason == Reason::Denied => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// One for each function: it follows from the names of all that is deployed, as every name does.
fn bucket_name(names: &Names) -> String {
    let whole = format!("{}/{}/{}", names.app, names.stage.as_deref().unwrap_or_default(), names.function);
    format!("lamstream-{}-{}-{}", names.account, names.region, digest(whole.as_bytes(), 4))
}

/// Among what is not ours: named after its content, so that two runs do not meet.
fn key(names: &Names, zip: &Bytes) -> String {
    format!("lamstream/{}/{}.zip", names.function_name(), digest(zip, 16))
}

/// The first bytes of a digest.
fn digest(of: &[u8], length: usize) -> String {
    hex(&Sha256::digest(of)[..length])
}

fn request(operation: &'static str, method: Method, bucket: &str, key: &str, query: &'static str) -> Request {
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    Request { operation, method, bucket, key, query, body: Bytes::new(), progress: None }
}

/// Makes the bucket, unless it is there and ours.
async fn make(place: &Place<'_>, bucket: &str) -> Result<(), CloudError> {
    let action = || format!("make bucket `{bucket}`");
    let region = &place.names.region;
    let mut create = request("CreateBucket", Method::PUT, bucket, "", "");
    if region != CLASSIC_REGION {
        create.body = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
        .into();
    }
    match place.account.s3(create, &place.names.account, action).await {
        Ok(_) => {}
        Err(error) if error.is("BucketAlreadyOwnedByYou") => {}
        Err(error) => return Err(error),
    }
    match owner(place, bucket).await? {
        Some(Owner::Us) => Ok(()),
        // Just made, or by a run that was killed before it could say whose it is.
        None => tag(place, bucket).await,
        Some(_) => Err(CloudError::new(action(), Reason::Refused, "there is one of that name without our tags")),
    }
}

/// Whose a bucket is by its tags; `None` for one without any, and for none.
async fn owner(place: &Place<'_>, bucket: &str) -> Result<Option<Owner>, CloudError> {
    let read = request("GetBucketTagging", Method::GET, bucket, "", "tagging");
    match place.account.s3(read, &place.names.account, || format!("read the tags of bucket `{bucket}`")).await {
        Ok(answer) => {
            let found: Tags = tags(&answer).iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            Ok(Some(found.owner(&place.names)))
        }
        Err(error) if error.is("NoSuchTagSet") || error.is("NoSuchBucket") => Ok(None),
        Err(error) => Err(error),
    }
}

async fn tag(place: &Place<'_>, bucket: &str) -> Result<(), CloudError> {
    let ours = place.names.owner_tags();
    let sets: String =
        ours.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
    let mut put = request("PutBucketTagging", Method::PUT, bucket, "", "tagging");
    put.body =
        format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{sets}</TagSet></Tagging>").into();
    place.account.s3(put, &place.names.account, || format!("tag bucket `{bucket}`")).await.map(|_| ())
}

async fn upload(
    place: &Place<'_>,
    bucket: &str,
    key: &str,
    zip: &Bytes,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let progress: Progress = Arc::new(move |bytes| counter.store(bytes, Ordering::Relaxed));
    let put =
        Request { body: zip.clone(), progress: Some(progress), ..request("PutObject", Method::PUT, bucket, key, "") };
    let function = &place.names.function;
    let tell = |sent| observer.tell(&Event::Uploading { function: function.clone(), sent, total: zip.len() });
    let mut sending = Box::pin(place.account.s3(put, &place.names.account, || format!("upload to bucket `{bucket}`")));
    loop {
        tokio::select! {
            biased;
            done = &mut sending => {
                return done.map(|_| tell(zip.len()));
            }
            // All of it is there only when S3 says so.
            () = super::wait::moment(SIGN_OF_LIFE) => tell(sent.load(Ordering::Relaxed).min(zip.len() - 1)),
        }
    }
}

async fn clear(place: &Place<'_>, bucket: &str, key: &str, own: bool) -> Result<(), CloudError> {
    let delete = request("DeleteObject", Method::DELETE, bucket, key, "");
    place.account.s3(delete, &place.names.account, || format!("delete `{key}` from bucket `{bucket}`")).await?;
    if own { remove(place, bucket).await } else { Ok(()) }
}

async fn remove(place: &Place<'_>, bucket: &str) -> Result<(), CloudError> {
    let delete = request("DeleteBucket", Method::DELETE, bucket, "", "");
    match place.account.s3(delete, &place.names.account, || format!("delete bucket `{bucket}`")).await {
        // Another run has its code in it, and will remove it.
        Err(error) if error.is("BucketNotEmpty") || error.is("NoSuchBucket") => Ok(()),
        other => other.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_after_what_is_deployed_and_within_the_limits_of_s3() {
        let names = Names {
            app: "Shop_".repeat(9),
            stage: Some("production".into()),
            function: "chat".into(),
            region: "ap-southeast-2".into(),
            account: "123456789012".into(),
        };
        let name = bucket_name(&names);
        assert!(name.starts_with("lamstream-123456789012-ap-southeast-2-") && name.len() <= 63, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
        assert_ne!(name, bucket_name(&Names { stage: None, ..names }));
    }
}
