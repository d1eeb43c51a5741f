//! Layers, by the ARNs of their versions.

use super::name::is_name;
use super::section::Section;
use crate::stack::Arn;
use std::collections::BTreeSet;

/// AWS's limit.
const LIMIT: usize = 5;

/// `adapted` functions have one layer more.
pub(super) fn read(keys: &Section<'_>, adapted: bool) -> Vec<String> {
    const EXPECTED: &str = "ARNs of layer versions, such as `arn:aws:lambda:eu-central-1:123456789012:layer:NAME:1`";
    let Some(entry) = keys.entry("layers") else { return Vec::new() };
    let layers = entry.strings(EXPECTED);
    let limit = LIMIT - usize::from(adapted);
    if layers.len() > limit {
        let beside = if adapted { " beside the adapter" } else { "" };
        entry.problem(format!("`layers` holds {} layers, expected at most {limit}{beside}", layers.len()));
    }
    let mut seen = BTreeSet::new();
    for layer in &layers {
        let arn = layer.get_ref();
        match layer_of(arn) {
            None => entry.problem_at(layer.span(), format!("`layers` holds `{arn}`, expected {EXPECTED}")),
            Some(of) if !seen.insert(of) => {
                entry.problem_at(layer.span(), format!("`layers` holds `{of}` twice, expected one version of a layer"));
            }
            Some(_) => {}
        }
    }
    layers.into_iter().map(|layer| layer.into_inner().to_owned()).collect()
}

/// The ARN of the layer that a version belongs to.
pub(super) fn layer_of(version: &str) -> Option<&str> {
    let arn = Arn::parse(version)?;
    let ["layer", name, number] = arn.resource.split(':').collect::<Vec<_>>()[..] else { return None };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let right = arn.service == "lambda" && is_name(arn.region) && arn.has_account() && is_name(name) && is_number;
    right.then(|| &version[..version.len() - number.len() - 1])
}
