//! Publishing a version, and turning traffic to it.

use super::alias;
use super::artifact::{Code, with_code};
use super::current::Current;
use super::error::Doing;
use super::place::Place;
use super::settings::{architecture, configure, uploading};
use super::version::Version;
use super::wait::{self, Look, Wait, is_refusal, is_role_too_new};
use crate::apply::{Artifact, CloudError, Delivery, Observer, Outputs, Reason, Source};
use crate::plan::Diff;
use crate::stack::{Configuration, Live, Release};
use aws_sdk_lambda::primitives::Blob;

/// The number of a version that is exactly `release`, once Lambda is done with it.
pub(super) async fn publish(
    current: &mut Current<'_>,
    release: &Release,
    source: &Source,
    observer: &Observer<'_>,
) -> Result<String, CloudError> {
    let number = match source {
        Source::Version(number) => number.clone(),
        Source::Zip(artifact) => {
            configure(current, release, observer).await?;
            upload(current, release, artifact, observer).await?;
            publish_latest(current, release, &artifact.origin, observer).await?
        }
        Source::Nothing => return Err(missing(current, "there is no code to publish")),
    };
    current.place.settled(Some(&number), observer).await?;
    Ok(number)
}

/// Turns traffic to the version that was published, or deletes `live`.
pub(super) async fn carry_out(
    current: &mut Current<'_>,
    diff: &Diff<Live>,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Result<Outputs, CloudError> {
    let Some(live) = diff.target() else { return alias::delete(current.place).await.map(|()| Outputs::default()) };
    let Source::Version(number) = delivery.source else { return Err(missing(current, "no version was published")) };
    let part = live.shift.as_ref().map(|shift| shift.weight);
    alias::route_to(current, number, part, delivery.verify, observer).await
}

fn missing(current: &Current<'_>, what: &str) -> CloudError {
    CloudError::new(format!("publish function `{}`", current.place.names.function_name()), Reason::Refused, what)
}

async fn configure(current: &mut Current<'_>, to: &Release, observer: &Observer<'_>) -> Result<(), CloudError> {
    let place = current.place;
    let action = format!("configure function `{}`", place.names.function_name());
    // The architecture is the code's: only an upload can change it.
    let wanted = |version: &Version| {
        let found = &version.release.configuration;
        Configuration { architecture: to.configuration.architecture, ..found.clone() } == to.configuration
    };
    let wait = Wait { function: &place.names.function, for_what: "Lambda to accept the role", limit: wait::ROLE };
    current
        .guarded(&action, observer, wanted, async |expected| {
            wait.until(observer, async || match send_configuration(place, to, expected, &action).await {
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
    expected: &Version,
    action: &str,
) -> Result<(), CloudError> {
    let call = place.account.lambda.update_function_configuration().function_name(place.names.function_name());
    let call = configure!(call, &to.configuration, &expected.release.configuration.attachments);
    let call = call.set_revision_id(expected.revision.clone());
    call.send().await.doing(|| action.to_owned()).map(|_| ())
}

async fn upload(
    current: &mut Current<'_>,
    to: &Release,
    artifact: &Artifact,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let place = current.place;
    let name = place.names.function_name();
    let action = format!("upload the code of function `{name}`");
    let wanted = |version: &Version| version.release == *to;
    if wanted(&current.latest(observer).await?) {
        return Ok(());
    }
    with_code(place, artifact, observer, async |code| {
        current
            .guarded(&action, observer, wanted, async |expected| {
                let call = place.account.lambda.update_function_code().function_name(&name);
                let call = match code {
                    Code::Inline(zip) => call.zip_file(Blob::new(zip.to_vec())),
                    Code::Object { bucket, key } => call.s3_bucket(bucket).s3_key(key),
                };
                let call = call.architectures(architecture(to.configuration.architecture)).publish(false);
                let call = call.set_revision_id(expected.revision.clone()).customize().config_override(uploading());
                call.send().await.doing(|| action.clone()).map(|_| ())
            })
            .await
    })
    .await
}

/// Publishes `$LATEST`, which must be exactly `to`; gives the version's number. Lambda makes no new version when
/// nothing changed since the last one, so that a repeated call is harmless.
async fn publish_latest(
    current: &mut Current<'_>,
    to: &Release,
    origin: &str,
    observer: &Observer<'_>,
) -> Result<String, CloudError> {
    let place = current.place;
    let name = place.names.function_name();
    let action = || format!("publish function `{name}`");
    let wait = Wait { function: &place.names.function, for_what: "another update to end", limit: wait::BUSY };
    wait.until(observer, async || {
        let latest = current.latest(observer).await?;
        if latest.release != *to {
            return Err(CloudError::new(action(), Reason::Conflict, "another process changed it in the meantime"));
        }
        let call = place.account.lambda.publish_version().function_name(&name).code_sha256(&to.code);
        let call = call.set_description(Some(origin.to_owned()).filter(|origin| !origin.is_empty()));
        match call.set_revision_id(latest.revision).send().await.doing(action) {
            Ok(published) => Ok(Look::Done(published.version.unwrap_or_default())),
            Err(error) if is_refusal(&error) => {
                current.see_latest(observer).await?;
                Ok(Look::NotYet(error))
            }
            Err(error) => Err(error),
        }
    })
    .await
}
