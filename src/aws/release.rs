//! Publishing a version and moving the alias `live` to it.

use super::error::Doing;
use super::place::{Alias, Place};
use super::settings::{architecture, environment, logging, storage, uploading};
use super::version::Version;
use super::wait::{self, Look, Wait, is_role_too_new};
use crate::apply::{Audience, CloudError, Delivery, Outputs, Reason};
use crate::plan::Diff;
use crate::stack::{Configuration, Names, Release};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{AliasRoutingConfiguration, Runtime};

/// How often publishing is tried again when only the revision moved.
const TRIES: usize = 4;
pub(super) async fn alias(place: &Place<'_>) -> Result<Option<Alias>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_alias().function_name(&name).name(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read alias `{}` of function `{name}`", Names::ALIAS))?;
    Ok(found.map(|alias| Alias {
        version: alias.function_version.unwrap_or_default(),
        description: alias.description.unwrap_or_default(),
        revision: alias.revision_id,
    }))
}

pub(super) async fn carry_out(
    place: &Place<'_>,
    diff: &Diff<Release>,
    delivery: &Delivery<'_>,
    audience: &Audience<'_>,
) -> Result<Outputs, CloudError> {
    let Some(release) = diff.target() else {
        let name = place.names.function_name();
        let call = place.account.lambda.delete_alias().function_name(&name).name(Names::ALIAS);
        call.send().await.if_found(|| format!("delete alias `{}` of function `{name}`", Names::ALIAS))?;
        return Ok(Outputs::default());
    };
    configure(place, release, audience).await?;
    upload(place, release, delivery, audience).await?;
    let number = publish(place, release, audience).await?;
    place.settled(Some(&number), audience).await?;
    move_live(place, &number).await
}

async fn configure(place: &Place<'_>, to: &Release, audience: &Audience<'_>) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let action = format!("configure function `{name}`");
    // The architecture is the code's: only an upload can change it.
    let wanted = |version: &Version| {
        let found = &version.release.configuration;
        Configuration { architecture: to.configuration.architecture, ..found.clone() } == to.configuration
    };
    let wait = Wait { function: &place.names.function, for_what: "Lambda to accept the role", limit: wait::ROLE };
    place
        .guarded(&action, audience, wanted, async |revision| {
            wait.until(audience, async || match send_configuration(place, to, revision.clone(), &action).await {
                Err(error) if is_role_too_new(&error) => Ok(Look::NotYet(error)),
                other => other.map(Look::Done),
            })
            .await
        })
        .await
}

async fn send_configuration(
    place: &Place<'_>,
    to: &Release,
    revision: Option<String>,
    action: &str,
) -> Result<(), CloudError> {
    let configuration = &to.configuration;
    let call = place
        .account
        .lambda
        .update_function_configuration()
        .function_name(place.names.function_name())
        .role(&configuration.role_arn)
        .runtime(Runtime::from(configuration.runtime.as_str()))
        .handler(&configuration.handler)
        .memory_size(configuration.memory as i32)
        .timeout(configuration.timeout as i32)
        .ephemeral_storage(storage(configuration.ephemeral_storage)?)
        .environment(environment(&configuration.environment))
        .logging_config(logging(configuration))
        .set_layers(Some(configuration.layers.clone()))
        .set_revision_id(revision);
    call.send().await.doing(|| action.to_owned()).map(|_| ())
}

async fn upload(
    place: &Place<'_>,
    to: &Release,
    delivery: &Delivery<'_>,
    audience: &Audience<'_>,
) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let action = format!("upload the code of function `{name}`");
    let wanted = |version: &Version| version.release == *to;
    place
        .guarded(&action, audience, wanted, async |revision| {
            let Some(zip) = delivery.zip else {
                return Err(CloudError::new(&action, Reason::Refused, "there is no code to upload"));
            };
            let call = place.account.lambda.update_function_code().function_name(&name).zip_file(Blob::new(zip));
            let call = call.architectures(architecture(to.configuration.architecture)).publish(false);
            let call = call.set_revision_id(revision).customize().config_override(uploading());
            call.send().await.doing(|| action.clone()).map(|_| ())
        })
        .await
}

/// Publishes `$LATEST`, which must be exactly `to`; gives the version's number. Lambda makes no new version when
/// nothing changed since the last one, so that a repeated call is harmless.
async fn publish(place: &Place<'_>, to: &Release, audience: &Audience<'_>) -> Result<String, CloudError> {
    let name = place.names.function_name();
    let action = || format!("publish function `{name}`");
    for _ in 0..TRIES {
        let latest = place.latest(audience).await?;
        if latest.release != *to {
            break;
        }
        let call = place.account.lambda.publish_version().function_name(&name).code_sha256(&to.code);
        match call.set_revision_id(latest.revision).send().await.doing(action) {
            Ok(published) => return Ok(published.version.unwrap_or_default()),
            Err(error) if error.is("PreconditionFailedException") || error.is("ResourceConflictException") => {
                place.see_latest(audience).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Err(CloudError::new(action(), Reason::Conflict, "somebody else is changing it at the same time"))
}

async fn move_live(place: &Place<'_>, number: &str) -> Result<Outputs, CloudError> {
    let name = place.names.function_name();
    let action = || format!("move alias `{}` of function `{name}` to version {number}", Names::ALIAS);
    let conflict = || CloudError::new(action(), Reason::Conflict, "somebody else moved it meanwhile");
    let mut expected = place.seen.borrow().alias.clone();
    for _ in 0..TRIES {
        let previous = match &expected {
            Some(alias) if alias.version == number => alias.previous(),
            other => other.as_ref().map(|alias| alias.version.clone()),
        };
        let description = format!("lamstream previous={}", previous.as_deref().unwrap_or_default());
        let refused = match send_alias(place, expected.as_ref(), number, &description).await.err() {
            Some(error) if error.is("PreconditionFailedException") || error.is("ResourceConflictException") => true,
            Some(error) => return Err(error),
            None => false,
        };
        let now = alias(place).await?.ok_or_else(conflict)?;
        place.seen.borrow_mut().alias = Some(now.clone());
        if now.version == number && now.description == description {
            return Ok(Outputs { version: Some(number.to_owned()), previous, url: None });
        }
        // A new statement on the alias may move its revision; that is no reason to give up.
        if !refused || !expected.as_ref().is_some_and(|expected| expected.same_content(&now)) {
            return Err(conflict());
        }
        expected = Some(now);
    }
    Err(conflict())
}

async fn send_alias(
    place: &Place<'_>,
    expected: Option<&Alias>,
    number: &str,
    description: &str,
) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let lambda = &place.account.lambda;
    let action = || format!("move alias `{}` of function `{name}` to version {number}", Names::ALIAS);
    let Some(expected) = expected else {
        let call = lambda.create_alias().function_name(&name).name(Names::ALIAS).function_version(number);
        return call.description(description).send().await.doing(action).map(|_| ());
    };
    let call = lambda.update_alias().function_name(&name).name(Names::ALIAS).function_version(number);
    let whole = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(Default::default())).build();
    let call = call.description(description).routing_config(whole).set_revision_id(expected.revision.clone());
    call.send().await.doing(action).map(|_| ())
}
