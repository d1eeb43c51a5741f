//! Versions that failed their checks before any version was live. The alias whose description stores such things does not
//! exist yet, so the function has a tag for them.

use super::error::Doing;
use super::numbers::Numbers;
use super::place::Place;
use crate::apply::CloudError;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;

/// A tag of the function that no manifest can set, and that plans do not compare.
pub(super) const TAG: &str = "lamstream:failed";

/// The versions that the function's tag names.
pub(super) fn read(function: Option<&GetFunctionOutput>) -> Numbers {
    let value = function.and_then(|found| found.tags()).and_then(|tags| tags.get(TAG));
    // AWS allows no commas in the values of tags.
    value.map(|value| Numbers::read(&value.replace(' ', ","))).unwrap_or_default()
}

/// Sets the tag.
///
/// # Errors
/// If the call fails.
pub(super) async fn write(place: &Place<'_>, failed: &Numbers) -> Result<(), CloudError> {
    let arn = place.names.function_arn();
    let call = place.account.lambda.tag_resource().resource(&arn).tags(TAG, failed.to_string().replace(',', " "));
    call.send().await.doing(|| format!("tag function `{}`", place.names.function_name())).map(|_| ())
}

/// Removes the tag.
///
/// # Errors
/// If the call fails.
pub(super) async fn clear(place: &Place<'_>) -> Result<(), CloudError> {
    let arn = place.names.function_arn();
    let call = place.account.lambda.untag_resource().resource(&arn).tag_keys(TAG);
    call.send().await.doing(|| format!("untag function `{}`", place.names.function_name())).map(|_| ())
}
