//! AWS's partitions, which ARNs begin with.

/// The partition of a region.
pub(crate) fn partition(region: &str) -> &'static str {
    let begins = |area: &str| region.strip_prefix(area).is_some_and(|rest| rest.starts_with('-'));
    let known = [
        ("cn", "aws-cn"),
        ("us-gov", "aws-us-gov"),
        ("eusc", "aws-eusc"),
        ("us-iso", "aws-iso"),
        ("us-isob", "aws-iso-b"),
        ("eu-isoe", "aws-iso-e"),
        ("us-isof", "aws-iso-f"),
    ];
    known.into_iter().find(|(area, _)| begins(area)).map_or("aws", |(_, name)| name)
}
