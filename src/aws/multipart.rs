//! Uploads a package to S3 in parts. After a lost connection only the parts that did not arrive are sent again: by the
//! same run, or by the next one if the run ended meanwhile. A run that gives up removes the parts, because S3 keeps and
//! bills them until then.

use super::patience;
use super::place::Place;
use super::s3::{OnSent, Request, members, value};
use super::wait::{Subject, moment};
use crate::apply::{CloudError, Event, Observer, Reason};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The size of a part in bytes. All parts but the last have at least 5 MiB. Source: docs/aws.md, "Large packages".
const PART: usize = 8 * 1024 * 1024;
/// How many parts are sent at once.
const AT_ONCE: usize = 4;
/// How often an upload reports its progress.
const SIGN_OF_LIFE: Duration = Duration::from_millis(200);
/// An unfinished upload that is older than this belongs to no run.
const ABANDONED: time::Duration = time::Duration::HOUR;
/// The characters of a key or an id that stay as they are in a URL's query.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where a package is uploaded to.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub place: &'a Place<'a>,
    pub bucket: &'a str,
    pub key: &'a str,
    /// What the keys of all uploads for this function begin with.
    pub prefix: &'a str,
}

/// A part of the package.
struct Part {
    /// From 1.
    number: usize,
    bytes: Bytes,
    /// Its SHA-256 in base64.
    sum: String,
}

/// An upload that was begun, and the `ETag` of each part that has arrived, by its number.
struct Upload {
    id: String,
    arrived: BTreeMap<usize, String>,
}

/// Uploads the package, and reports its progress.
///
/// # Errors
/// If S3 refuses a call, cannot be reached for too long, or the run is stopped. The parts have then been removed, unless
/// that failed, too, which is reported.
pub(super) async fn upload(target: Target<'_>, zip: &Bytes, observer: &Observer<'_>) -> Result<(), CloudError> {
    let parts = split(zip);
    let upload = match target.resumable(&parts).await? {
        Some(upload) => upload,
        None => target.begin().await?,
    };
    match run(target, &parts, &upload, zip.len(), observer).await {
        // The user's or another process's doing: whatever removed the upload removed its parts.
        Err(error) if error.reason == Reason::Missing => {
            let upload = target.begin().await?;
            let again = run(target, &parts, &upload, zip.len(), observer).await;
            target.or_abort(again, &upload.id, observer).await
        }
        result => target.or_abort(result, &upload.id, observer).await,
    }
}

/// Removes the parts of all unfinished uploads for this function.
///
/// # Errors
/// If S3 refuses a call for another reason than a missing permission: without it, this deployer has no uploads.
pub(super) async fn forget(target: Target<'_>) -> Result<(), CloudError> {
    for (key, id, _) in target.unfinished().await? {
        target.abort(&key, &id).await?;
    }
    Ok(())
}

fn split(zip: &Bytes) -> Vec<Part> {
    let starts = (0..zip.len()).step_by(PART).enumerate();
    let part = |(nth, start): (usize, usize)| {
        let bytes = zip.slice(start..zip.len().min(start + PART));
        let sum = STANDARD.encode(Sha256::digest(&bytes));
        Part { number: nth + 1, bytes, sum }
    };
    starts.map(part).collect()
}

/// Sends what has not arrived, and puts it together.
async fn run(
    target: Target<'_>,
    parts: &[Part],
    upload: &Upload,
    total: usize,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let sent: Vec<Arc<AtomicUsize>> = parts.iter().map(|_| Arc::default()).collect();
    for number in upload.arrived.keys() {
        sent[number - 1].store(parts[number - 1].bytes.len(), Ordering::Relaxed);
    }
    let missing = parts.iter().zip(&sent).filter(|(part, _)| !upload.arrived.contains_key(&part.number));
    let send = async |(part, sent): (&Part, &Arc<AtomicUsize>)| -> Result<(usize, String), CloudError> {
        Ok((part.number, target.send(part, &upload.id, sent, observer).await?))
    };
    let work = async {
        let arrived: Vec<(usize, String)> =
            stream::iter(missing).map(send).buffer_unordered(AT_ONCE).try_collect().await?;
        let arrived: BTreeMap<usize, String> = upload.arrived.clone().into_iter().chain(arrived).collect();
        // S3 may answer 200 and then fail to put the parts together.
        let complete = async || target.complete(parts, &arrived, &upload.id).await;
        target.place.until_accepted(Subject::Upload, observer, complete).await
    };
    let function = &target.place.names.function;
    let tell = |sent| observer.tell(&Event::Uploading { function: function.clone(), sent, total });
    let mut work = Box::pin(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done.map(|()| tell(total)),
            () = observer.stop.cancelled() => {
                return Err(CloudError::new(target.action(), Reason::Interrupted, "interrupted"));
            }
            () = moment(SIGN_OF_LIFE) => {
                let sum = sent.iter().map(|sent| sent.load(Ordering::Relaxed)).sum::<usize>();
                // The upload is complete only when S3 confirms it.
                tell(sum.min(total - 1));
            }
        }
    }
}

