//! Uploads code that is too large for a call to Lambda. It goes through an S3 bucket, and nothing of it stays there.
//!
//! Lambda copies what it is pointed to, so the object exists for the time of one call. If the manifest names no bucket,
//! lamstream creates one (`bucket.rs`).

use super::access::INLINE_AT_ONCE;
use super::bucket::{self, OWN_KEY, Ownership, digest};
use super::multipart::{self, Target};
use super::place::Place;
use super::s3::Request;
use super::wait::Subject;
use crate::apply::{Artifact, CloudError, Event, Observer, Reason};
use crate::stack::Names;
use bytes::Bytes;
use futures_util::future::try_join_all;
use http::Method;
use tokio::sync::SemaphorePermit;

/// The largest zip that Lambda accepts in the call itself, in bytes. Source: AWS's quotas.
const DIRECT_LIMIT: usize = 52_428_800;
/// How Lambda gets the code.
pub(super) enum CodeLocation<'a> {
    Inline(&'a Bytes),
    Object { bucket: &'a str, key: &'a str },
}

impl CodeLocation<'_> {
    /// Waits until there is room for a call with this code.
    pub(super) async fn turn<'a>(&self, place: &Place<'a>) -> Option<SemaphorePermit<'a>> {
        let CodeLocation::Inline(zip) = self else { return None };
        place.account.inline.acquire_many(zip.len().min(INLINE_AT_ONCE) as u32).await.ok()
    }
}

/// Makes the code available to Lambda, calls `used` with it, and removes it again.
pub(super) async fn with_code<T>(
    place: &Place<'_>,
    artifact: &Artifact,
    observer: &Observer<'_>,
    used: impl AsyncFnOnce(CodeLocation<'_>) -> Result<T, CloudError>,
) -> Result<T, CloudError> {
    if artifact.zip.len() <= DIRECT_LIMIT {
        return used(CodeLocation::Inline(&artifact.zip)).await;
    }
    let own = artifact.bucket.is_none();
    let prefix = prefix(&place.names);
    let key = if own { OWN_KEY.to_owned() } else { format!("{prefix}{}.zip", digest(&artifact.zip, 16)) };
    let prefix = if own { OWN_KEY } else { &prefix };
    let bucket = match &artifact.bucket {
        Some(bucket) => bucket.clone(),
        None => bucket::make(place, observer).await?,
    };
    let target = Target { place, bucket: &bucket, key: &key, prefix };
    let sent = async || multipart::upload(target, &artifact.zip, observer).await;
    let result = match place.until_accepted(Subject::Bucket, observer, sent).await {
        Ok(()) => used(CodeLocation::Object { bucket: &bucket, key: &key }).await,
        Err(error) => Err(error),
    };
    if let Err(error) = clear(place, &bucket, &key).await {
        observer.tell(&Event::Stays { function: place.names.function.clone(), why: error.to_string() });
    }
    result
}

impl Place<'_> {
    /// Removes the bucket that uploads used, with what a killed one may have left in it, and the parts of unfinished uploads
    /// to the user's bucket. Returns the names of what was removed.
    ///
    /// # Errors
    /// When a bucket may be there, and cannot be removed.
    pub async fn sweep(&self, bucket: Option<&str>) -> Result<Vec<String>, CloudError> {
        if let Some(bucket) = bucket {
            let prefix = prefix(&self.names);
            multipart::forget(Target { place: self, bucket, key: "", prefix: &prefix }).await?;
        }
        let sweep = async |bucket: String| match bucket::ownership(self, &bucket).await {
            Ok(Ownership::Ours | Ownership::Untagged) => {
                let target = Target { place: self, bucket: &bucket, key: OWN_KEY, prefix: OWN_KEY };
                tokio::try_join!(clear(self, &bucket, OWN_KEY), multipart::forget(target))?;
                Ok(bucket::remove(self, &bucket).await?.then_some(bucket))
            }
            Ok(Ownership::Foreign | Ownership::Missing) => Ok(None),
            // Without permission to see the bucket, this deployer cannot have made it, or it is another account's.
            Err(error) if error.reason == Reason::Denied => Ok(None),
            Err(error) => Err(error),
        };
        Ok(try_join_all(bucket::names(&self.names).map(sweep)).await?.into_iter().flatten().collect())
    }
}

/// What the keys in the user's bucket begin with. A digest of the content follows, so that two runs do not collide.
fn prefix(names: &Names) -> String {
    format!("lamstream/{}/", names.function_name())
}

async fn clear(place: &Place<'_>, bucket: &str, key: &str) -> Result<(), CloudError> {
    let delete = Request::new("DeleteObject", Method::DELETE, bucket, key, "");
    let action = || format!("delete `{key}` from bucket `{bucket}`");
    place.account.s3(delete, &place.names.account, action).await.map(|_| ())
}
