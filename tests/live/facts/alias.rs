//! Aliases, and what belongs to them: of the function `raw`, after `control.rs` has published two versions of it.

use super::{Fact, accepted, answer, facts, refused};
use crate::live::{Live, RAW, SETTLES};
use crate::place::{Signature, until};
use crate::report::{Seen, seen};
use anyhow::{Context as _, Result};
use aws_sdk_lambda::types::{AliasRoutingConfiguration, FunctionUrlAuthType, ProvisionedConcurrencyStatusEnum};
use std::time::Duration;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "alias-description" "An alias takes a description of 256 characters, and no longer one" description;
    Everywhere "alias-revision" "UpdateAlias with a stale RevisionId of the alias gets 412" revision;
    Everywhere "alias-deleted" "A deleted alias leaves its URL's configuration, which then answers 403" deleted;
    Everywhere "version-in-use" "A version that an alias points to cannot be deleted" version_in_use;
    Everywhere "provisioned-weights" "An alias with weights cannot have provisioned concurrency" provisioned_weights;
    Everywhere "provisioned-states" "Provisioned concurrency is IN_PROGRESS, then READY" provisioned_states;
};

/// Creates an alias of the raw function that points to version 1.
async fn make(live: &Live<'_>, alias: &str, description: &str) -> Result<Result<String, super::Refusal>> {
    let create = live.place.lambda.create_alias().function_name(live.name(RAW)).name(alias);
    let made = answer(create.function_version("1").description(description).send().await)?;
    Ok(made.map(|made| made.revision_id.unwrap_or_default()))
}

async fn description(live: &Live<'_>) -> Result<Seen> {
    let longest = make(live, "longest", &"d".repeat(256)).await?;
    let longer = make(live, "longer", &"d".repeat(257)).await?;
    let word = |outcome: &Result<String, super::Refusal>| match outcome {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => format!("{} {}", refusal.status, refusal.code),
    };
    seen(longest.is_ok() && longer.is_err(), format!("256: {}, 257: {}", word(&longest), word(&longer)))
}

async fn revision(live: &Live<'_>) -> Result<Seen> {
    let first = make(live, "revised", "one").await?.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    let update = || live.place.lambda.update_alias().function_name(live.name(RAW)).name("revised");
    accepted(update().description("two").revision_id(&first).send().await)?;
    let said = refused(update().description("three").revision_id(&first).send().await)?;
    seen(said.status == 412 && said.code == "PreconditionFailedException", said.to_string())
}

async fn deleted(live: &Live<'_>) -> Result<Seen> {
    let (lambda, function) = (&live.place.lambda, live.name(RAW));
    let _ = make(live, "gone", "").await?;
    let create = lambda.create_function_url_config().function_name(&function).qualifier("gone");
    let url = accepted(create.auth_type(FunctionUrlAuthType::AwsIam).send().await)?.function_url;
    let status = |expected: u16| {
        let url = &url;
        async move {
            let reply = live.place.signed(Signature::of("lambda"), "GET", url, &[], b"").await?;
            Ok((reply.status == expected).then_some(()))
        }
    };
    let before = until(SETTLES, || status(200)).await?.is_some();
    accepted(lambda.delete_alias().function_name(&function).name("gone").send().await)?;
    let after = until(SETTLES, || status(403)).await?.is_some();
    let left =
        answer(lambda.get_function_url_config().function_name(&function).qualifier("gone").send().await)?.is_ok();
    let text = format!(
        "{} before; then {}, its configuration {}",
        if before { "200" } else { "no 200" },
        if after { "403" } else { "no 403" },
        if left { "stays" } else { "is gone" }
    );
    seen(before && after && left, text)
}

async fn version_in_use(live: &Live<'_>) -> Result<Seen> {
    let said = refused(live.place.lambda.delete_function().function_name(live.name(RAW)).qualifier("1").send().await)?;
    seen(said.status == 409, said.to_string())
}

async fn provisioned_weights(live: &Live<'_>) -> Result<Seen> {
    let (lambda, function) = (&live.place.lambda, live.name(RAW));
    let weights = AliasRoutingConfiguration::builder().additional_version_weights("2", 0.5).build();
    let create = lambda.create_alias().function_name(&function).name("weighted").function_version("1");
    accepted(create.routing_config(weights).send().await)?;
    let put = lambda.put_provisioned_concurrency_config().function_name(&function).qualifier("weighted");
    let said = refused(put.provisioned_concurrent_executions(1).send().await)?;
    let holds = said.message.contains("Alias with weights can not be used with Provisioned Concurrency");
    seen(holds, said.to_string())
}

async fn provisioned_states(live: &Live<'_>) -> Result<Seen> {
    let (lambda, function) = (&live.place.lambda, live.name(RAW));
    let put = lambda.put_provisioned_concurrency_config().function_name(&function).qualifier("2");
    let first = accepted(put.provisioned_concurrent_executions(1).send().await)?.status.context("it has no status")?;
    let ended = until(Duration::from_secs(300), || async {
        let get = lambda.get_provisioned_concurrency_config().function_name(&function).qualifier("2");
        let status = accepted(get.send().await)?.status;
        Ok(status.filter(|status| *status != ProvisionedConcurrencyStatusEnum::InProgress))
    });
    let ended = ended.await?;
    let delete = lambda.delete_provisioned_concurrency_config().function_name(&function).qualifier("2");
    accepted(delete.send().await)?;
    let Some((status, after)) = ended else { return seen(false, format!("{first} for more than five minutes")) };
    let holds =
        first == ProvisionedConcurrencyStatusEnum::InProgress && status == ProvisionedConcurrencyStatusEnum::Ready;
    seen(holds, format!("{first}, then {status} after {:.1} s", after.as_secs_f64()))
}
