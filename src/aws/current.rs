//! One function as observed. Each guarded write states that it expects to find the function in this state.

use super::memory::Memory;
use super::numbers::Numbers;
use super::place::Place;
use super::routing::{Alias, Routing};
use super::version::{Condition, Version};
use super::wait::{self, Polled, Wait, is_refusal};
use crate::apply::{CloudError, Observed, Observer, Reason};

/// The observed state. Our own writes update the parts that guard the next write.
pub struct Current<'a> {
    pub place: Place<'a>,
    pub observed: Observed,
    /// `$LATEST` as last seen.
    pub(super) latest: Option<Version>,
    /// The number of the version that this run has published with the function, as the coming release.
    pub(super) first_version: Option<String>,
    pub(super) alias: Option<Alias>,
    /// Whether a statement was added or removed since the alias was read, which changes its revision.
    pub(super) is_alias_stale: bool,
    /// Writes to the alias since it was last seen, the oldest first. It is unknown which of them took effect.
    pub(super) attempts: Vec<Routing>,
    /// Where `live` pointed before this run, with what this run learned about that release.
    pub(super) before: Option<Routing>,
    /// Versions that failed before any was live.
    pub(super) failed: Numbers,
    /// What this run learned and has not written yet. The next write to the alias includes it.
    pub(super) memory: Option<Memory>,
}

impl Current<'_> {
    /// `$LATEST` as last seen. It is read now if it was not seen yet or was busy.
    pub(super) async fn latest(&mut self, observer: &Observer<'_>) -> Result<Version, CloudError> {
        match self.latest.clone().filter(|version| version.condition != Condition::Busy) {
            Some(version) => Ok(version),
            None => self.see_latest(observer).await,
        }
    }

    pub(super) async fn see_latest(&mut self, observer: &Observer<'_>) -> Result<Version, CloudError> {
        let version = self.place.settled(None, observer).await?;
        if let Some(undecryptable) = &version.release.configuration.undecryptable {
            // Nothing would show whether a write has changed it.
            let action = format!("compare function `{}`", self.place.names.function_name());
            return Err(CloudError::new(action, Reason::Undecryptable, undecryptable.to_string()));
        }
        self.latest = Some(version.clone());
        Ok(version)
    }

    /// Writes to `$LATEST` until `wanted` accepts it. A write only replaces the version that was last seen, which
    /// `write` receives.
    ///
    /// A revision may be stale although no other process wrote: it also changes when an update completes, and the SDK
    /// may have repeated a write whose reply was lost. After a refusal, `$LATEST` is therefore read again. If nothing
    /// else has changed, the write is retried after a pause.
    ///
    /// # Errors
    /// `Conflict` if another process changed `$LATEST` in the meantime. Otherwise the error of `write`.
    pub(super) async fn guarded(
        &mut self,
        action: &str,
        observer: &Observer<'_>,
        wanted: impl Fn(&Version) -> bool,
        write: impl AsyncFn(&Version) -> Result<(), CloudError>,
    ) -> Result<(), CloudError> {
        let conflict = || CloudError::new(action, Reason::Conflict, "another process changed it in the meantime");
        let mut expected = self.latest(observer).await?;
        let function = self.place.names.function.clone();
        let wait = Wait { function: &function, for_what: "another update to finish", limit: wait::BUSY };
        wait.until(observer, async || {
            if wanted(&expected) {
                return Ok(Polled::Done(()));
            }
            let refusal = match write(&expected).await {
                Err(error) if is_refusal(&error) => Some(error),
                other => other.map(|()| None)?,
            };
            let now = self.see_latest(observer).await?;
            match (&now.condition, refusal) {
                (Condition::UpdateFailed(reason), None) => {
                    Err(CloudError::new(action, Reason::Refused, reason.clone()))
                }
                _ if wanted(&now) => Ok(Polled::Done(())),
                (_, Some(refusal)) if now.same_content(&expected) => {
                    expected = now;
                    Ok(Polled::NotYet(refusal))
                }
                _ => Err(conflict()),
            }
        })
        .await
    }
}
