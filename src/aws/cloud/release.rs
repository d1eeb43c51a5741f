//! Publishes versions, and routes traffic to them.

use crate::apply::{Artifact, CloudError, CodeOrigin, Delivery, Observer, Outputs, Reason, ReleaseSource};
use crate::aws::alias;
use crate::aws::artifact::{CodeLocation, with_code};
use crate::aws::current::Current;
use crate::aws::error::Doing;
use crate::aws::place::Place;
use crate::aws::settings::{architecture, configure, uploading};
use crate::aws::version::Version;
use crate::aws::wait::{self, Made, Polled, Wait, is_refusal};
use crate::plan::Diff;
use crate::stack::{Configuration, Live, Origin, Release};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{LastUpdateStatus, State};

/// Returns the number of a version that is exactly `release`, once Lambda has finished it.
pub(super) async fn publish(
    current: &mut Current<'_>,
    release: &Release,
    source: &ReleaseSource,
    observer: &Observer<'_>,
) -> Result<String, CloudError> {
    let number = match source {
        ReleaseSource::Version(number) => number.clone(),
        ReleaseSource::Zip(_) if let Some(first) = current.first_version.take() => return Ok(first),
        ReleaseSource::Zip(artifact) => {
            configure(current, release, observer).await?;
            upload(current, release, artifact, observer).await?;
            let origin = origin(&current.place, artifact);
            match publish_latest(current, release, &origin, observer).await? {
                New { number, is_ready: true } => return Ok(number),
                New { number, is_ready: false } => number,
            }
        }
        ReleaseSource::Nothing => return Err(missing(current, "no code was built")),
    };
    let place = &current.place;
    match place.settled(Some(&number), observer).await {
        Ok(_) => Ok(number),
        Err(error) => {
            if error.reason == Reason::NoSnapshot && place.has_made(Made::Version) {
                // Lambda would not publish the same again while this version exists. If it cannot be deleted, the next
                // run meets it here again.
                let _ = place.delete_version(&number).await;
            }
            Err(error)
        }
    }
}

/// Routes traffic to the published version, or deletes `live`.
pub(super) async fn carry_out(
    current: &mut Current<'_>,
    diff: &Diff<Live>,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Result<Outputs, CloudError> {
    let Some(live) = diff.target() else { return alias::delete(&current.place).await.map(|()| Outputs::default()) };
    let ReleaseSource::Version(number) = delivery.source else {
        return Err(missing(current, "no version was published"));
    };
    let part = live.shift.as_ref().map(|shift| shift.weight);
    alias::route_to(current, number, part, delivery.verify, observer).await
}

fn missing(current: &Current<'_>, what: &str) -> CloudError {
    CloudError::new(format!("publish function `{}`", current.place.names.function_name()), Reason::Refused, what)
}

async fn configure(current: &mut Current<'_>, to: &Release, observer: &Observer<'_>) -> Result<(), CloudError> {
    let place = &current.place.clone();
    let action = format!("configure function `{}`", place.names.function_name());
    // The architecture belongs to the code, so only an upload can change it.
    let wanted = |version: &Version| {
        let found = &version.release.configuration;
        Configuration { architecture: to.configuration.architecture, ..found.clone() } == to.configuration
    };
    let send = async |expected: &Version| send_configuration(place, to, expected, &action).await;
    current.guarded(&action, observer, wanted, send).await
}

async fn send_configuration(
    place: &Place<'_>,
    to: &Release,
    expected: &Version,
    action: &str,
) -> Result<(), CloudError> {
    let call = place.account.lambda.update_function_configuration().function_name(place.names.function_name());
    let call = configure!(call, &to.configuration, &expected.release.configuration);
    let call = call.set_revision_id(expected.revision.clone());
    call.send().await.doing(|| action.to_owned()).map(|_| ())
}

async fn upload(
    current: &mut Current<'_>,
    to: &Release,
    artifact: &Artifact,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let place = &current.place.clone();
    let name = place.names.function_name();
    let action = format!("upload the code of function `{name}`");
    let wanted = |version: &Version| version.release == *to;
    if wanted(&current.latest(observer).await?) {
        return Ok(());
    }
    with_code(place, artifact, observer, async |code| {
        current
            .guarded(&action, observer, wanted, async |expected| {
                let _turn = code.turn(place).await;
                let call = place.account.lambda.update_function_code().function_name(&name);
                let call = match code {
                    CodeLocation::Inline(zip) => call.zip_file(Blob::new(zip.to_vec())),
                    CodeLocation::Object { bucket, key } => call.s3_bucket(bucket).s3_key(key),
                };
                let call = call.architectures(architecture(to.configuration.architecture)).publish(false);
                let call = call.set_revision_id(expected.revision.clone()).customize().config_override(uploading());
                call.send().await.doing(|| action.clone()).map(|_| ())
            })
            .await
    })
    .await
}

/// Where a version of this artifact comes from.
pub(super) fn origin(place: &Place<'_>, artifact: &Artifact) -> Origin {
    let code = artifact.origin.as_ref().and_then(|CodeOrigin(code)| code.clone());
    Origin { code, by: place.account.caller(&place.names) }
}

/// A version as Lambda returned it when it was published.
struct New {
    number: String,
    /// Whether it can be invoked. Lambda takes time only for snapshots and for versions that were not used for long.
    is_ready: bool,
}

/// Publishes `$LATEST`, which must be exactly `to`, and returns the version. Lambda creates no new version if
/// nothing has changed since the last one, so a repeated call is harmless.
async fn publish_latest(
    current: &mut Current<'_>,
    to: &Release,
    origin: &Origin,
    observer: &Observer<'_>,
) -> Result<New, CloudError> {
    let place = &current.place.clone();
    let name = place.names.function_name();
    let action = || format!("publish function `{name}`");
    let wait = Wait { function: &place.names.function, for_what: "another update to finish", limit: wait::BUSY };
    wait.until(observer, async || {
        let latest = current.latest(observer).await?;
        if latest.release != *to {
            return Err(CloudError::new(action(), Reason::Conflict, "another process changed it in the meantime"));
        }
        let call = place.account.lambda.publish_version().function_name(&name).set_code_sha256(to.code.clone());
        let call = call.set_description(origin.write());
        match call.set_revision_id(latest.revision).send().await.doing(action) {
            Ok(published) => match published.version {
                Some(number) => {
                    place.note_made(Made::Version);
                    let is_ready = published.state == Some(State::Active)
                        && published.last_update_status == Some(LastUpdateStatus::Successful);
                    Ok(Polled::Done(New { number, is_ready }))
                }
                None => Err(CloudError::new(action(), Reason::Refused, "AWS did not return the version's number")),
            },
            Err(error) if is_refusal(&error) => {
                current.see_latest(observer).await?;
                Ok(Polled::NotYet(error))
            }
            Err(error) => Err(error),
        }
    })
    .await
}
