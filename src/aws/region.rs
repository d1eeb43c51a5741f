//! Which region: the first that is said, and only one that can be a part of a host's name.

use super::environment::Environment;
use super::error::{quoted, unusable};
use super::profile::Profiles;
use crate::apply::CloudError;
use crate::stack::Partition;
use aws_config::imds::region::ImdsRegionProvider;

/// Whether it can stand in a host's name, as regions do. Which regions there are changes too often to be known here.
pub(super) fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// # Errors
/// What is not a region, or is one of no partition; `source` says where it was found, such as "`--region`".
pub(super) fn checked(region: &str, source: &str) -> Result<String, CloudError> {
    let why = match (is_region(region), Partition::of(region)) {
        (true, Some(_)) => return Ok(region.to_owned()),
        (true, None) => "is a region that no partition of AWS has; expected one such as `eu-central-1`",
        (false, _) => "is not a region such as `eu-central-1`",
    };
    Err(unusable(source, &format!("{} {why}", quoted(region))))
}

/// The flag's region, then the environment's, then the manifest's, then the profile's.
///
/// # Errors
/// As [`checked`], with the source that counts.
pub(super) fn chosen(
    flag: Option<&str>,
    environment: &Environment,
    manifest: Option<&str>,
    profiles: &Profiles,
) -> Result<Option<String>, CloudError> {
    let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let said = flag.map(|region| (region, "`--region`".to_owned()));
    let said = said.or_else(|| variables.iter().find_map(|name| Some((environment.get(name)?, format!("`{name}`")))));
    let said = said.or_else(|| manifest.map(|region| (region, "the manifest's `region`".to_owned())));
    let said = said.or_else(|| {
        let (profile, region) = profiles.region()?;
        Some((region, format!("the `region` of profile {}", quoted(profile))))
    });
    said.map(|(region, source)| checked(region, &source)).transpose()
}

/// The region of the EC2 instance that this is, where nothing else says one.
pub(super) async fn of_this_instance() -> Result<Option<String>, CloudError> {
    let found = ImdsRegionProvider::builder().build().region().await;
    found.map(|region| checked(region.as_ref(), "the instance's region")).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_fits_into_a_host() {
        for region in ["eu-central-1", "us-gov-west-1", "eu-isoe-west-1", "eusc-de-east-1", "x"] {
            assert!(is_region(region), "{region}");
        }
        for region in ["", "../x", "eu/central", "eu.central.1", "EU-WEST-1", "eu-", "-eu", "a b", "é", "a@b", "a:b"] {
            assert!(!is_region(region), "{region}");
        }
        let error = checked("a\u{1b}[2Jb", "`--region`").expect_err("no region").to_string();
        assert_eq!(error, "cannot use `--region`: `a\\u{1b}[2Jb` is not a region such as `eu-central-1`");
        let error = checked("mars-north-1", "`--region`").expect_err("an unknown region").to_string();
        assert!(
            error.starts_with("cannot use `--region`: `mars-north-1` is a region that no partition of AWS has"),
            "{error}"
        );
    }
}
