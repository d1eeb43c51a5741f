//! Deletes old versions after a deploy.

use crate::apply::Event;
use crate::aws::OldVersions;
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::report::FunctionAnswer;

/// Whether there may be versions to delete. After a first release there is none, and if nothing has changed, only those
/// that a lower `keep_releases` makes superfluous.
pub(super) fn may_have_old_versions(answer: &FunctionAnswer, keep: u32) -> bool {
    let newest: u32 = answer.outputs.newest().and_then(|version| version.parse().ok()).unwrap_or(u32::MAX);
    newest > if answer.changed { 1 } else { keep }
}

/// Deletes old versions; `known` is what was read of them before. A failure here does not fail the deploy, because the next
/// one retries. An interrupted run skips this.
pub(super) async fn prune(session: &Session, job: &Job<'_>, known: Option<OldVersions>) {
    let pruning = async {
        let found = match known {
            Some(found) => found,
            None => job.place.old_versions().await?,
        };
        job.place.prune(job.function.keep_releases as usize, &found).await
    };
    let Ok(pruned) = session.until_stopped(pruning).await else { return };
    match pruned {
        Ok(versions) if versions.is_empty() => {}
        Ok(versions) => session.console.tell(&Event::Pruned { function: job.function.name.clone(), versions }),
        Err(error) => {
            session.console.note(&format!("could not delete old versions (will retry on the next deploy): {error}"))
        }
    }
}
