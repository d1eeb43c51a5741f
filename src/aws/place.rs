//! One function's place on AWS.

use super::access::Account;
use super::error::Doing;
use super::version::{Condition, Version};
use super::wait::{self, Delay, Made, Polled, Subject, Wait};
use crate::apply::{CloudError, Observer, Reason};
use crate::stack::{Arrival, Names};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// The account and the names of one function, which may not exist yet.
#[derive(Clone)]
pub struct Place<'a> {
    pub account: &'a Account,
    pub(super) names: Names,
    /// Whether everything is to be deleted. In that case, faults such as a URL that is down do not matter.
    pub(super) to_delete: bool,
    /// Shared by all clones.
    made: Arc<Mutex<BTreeSet<Made>>>,
    /// The ids of this run's invocations, shared in the same way.
    invoked: Arc<Mutex<Vec<String>>>,
}

impl<'a> Place<'a> {
    pub fn new(account: &'a Account, names: Names) -> Place<'a> {
        Place { account, names, to_delete: false, made: Arc::default(), invoked: Arc::default() }
    }

    /// A place that is observed in order to delete what exists there.
    pub fn to_delete(account: &'a Account, names: Names) -> Place<'a> {
        Place { to_delete: true, ..Place::new(account, names) }
    }

    /// The same place, in which some resources have other names.
    pub(super) fn renamed(&self, names: Names) -> Place<'a> {
        Place { names, ..self.clone() }
    }

    /// Remembers that this run made something, so that it is not taken for deleted while AWS does not find it yet.
    pub(super) fn note_made(&self, made: Made) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(made);
    }

    pub(super) fn has_made(&self, made: Made) -> bool {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).contains(&made)
    }

    /// What is remembered of a move of `live` that happens now.
    pub(super) fn arrival(&self) -> Arrival {
        let now = self.account.clock.time().duration_since(UNIX_EPOCH).unwrap_or_default();
        Arrival { at: i64::try_from(now.as_secs()).unwrap_or(i64::MAX), by: self.account.caller(&self.names) }
    }

    pub(super) fn note_invoked(&self, request: &str) {
        self.invoked.lock().unwrap_or_else(PoisonError::into_inner).push(request.to_owned());
    }

    /// The ids of the invocations that this run has made since the last time.
    pub fn take_invoked(&self) -> Vec<String> {
        std::mem::take(&mut *self.invoked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `GetFunction`; `qualifier` is an alias or a number, `None` means `$LATEST`.
    pub(super) async fn get_function(&self, qualifier: Option<&str>) -> Result<Option<GetFunctionOutput>, CloudError> {
        let name = self.names.function_name();
        let call = self.account.lambda.get_function().function_name(&name).set_qualifier(qualifier.map(str::to_owned));
        call.send().await.if_found(|| format!("read function `{name}`"))
    }

    /// Waits until Lambda has finished a version, and returns it.
    ///
    /// # Errors
    /// If Lambda could not create the version, or the version does not exist.
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
                let deleted = CloudError::new(action(), Reason::Conflict, "another process deleted it in the meantime");
                return match self.delay(Subject::Function, Reason::Missing).await {
                    Some(delay) => {
                        Ok(Polled::Late(delay, CloudError { message: "AWS does not find it".into(), ..deleted }))
                    }
                    None => Err(deleted),
                };
            };
            let version = Version::of(configuration, &self.names);
            match &version.condition {
                Condition::Ready | Condition::Inactive => Ok(Polled::Done(version)),
                Condition::Busy => Ok(match version.snapshot() {
                    Some(number) => {
                        let state = configuration.state().map_or("unknown", |state| state.as_str());
                        let late = CloudError::new(action(), Reason::Refused, "its snapshot is not made yet");
                        Polled::Late(wait::snapshot(number, state), late)
                    }
                    None => Polled::NotYet(CloudError::new(action(), Reason::Refused, "it is still being updated")),
                }),
                Condition::NeverMade(why) => Err(match version.snapshot() {
                    Some(number) => {
                        let action = format!("make the snapshot of version {number} of function `{name}`");
                        CloudError::new(action, Reason::NoSnapshot, why.clone())
                    }
                    None => CloudError::new(action(), Reason::Refused, why.clone()),
                }),
                // The version is unchanged. Whether that is an error depends on which process made the update.
                Condition::UpdateFailed(_) => Ok(Polled::Done(version)),
            }
        })
        .await
    }

    /// Whether a call that failed for this reason has to be repeated after a while.
    pub(super) async fn delay(&self, about: Subject, reason: Reason) -> Option<Delay> {
        let delay = wait::delay(about, reason)?;
        let is_late = reason != Reason::Missing || self.made_what_is_missing(about).await;
        is_late.then_some(delay)
    }

    async fn made_what_is_missing(&self, about: Subject) -> bool {
        match about {
            Subject::Resource(resource) => self.has_made(Made::Resource(resource)),
            Subject::Bucket => self.has_made(Made::Bucket),
            Subject::Upload => false,
            Subject::Function | Subject::Invocation if self.has_made(Made::Function) => true,
            // If the function itself is missing, its new version is not late, but deleted.
            Subject::Function | Subject::Invocation => {
                (self.has_made(Made::Version) || self.has_made(Made::Alias))
                    && !matches!(self.get_function(None).await, Ok(None))
            }
        }
    }

    /// Does `work`, and again as long as its error means "not yet".
    ///
    /// # Errors
    /// As [`Wait::until`].
    pub(super) async fn until_accepted<T>(
        &self,
        about: Subject,
        observer: &Observer<'_>,
        mut work: impl AsyncFnMut() -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let wait = Wait { function: &self.names.function, for_what: "another update to finish", limit: Duration::ZERO };
        wait.until(observer, async || match work().await {
            Err(error) => match self.delay(about, error.reason).await {
                Some(delay) => Ok(Polled::Late(delay, error)),
                None => Err(error),
            },
            Ok(done) => Ok(Polled::Done(done)),
        })
        .await
    }
}
