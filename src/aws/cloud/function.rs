//! Lambda functions, apart from their releases.

use super::release::origin;
use crate::apply::{Artifact, CloudError, Delivery, Observer, Reason, ReleaseSource};
use crate::aws::artifact::{CodeLocation, with_code};
use crate::aws::current::Current;
use crate::aws::error::{Doing, may_exist};
use crate::aws::failed;
use crate::aws::first_version::{self, FirstVersion};
use crate::aws::place::Place;
use crate::aws::settings::{architecture, configure, uploading};
use crate::aws::version::{Condition, LATEST, Version};
use crate::aws::wait::{Made, Subject};
use crate::plan::Diff;
use crate::stack::{Configuration, Function, Live, Owner, Release, Tags};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::FunctionCode;

/// # Errors
/// If the caller may not read the tags: only the tags show who owns the function.
pub(super) fn observe(place: &Place<'_>, found: &GetFunctionOutput) -> Result<Function, CloudError> {
    let name = place.names.function_name();
    if let Some(error) = found.tags_error() {
        let message = format!("cannot tell whether it is ours: {} (`lambda:ListTags`)", error.message());
        return Err(CloudError::new(format!("read the tags of function `{name}`"), Reason::Refused, message));
    }
    let reserved = found.concurrency().and_then(|concurrency| concurrency.reserved_concurrent_executions());
    Ok(Function {
        description: found.configuration().and_then(|found| found.description()).unwrap_or_default().to_owned(),
        concurrency: reserved.and_then(|reserved| u32::try_from(reserved).ok()),
        tags: found
            .tags()
            .into_iter()
            .flatten()
            .filter(|(key, _)| ![failed::TAG, first_version::TAG].contains(&key.as_str()))
            .collect(),
    })
}

pub(super) async fn carry_out(
    current: &mut Current<'_>,
    diff: &Diff<Function>,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    match diff {
        Diff::Create(function) => create(current, function, delivery, observer).await,
        Diff::Update { from, to } => update(current, from, to, observer).await,
        Diff::Delete(_) => delete(&current.place).await,
    }
}

/// Creates the function with the code and configuration of the coming release, so that the release only needs to be
/// published.
async fn create(
    current: &mut Current<'_>,
    function: &Function,
    delivery: &Delivery<'_>,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let place = &current.place.clone();
    let action = format!("create function `{}`", place.names.function_name());
    let (Some(release), ReleaseSource::Zip(artifact)) =
        (delivery.target.live.as_ref().map(Live::newest), delivery.source)
    else {
        return Err(CloudError::new(action, Reason::Refused, "no code to create it with"));
    };
    let first = first_version(place, function, release, artifact);
    with_code(place, artifact, observer, async |code| {
        let create = async || match send_create(place, function, release, &code, first.as_ref()).await {
            Err(error) if may_exist(&error) => made_already(place, error).await.map(|()| None),
            other => other,
        };
        current.first_version = place.until_accepted(Subject::Function, observer, create).await?;
        place.note_made(Made::Function);
        // Lambda may still be reading the code until it says that it is done.
        match current.first_version.as_deref() {
            Some(number) => {
                correct(place, first.as_ref(), number).await?;
                place.settled(Some(number), observer).await.map(drop)
            }
            None => current.see_latest(observer).await.map(drop),
        }
    })
    .await?;
    place.until_accepted(Subject::Function, observer, async || reserve(place, None, function.concurrency).await).await
}

/// The version that is published with the function. One with a snapshot is published later: a snapshot may fail, and then only
/// the version has to go.
fn first_version(
    place: &Place<'_>,
    function: &Function,
    release: &Release,
    artifact: &Artifact,
) -> Option<FirstVersion> {
    artifact.origin.as_ref().filter(|_| !release.configuration.settings.snap_start)?;
    FirstVersion::of(&origin(place, artifact), &function.tags)
}

/// Corrects the tag of a function whose first version has another number than expected.
async fn correct(place: &Place<'_>, first: Option<&FirstVersion>, number: &str) -> Result<(), CloudError> {
    let Some((name, value)) = first.and_then(|first| first.corrected(number)) else { return Ok(()) };
    let call = place.account.lambda.tag_resource().resource(place.names.function_arn()).tags(name, value);
    call.send().await.doing(|| format!("tag function `{}`", place.names.function_name())).map(|_| ())
}

