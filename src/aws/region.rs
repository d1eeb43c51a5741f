//! Chooses the region: the first one that is set. It must be valid as part of a host name.

use super::environment::Environment;
use super::error::{quoted, unusable};
use super::profile::Profiles;
use crate::apply::CloudError;
use crate::stack::Partition;
use aws_config::imds::region::ImdsRegionProvider;

/// Whether the text can be part of a host name, as regions are. The list of regions changes too often to be kept here.
pub(super) fn is_region(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// # Errors
/// If the text is not a region or belongs to no partition. `source` is where it was found, such as "`--region`".
pub(super) fn checked(region: &str, source: &str) -> Result<String, CloudError> {
    let why = match (is_region(region), Partition::of(region)) {
        (true, Some(_)) => return Ok(region.to_owned()),
        (true, None) => "is not in any AWS partition; expected a region such as `eu-central-1`",
        (false, _) => "is not a region such as `eu-central-1`",
    };
    Err(unusable(source, &format!("{} {why}", quoted(region))))
}

/// The region from the flag, the environment, the manifest or the profile, in this order.
///
/// # Errors
/// As for [`checked`], with the source that was used.
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

/// The region of the EC2 instance that lamstream runs on, for use if no other source sets one.
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
        assert_eq!(error, "cannot use `--region`: `a\\x1b[2Jb` is not a region such as `eu-central-1`");
        let error = checked("mars-north-1", "`--region`").expect_err("an unknown region").to_string();
        assert!(error.starts_with("cannot use `--region`: `mars-north-1` is not in any AWS partition"), "{error}");
    }
}
