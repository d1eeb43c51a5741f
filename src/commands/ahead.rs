//! What a rollout needs once the URL has passed, read while the URL is being verified.

use super::session::Session;
use super::site::Job;
use crate::aws::{Current, Fresh, OldVersions, Traffic};

/// The number of a function's first version, before which there are none.
const FIRST_VERSION: &str = "1";

/// Reads the alias again, if the next write to it needs that, and what decides which versions are old, if a deploy is about
/// to delete them. What cannot be read is read when it is needed.
pub(super) async fn read_ahead(
    session: &Session,
    job: &Job<'_>,
    current: &Current<'_>,
    prunes: bool,
) -> (Option<Fresh>, Option<OldVersions>) {
    let is_moved = matches!(current.traffic(), Traffic::Moved(version) if version != FIRST_VERSION);
    let old_versions = async { if prunes && is_moved { job.place.old_versions().await.ok() } else { None } };
    let reading = async { tokio::join!(current.freshen(), old_versions) };
    session.until_second_signal(reading).await.unwrap_or_default()
}
