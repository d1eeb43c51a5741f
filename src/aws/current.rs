//! One function as it was observed: a guarded write says that this is what it expects to find.

use super::place::Place;
use super::pointing::{Alias, Pointing};
use super::version::{Condition, Version};
use super::wait::{self, Look, Wait, is_refusal};
use crate::apply::{CloudError, Observed, Observer, Reason};

/// What was observed, kept up to date by our own writes where the next write is guarded by it.
pub struct Current<'a> {
    pub place: &'a Place<'a>,
    pub observed: Observed,
    /// `$LATEST` as last seen.
    pub(super) latest: Option<Version>,
    pub(super) alias: Option<Alias>,
    /// A write of the alias whose outcome is not known.
    pub(super) attempt: Option<Pointing>,
    /// Where `live` pointed when it was observed, before anything of ours.
    pub(super) before: Option<Pointing>,
    /// How many instances are kept warm for `live`.
    pub(super) provisioned: Option<u32>,
}

impl Current<'_> {
    /// `$LATEST` as last seen; read now if nothing was seen yet.
    pub(super) async fn latest(&mut self, observer: &Observer<'_>) -> Result<Version, CloudError> {
        match self.latest.clone().filter(|version| version.condition != Condition::Busy) {
            Some(version) => Ok(version),
            None => self.see_latest(observer).await,
        }
    }

    pub(super) async fn see_latest(&mut self, observer: &Observer<'_>) -> Result<Version, CloudError> {
        let version = self.place.settled(None, observer).await?;
        self.latest = Some(version.clone());
        Ok(version)
    }

    /// Writes to `$LATEST` until it is as `wanted`, and only over what was seen there, which `write` is given.
    ///
    /// A revision may be stale without anybody else's doing: it also moves when an update completes, and the SDK may
    /// have repeated a write whose reply was lost. So a refusal is judged by looking again, and where nothing else has
    /// changed the write is tried again after a pause.
    ///
    /// # Errors
    /// `Conflict` when another process changed it meanwhile; whatever `write` fails with otherwise.
    pub(super) async fn guarded(
        &mut self,
        action: &str,
        observer: &Observer<'_>,
        wanted: impl Fn(&Version) -> bool,
        write: impl AsyncFn(&Version) -> Result<(), CloudError>,
    ) -> Result<(), CloudError> {
        let conflict = || CloudError::new(action, Reason::Conflict, "another process changed it in the meantime");
        let mut expected = self.latest(observer).await?;
        let function = &self.place.names.function;
        let wait = Wait { function, for_what: "another update to end", limit: wait::BUSY };
        wait.until(observer, async || {
            if wanted(&expected) {
                return Ok(Look::Done(()));
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
                _ if wanted(&now) => Ok(Look::Done(())),
                (_, Some(refusal)) if now.same_content(&expected) => {
                    expected = now;
                    Ok(Look::NotYet(refusal))
                }
                _ => Err(conflict()),
            }
        })
        .await
    }
}
