//! Layers, as ARNs of their versions.

use super::name::is_name;
use super::section::Section;
use crate::stack::Arn;
use std::collections::BTreeSet;

/// An example of a layer version's ARN.
pub const LAYER_VERSION: &str = "arn:aws:lambda:eu-central-1:123456789012:layer:NAME:1";
/// AWS's limit.
const LIMIT: usize = 5;

/// With `adapted`, the adapter uses one of the layers.
pub(super) fn read(keys: &Section<'_>, adapted: bool) -> Vec<String> {
    let expected = format!("ARNs of layer versions, such as `{LAYER_VERSION}`");
    let Some(entry) = keys.entry("layers") else { return Vec::new() };
    let layers = entry.strings(&expected);
    let limit = LIMIT - usize::from(adapted);
    if layers.len() > limit {
        let beside = if adapted { " beside the adapter" } else { "" };
        entry.problem(format!("`layers` contains {} layers, expected at most {limit}{beside}", layers.len()));
    }
    let mut seen = BTreeSet::new();
    for layer in &layers {
        let arn = layer.get_ref();
        match layer_of(arn) {
            None => entry.problem_at(layer.span(), format!("`layers` contains `{arn}`, expected {expected}")),
            Some(of) if !seen.insert(of) => {
                entry.problem_at(
                    layer.span(),
                    format!("`layers` contains `{of}` twice, expected one version of a layer"),
                );
            }
            Some(_) => {}
        }
    }
    layers.into_iter().map(|layer| layer.into_inner().to_owned()).collect()
}

/// The layer's ARN, without the version; `None` if it is not a layer version's ARN.
pub fn layer_of(version: &str) -> Option<&str> {
    let arn = Arn::parse(version)?;
    let ["layer", name, number] = arn.resource.split(':').collect::<Vec<_>>()[..] else { return None };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let right = arn.service == "lambda" && is_name(arn.region) && arn.has_account() && is_name(name) && is_number;
    right.then(|| &version[..version.len() - number.len() - 1])
}
