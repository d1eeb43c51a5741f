//! The bucket that lamstream creates for code that is too large for a call to Lambda, and tags as ours.
//!
//! It stays, empty, until `destroy`: S3 may refuse the name of a deleted bucket for hours. A bucket that a killed run left
//! without tags is adopted by the next upload and removed by `destroy`, if it is empty or contains only our key.

use super::place::Place;
use super::s3::{Request, members, tags};
use super::wait::{Made, Subject};
use crate::apply::{CloudError, Observer, Reason};
use crate::stack::{Names, Owner, Tags};
use http::Method;
use sha2::{Digest, Sha256};

/// The key in a bucket of ours. It is fixed, so that the bucket can be emptied without listing it. A run that reads
/// another run's package under this key publishes nothing, because the digest is not the planned one.
pub(super) const OWN_KEY: &str = "package.zip";
/// How many names our bucket may have. If S3 refuses one because a bucket of that name was deleted recently, or if another
/// account has it, the next one is used.
const NAMES: usize = 3;
/// Enough to know whether a bucket contains more than our key.
const FIRST_KEYS: &str = "list-type=2&max-keys=2";
/// The region whose buckets are created without a LocationConstraint.
const CLASSIC_REGION: &str = "us-east-1";

/// The names that the bucket of this function may have, in the order in which they are tried.
pub(super) fn names(of: &Names) -> [String; NAMES] {
    let name = of.bucket();
    std::array::from_fn(|nth| if nth == 0 { name.clone() } else { format!("{name}-{}", nth + 1) })
}

/// The first `length` bytes of a digest, in hex.
pub(super) fn digest(of: &[u8], length: usize) -> String {
    hex::encode(&Sha256::digest(of)[..length])
}

/// The first of our names under which there can be a bucket of ours.
pub(super) async fn make(place: &Place<'_>, observer: &Observer<'_>) -> Result<String, CloudError> {
    let mut first = None;
    for bucket in names(&place.names) {
        match make_one(place, &bucket, observer).await {
            Ok(()) => return Ok(bucket),
            // The name is refused for now, or it is another owner's.
            Err(error) if matches!(error.reason, Reason::Busy | Reason::Refused) => {
                first.get_or_insert(CloudError { reason: Reason::Refused, ..error });
            }
            Err(error) => return Err(error),
        }
    }
    Err(first.unwrap_or_else(|| CloudError::new("create a bucket", Reason::Refused, "it has no name")))
}

/// Makes a bucket, unless it is there and ours.
async fn make_one(place: &Place<'_>, bucket: &str, observer: &Observer<'_>) -> Result<(), CloudError> {
    let action = || format!("create bucket `{bucket}`");
    let region = &place.names.region;
    let mut create = Request::new("CreateBucket", Method::PUT, bucket, "", "");
    if region != CLASSIC_REGION {
        create.body = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
        .into();
    }
    match place.account.s3(create, &place.names.account, action).await {
        Ok(_) => place.note_made(Made::Bucket),
        Err(error) if error.reason == Reason::Exists => {}
        Err(error) => return Err(error),
    }
    match ownership(place, bucket).await? {
        Ownership::Ours => Ok(()),
        // This run has just created it, or a killed run did and had not tagged it yet.
        Ownership::Untagged | Ownership::Missing => {
            place.until_accepted(Subject::Bucket, observer, async || tag(place, bucket).await).await
        }
        Ownership::Foreign => Err(CloudError::new(
            action(),
            Reason::Refused,
            "a bucket with this name exists, but lamstream did not create it",
        )),
    }
}

/// Whose a bucket is.
pub(super) enum Ownership {
    Ours,
    /// Without tags, and without anything that is not ours.
    Untagged,
    Foreign,
    Missing,
}

pub(super) async fn ownership(place: &Place<'_>, bucket: &str) -> Result<Ownership, CloudError> {
    let read = Request::new("GetBucketTagging", Method::GET, bucket, "", "tagging");
    match place.account.s3(read, &place.names.account, || format!("read the tags of bucket `{bucket}`")).await {
        Ok(answer) => {
            let found: Tags = tags(&answer.text).iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            Ok(if found.owner(&place.names) == Owner::Us { Ownership::Ours } else { Ownership::Foreign })
        }
        Err(error) if error.reason == Reason::Untagged => {
            let list = Request::new("ListObjectsV2", Method::GET, bucket, "", FIRST_KEYS);
            let answer = place.account.s3(list, &place.names.account, || format!("list bucket `{bucket}`")).await?;
            let objects = members(&answer.text, "Contents");
            let is_ours = objects.iter().all(|object| object.get("Key").is_some_and(|key| key == OWN_KEY));
            Ok(if is_ours { Ownership::Untagged } else { Ownership::Foreign })
        }
        Err(error) if error.reason == Reason::Missing => Ok(Ownership::Missing),
        Err(error) => Err(error),
    }
}

async fn tag(place: &Place<'_>, bucket: &str) -> Result<(), CloudError> {
    let ours = place.names.owner_tags();
    let sets: String =
        ours.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
    let mut put = Request::new("PutBucketTagging", Method::PUT, bucket, "", "tagging");
    put.body =
        format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{sets}</TagSet></Tagging>").into();
    place.account.s3(put, &place.names.account, || format!("tag bucket `{bucket}`")).await.map(|_| ())
}

/// Whether the bucket was removed.
pub(super) async fn remove(place: &Place<'_>, bucket: &str) -> Result<bool, CloudError> {
    let delete = Request::new("DeleteBucket", Method::DELETE, bucket, "", "");
    match place.account.s3(delete, &place.names.account, || format!("delete bucket `{bucket}`")).await {
        // Another run has its code in it.
        Err(error) if matches!(error.reason, Reason::NotEmpty | Reason::Missing) => Ok(false),
        other => other.map(|_| true),
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
            log_group: None,
        };
        let [first, .., name] = super::names(&names);
        assert_eq!(format!("{first}-3"), name);
        assert!(name.starts_with("lamstream-123456789012-ap-southeast-2-") && name.len() <= 63, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
        assert_ne!(first, super::names(&Names { stage: None, ..names })[0]);
    }
}