/// A function of this name is there: our own, by a call whose reply was lost; our own, but never usable; or another owner's.
///
/// # Errors
/// `Busy` if it has to be created again after a while.
async fn made_already(place: &Place<'_>, error: CloudError) -> Result<(), CloudError> {
    let again = CloudError { reason: Reason::Busy, ..error.clone() };
    let Some(found) = place.get_function(None).await? else { return Err(again) };
    if observe(place, &found)?.tags.owner(&place.names) == Owner::Foreign {
        return Err(error);
    }
    let made = found.configuration().map(|configuration| Version::of(configuration, &place.names));
    if made.is_some_and(|version| matches!(version.condition, Condition::NeverMade(_))) {
        delete(place).await?;
        return Err(again);
    }
    Ok(())
}

/// Returns the number of the version that was published with it.
async fn send_create(
    place: &Place<'_>,
    function: &Function,
    release: &Release,
    code: &CodeLocation<'_>,
    first: Option<&FirstVersion>,
) -> Result<Option<String>, CloudError> {
    let name = place.names.function_name();
    let configuration = &release.configuration;
    let _turn = code.turn(place).await;
    let call = place.account.lambda.create_function().function_name(&name).description(&function.description);
    let call = call.architectures(architecture(configuration.architecture)).code(match code {
        CodeLocation::Inline(zip) => FunctionCode::builder().zip_file(Blob::new(zip.to_vec())).build(),
        CodeLocation::Object { bucket, key } => FunctionCode::builder().s3_bucket(*bucket).s3_key(*key).build(),
    });
    let mut call = configure!(call, configuration, &Configuration::default());
    for (key, value) in function.tags.iter() {
        call = call.tags(key, value);
    }
    if let Some((key, value)) = first.and_then(FirstVersion::expected) {
        call = call.tags(key, value);
    }
    let call = call.publish(first.is_some()).customize().config_override(uploading());
    let made = call.send().await.doing(|| format!("create function `{name}`"))?;
    Ok(made.version.filter(|version| first.is_some() && version != LATEST))
}

async fn update(
    current: &mut Current<'_>,
    from: &Function,
    to: &Function,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    let place = &current.place.clone();
    let name = place.names.function_name();
    retag(place, &from.tags, &to.tags).await?;
    reserve(place, from.concurrency, to.concurrency).await?;
    let action = format!("set the description of function `{name}`");
    let described = |version: &Version| version.description == to.description;
    current
        .guarded(&action, observer, described, async |expected| {
            let call = place.account.lambda.update_function_configuration().function_name(&name);
            let call = call.description(&to.description).set_revision_id(expected.revision.clone());
            call.send().await.doing(|| action.clone()).map(|_| ())
        })
        .await
}

/// Lambda deletes the versions, the aliases and their policies with the function.
pub(super) async fn delete(place: &Place<'_>) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.delete_function().function_name(&name);
    call.send().await.if_found(|| format!("delete function `{name}`")).map(|_| ())
}

async fn reserve(place: &Place<'_>, from: Option<u32>, to: Option<u32>) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let lambda = &place.account.lambda;
    let action = || format!("reserve concurrency for function `{name}`");
    match to {
        _ if from == to => Ok(()),
        Some(reserved) => {
            let call = lambda.put_function_concurrency().function_name(&name);
            call.reserved_concurrent_executions(reserved as i32).send().await.doing(action).map(|_| ())
        }
        None => lambda.delete_function_concurrency().function_name(&name).send().await.if_found(action).map(|_| ()),
    }
}

async fn retag(place: &Place<'_>, from: &Tags, to: &Tags) -> Result<(), CloudError> {
    let arn = place.names.function_arn();
    let action = || format!("tag function `{}`", place.names.function_name());
    let mut gone = from.gone_in(to);
    gone.extend((to.iter().count() > first_version::MOST).then(|| first_version::TAG.to_owned()));
    if !gone.is_empty() {
        let call = place.account.lambda.untag_resource().resource(&arn).set_tag_keys(Some(gone));
        call.send().await.doing(action)?;
    }
    let missing = to.missing_in(from);
    if !missing.is_empty() {
        let mut call = place.account.lambda.tag_resource().resource(&arn);
        for (key, value) in missing.iter() {
            call = call.tags(key, value);
        }
        call.send().await.doing(action)?;
    }
    Ok(())
}
