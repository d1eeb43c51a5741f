//! One function's place on AWS: what was seen there, so that every guarded write can say what it expects.

use super::access::Account;
use super::alias::{Alias, Pointing};
use super::error::Doing;
use super::version::{Condition, Version};
use super::wait::{self, Look, Wait, is_refusal};
use crate::apply::{CloudError, Observer, Reason};
use crate::stack::Names;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use std::cell::RefCell;

/// Where one function lives, or will.
pub struct Place<'a> {
    pub(super) account: &'a Account,
    pub(super) names: Names,
    /// Whether all of it is to be deleted: then what is out of order there stands in nobody's way.
    pub(super) to_delete: bool,
    pub(super) seen: RefCell<Seen>,
}

/// What the last observation, or our own last write, found.
#[derive(Default)]
pub(super) struct Seen {
    pub latest: Option<Version>,
    pub alias: Option<Alias>,
    /// A write of the alias whose outcome is not known.
    pub attempt: Option<Pointing>,
    /// Where `live` pointed when it was observed, before anything of ours.
    pub before: Option<Pointing>,
    /// How many instances are kept warm for `live`.
    pub provisioned: Option<u32>,
}

/// Where the traffic goes, compared with what was observed first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// As it was.
    Unmoved,
    /// This version was turned to last, and has it, or a part of it.
    Moved(String),
    /// This version may have it: nobody could see what became of the move.
    Unknown(String),
}

impl<'a> Place<'a> {
    pub fn new(account: &'a Account, names: Names) -> Place<'a> {
        Place { account, names, to_delete: false, seen: RefCell::default() }
    }

    /// A place that is observed in order to delete what is there.
    pub fn to_delete(account: &'a Account, names: Names) -> Place<'a> {
        Place { to_delete: true, ..Place::new(account, names) }
    }

    /// Removes the bucket that a killed upload may have left, whatever else there is; tells its name where there was one.
    ///
    /// # Errors
    /// When it may be there, and cannot be removed.
    pub async fn sweep(&self) -> Result<Option<String>, CloudError> {
        super::artifact::sweep(self).await
    }

    /// `GetFunction`; `qualifier` is an alias or a number, `None` means `$LATEST`.
    pub(super) async fn get_function(&self, qualifier: Option<&str>) -> Result<Option<GetFunctionOutput>, CloudError> {
        let name = self.names.function_name();
        let call = self.account.lambda.get_function().function_name(&name).set_qualifier(qualifier.map(str::to_owned));
        call.send().await.if_found(|| format!("read function `{name}`"))
    }

    /// A version, once Lambda is done with it.
    ///
    /// # Errors
    /// When Lambda could not make it, or it is not there.
    pub(super) async fn settled(
        &self,
        qualifier: Option<&str>,
        observer: &Observer<'_>,
    ) -> Result<Version, CloudError> {
        let name = self.names.function_name();
        let action = || format!("wait for function `{name}`");
        let wait = Wait { function: &self.names.function, for_what: "Lambda to finish an update", limit: wait::UPDATE };
        wait.until(observer, async || {
            let found = self.get_function(qualifier).await?;
            let Some(configuration) = found.as_ref().and_then(|found| found.configuration()) else {
                return Err(CloudError::new(action(), Reason::Conflict, "somebody else deleted it"));
            };
            let version = Version::of(configuration, &self.names);
            match &version.condition {
                Condition::Ready => Ok(Look::Done(version)),
                Condition::Busy => {
                    Ok(Look::NotYet(CloudError::new(action(), Reason::Refused, "it is still being updated")))
                }
                Condition::NeverMade(reason) => Err(CloudError::new(action(), Reason::Refused, reason.clone())),
                // The version is as it was before: whether that is an error depends on whose update it was.
                Condition::UpdateFailed(_) => Ok(Look::Done(version)),
            }
        })
        .await
    }

    /// `$LATEST` as last seen; read now where nothing was seen yet.
    pub(super) async fn latest(&self, observer: &Observer<'_>) -> Result<Version, CloudError> {
        let seen = self.seen.borrow().latest.clone().filter(|version| version.condition != Condition::Busy);
        match seen {
            Some(version) => Ok(version),
            None => self.see_latest(observer).await,
        }
    }

    pub(super) async fn see_latest(&self, observer: &Observer<'_>) -> Result<Version, CloudError> {
        let version = self.settled(None, observer).await?;
        self.seen.borrow_mut().latest = Some(version.clone());
        Ok(version)
    }

    /// Writes to `$LATEST` until it is as `wanted`, and only over what was seen there.
    ///
    /// A revision may be stale without anybody else's doing: it also moves when an update completes, and the SDK may
    /// have repeated a write whose reply was lost. So a refusal is judged by looking again, and where nothing else has
    /// changed the write is tried again after a pause.
    ///
    /// # Errors
    /// `Conflict` when somebody else changed it meanwhile; whatever `write` fails with otherwise.
    pub(super) async fn guarded(
        &self,
        action: &str,
        observer: &Observer<'_>,
        wanted: impl Fn(&Version) -> bool,
        write: impl AsyncFn(Option<String>) -> Result<(), CloudError>,
    ) -> Result<(), CloudError> {
        let conflict = || CloudError::new(action, Reason::Conflict, "somebody else is changing it at the same time");
        let mut expected = self.latest(observer).await?;
        let wait = Wait { function: &self.names.function, for_what: "another update to end", limit: wait::BUSY };
        wait.until(observer, async || {
            if wanted(&expected) {
                return Ok(Look::Done(()));
            }
            let refusal = match write(expected.revision.clone()).await {
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
