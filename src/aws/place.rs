//! One function's place on AWS.

use super::access::Account;
use super::error::Doing;
use super::version::{Condition, Version};
use super::wait::{self, Look, Wait};
use crate::apply::{CloudError, Observer, Reason};
use crate::stack::Names;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;

/// Where one function lives, or will.
pub struct Place<'a> {
    pub account: &'a Account,
    pub(super) names: Names,
    /// Whether all of it is to be deleted: then it does not matter what is out of order there.
    pub(super) to_delete: bool,
}

impl<'a> Place<'a> {
    pub fn new(account: &'a Account, names: Names) -> Place<'a> {
        Place { account, names, to_delete: false }
    }

    /// A place that is observed in order to delete what is there.
    pub fn to_delete(account: &'a Account, names: Names) -> Place<'a> {
        Place { to_delete: true, ..Place::new(account, names) }
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
                return Err(CloudError::new(action(), Reason::Conflict, "another process deleted it in the meantime"));
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
}
