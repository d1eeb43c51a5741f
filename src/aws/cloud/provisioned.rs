//! Instances that are kept warm for the alias `live`.

use crate::apply::{CloudError, Observer, Reason};
use crate::aws::error::Doing;
use crate::aws::place::Place;
use crate::aws::wait::{self, Polled, Wait};
use crate::plan::Diff;
use crate::stack::{Names, Provisioned};
use aws_sdk_lambda::operation::get_provisioned_concurrency_config::GetProvisionedConcurrencyConfigOutput;
use aws_sdk_lambda::types::ProvisionedConcurrencyStatusEnum as Status;

/// The requested number. A failed allocation counts as not requested, because only a new request helps.
pub(super) async fn observe(place: &Place<'_>) -> Result<Option<Provisioned>, CloudError> {
    let found = get(place).await?.filter(|found| found.status() != Some(&Status::Failed));
    Ok(found
        .and_then(|found| found.requested_provisioned_concurrent_executions())
        .and_then(|count| u32::try_from(count).ok())
        .map(Provisioned))
}

async fn get(place: &Place<'_>) -> Result<Option<GetProvisionedConcurrencyConfigOutput>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_provisioned_concurrency_config().function_name(&name).qualifier(Names::ALIAS);
    match call.send().await {
        // The alias, its configuration or the whole operation does not exist.
        Err(error) if error.raw_response().is_some_and(|answer| answer.status().as_u16() == 404) => Ok(None),
        other => other.doing(|| format!("read the provisioned concurrency of function `{name}`")).map(Some),
    }
}

pub(super) async fn carry_out(
    place: &Place<'_>,
    diff: &Diff<Provisioned>,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let lambda = &place.account.lambda;
    let action = || format!("provision concurrency for function `{name}`");
    let Some(Provisioned(count)) = diff.target() else {
        let call = lambda.delete_provisioned_concurrency_config().function_name(&name).qualifier(Names::ALIAS);
        return call.send().await.if_found(action).map(|_| ());
    };
    let call = lambda.put_provisioned_concurrency_config().function_name(&name).qualifier(Names::ALIAS);
    call.provisioned_concurrent_executions(*count as i32).send().await.doing(action)?;
    let wait = Wait { function: &place.names.function, for_what: "Lambda to keep instances ready", limit: wait::READY };
    wait.until(observer, async || {
        let found = get(place).await?;
        let reason = found.as_ref().and_then(|found| found.status_reason()).unwrap_or("it is not ready yet").to_owned();
        match found.as_ref().and_then(|found| found.status()) {
            Some(Status::Ready) => Ok(Polled::Done(())),
            Some(Status::Failed) => Err(CloudError::new(action(), Reason::Refused, reason)),
            _ => Ok(Polled::NotYet(CloudError::new(action(), Reason::Refused, reason))),
        }
    })
    .await
}