impl Target<'_> {
    fn action(&self) -> String {
        format!("upload to bucket `{}`", self.bucket)
    }

    fn about(&self, operation: &'static str, method: Method, key: &str, query: String) -> Request {
        Request::new(operation, method, self.bucket, key, query)
    }

    async fn ask(&self, request: Request) -> Result<super::s3::Answer, CloudError> {
        self.place.account.s3(request, &self.place.names.account, || self.action()).await
    }

    async fn begin(&self) -> Result<Upload, CloudError> {
        let request = self.about("CreateMultipartUpload", Method::POST, self.key, "uploads".to_owned());
        let answer = self.ask(request).await?;
        let missing = || CloudError::new(self.action(), Reason::Refused, "S3 returned no upload id");
        Ok(Upload { id: value(&answer.text, "UploadId").ok_or_else(missing)?, arrived: BTreeMap::new() })
    }

    /// The upload of an earlier run, if all of its parts are parts of this package. Uploads that were abandoned are
    /// removed.
    async fn resumable(&self, parts: &[Part]) -> Result<Option<Upload>, CloudError> {
        let mut found = None;
        for (key, id, begun) in self.unfinished().await? {
            if key == self.key && found.is_none() {
                let arrived = self.arrived(&id, parts).await?.filter(|arrived| !arrived.is_empty());
                found = arrived.map(|arrived| Upload { id: id.clone(), arrived });
                if found.is_some() {
                    continue;
                }
            }
            if begun.is_some_and(|begun| OffsetDateTime::now_utc() - begun > ABANDONED) {
                self.abort(&key, &id).await?;
            }
        }
        Ok(found)
    }

    /// The key and the id of each unfinished upload for this function, and when it was begun.
    async fn unfinished(&self) -> Result<Vec<(String, String, Option<OffsetDateTime>)>, CloudError> {
        let query = format!("uploads&prefix={}", utf8_percent_encode(self.prefix, IN_QUERY));
        let answer = match self.ask(self.about("ListMultipartUploads", Method::GET, "", query)).await {
            // Without the permission there is nothing to resume, and with nothing to resume none is needed.
            Err(error) if matches!(error.reason, Reason::Denied | Reason::Missing) => return Ok(Vec::new()),
            other => other?,
        };
        let upload = |mut upload: BTreeMap<String, String>| {
            let begun = upload.get("Initiated").and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
            Some((upload.remove("Key")?, upload.remove("UploadId")?, begun))
        };
        Ok(members(&answer.text, "Upload").into_iter().filter_map(upload).collect())
    }

    /// The parts of an upload; `None` if one of them is not of this package.
    async fn arrived(&self, id: &str, parts: &[Part]) -> Result<Option<BTreeMap<usize, String>>, CloudError> {
        let request = self.about("ListParts", Method::GET, self.key, format!("uploadId={}", encoded(id)));
        let answer = match self.ask(request).await {
            Err(error) if matches!(error.reason, Reason::Denied | Reason::Missing) => return Ok(None),
            other => other?,
        };
        let part = |mut found: BTreeMap<String, String>| {
            let number: usize = found.get("PartNumber")?.parse().ok()?;
            let part = parts.get(number.checked_sub(1)?)?;
            let is_same = found.get("ChecksumSHA256") == Some(&part.sum);
            Some((number, found.remove("ETag").filter(|_| is_same)?))
        };
        Ok(members(&answer.text, "Part").into_iter().map(part).collect())
    }

    /// Sends one part, as often as the connection is lost, and returns its `ETag`.
    async fn send(
        &self,
        part: &Part,
        id: &str,
        sent: &Arc<AtomicUsize>,
        observer: &Observer<'_>,
    ) -> Result<String, CloudError> {
        let send = async || {
            let counter = sent.clone();
            let on_sent: OnSent = Arc::new(move |bytes| counter.store(bytes, Ordering::Relaxed));
            let query = format!("partNumber={}&uploadId={}", part.number, encoded(id));
            let request = self.about("UploadPart", Method::PUT, self.key, query);
            let request = Request { body: part.bytes.clone(), on_sent: Some(on_sent), ..request };
            let answer = self.unless_stalled(self.ask(request), sent).await?;
            sent.store(part.bytes.len(), Ordering::Relaxed);
            let missing = || CloudError::new(self.action(), Reason::Refused, "S3 returned no `ETag`");
            answer.etag.ok_or_else(missing)
        };
        self.place.until_accepted(Subject::Upload, observer, send).await
    }

    /// Gives up on a connection over which nothing has been sent for the time of an attempt.
    async fn unless_stalled<T>(
        &self,
        sending: impl Future<Output = Result<T, CloudError>>,
        sent: &AtomicUsize,
    ) -> Result<T, CloudError> {
        let mut sending = Box::pin(sending);
        loop {
            let before = sent.load(Ordering::Relaxed);
            tokio::select! {
                biased;
                done = &mut sending => return done,
                () = moment(patience::attempt()) => {
                    if sent.load(Ordering::Relaxed) == before {
                        let why = format!("nothing was sent for {} s", patience::attempt().as_secs_f64());
                        return Err(CloudError::new(self.action(), Reason::Unreachable, why));
                    }
                }
            }
        }
    }

    async fn complete(&self, parts: &[Part], arrived: &BTreeMap<usize, String>, id: &str) -> Result<(), CloudError> {
        let part = |part: &Part| {
            let etag = arrived.get(&part.number).map(String::as_str).unwrap_or_default();
            let (sum, number) = (&part.sum, part.number);
            format!(
                "<Part><ChecksumSHA256>{sum}</ChecksumSHA256><ETag>{etag}</ETag><PartNumber>{number}</PartNumber></Part>"
            )
        };
        let body: String = parts.iter().map(part).collect();
        let body = format!(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{body}</CompleteMultipartUpload>"
        );
        let query = format!("uploadId={}", encoded(id));
        let request = self.about("CompleteMultipartUpload", Method::POST, self.key, query);
        match self.ask(Request { body: body.into(), ..request }).await {
            // An earlier attempt, whose reply was lost, may have put the parts together.
            Err(error) if error.reason == Reason::Missing && self.is_there(parts).await? => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Whether the object is this package, by its checksum.
    async fn is_there(&self, parts: &[Part]) -> Result<bool, CloudError> {
        let request = self.about("HeadObject", Method::HEAD, self.key, String::new());
        match self.ask(request).await {
            Ok(answer) => Ok(answer.checksum.is_some_and(|checksum| checksum == whole_sum(parts))),
            Err(error) if error.reason == Reason::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Passes a result on, after removing the parts if it is an error.
    async fn or_abort(
        &self,
        result: Result<(), CloudError>,
        id: &str,
        observer: &Observer<'_>,
    ) -> Result<(), CloudError> {
        if result.is_err()
            && let Err(error) = self.abort(self.key, id).await
        {
            let why = format!(
                "the parts that were uploaded, which the next `lamstream deploy` uses and `lamstream destroy` removes: {error}"
            );
            observer.tell(&Event::Stays { function: self.place.names.function.clone(), why });
        }
        result
    }

    async fn abort(&self, key: &str, id: &str) -> Result<(), CloudError> {
        let query = format!("uploadId={}", encoded(id));
        match self.ask(self.about("AbortMultipartUpload", Method::DELETE, key, query)).await {
            Err(error) if error.reason == Reason::Missing => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn encoded(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, IN_QUERY)
}

/// The checksum of an object that was put together from parts: that of the parts' checksums, and their number.
fn whole_sum(parts: &[Part]) -> String {
    let sums = parts.iter().filter_map(|part| STANDARD.decode(&part.sum).ok());
    let mut whole = Sha256::new();
    sums.for_each(|sum| whole.update(sum));
    format!("{}-{}", STANDARD.encode(whole.finalize()), parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_package_and_none_but_the_last_is_small() {
        let zip = Bytes::from(vec![7; 3 * PART + 5]);
        let parts = split(&zip);
        assert_eq!(parts.iter().map(|part| part.bytes.len()).collect::<Vec<_>>(), [PART, PART, PART, 5]);
        assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(whole_sum(&parts).ends_with("=-4"));
        const { assert!(PART >= 5 * 1024 * 1024) };
    }
}
