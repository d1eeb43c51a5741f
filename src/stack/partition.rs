//! AWS's partitions: groups of regions with their own accounts, ARNs and host names.

/// One partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// As in ARNs.
    pub name: &'static str,
    /// The suffix of host names.
    pub domain: &'static str,
    /// The suffix of host names that support IPv6, too.
    pub dual_stack_domain: &'static str,
    /// The prefixes of region names. A place and a number follow.
    areas: &'static [&'static str],
}

/// Source: the partitions with which aws-sdk-lambda 1.156 resolves endpoints. It does not export them.
const ALL: [Partition; 8] = [
    Partition {
        name: "aws",
        domain: "amazonaws.com",
        dual_stack_domain: "api.aws",
        areas: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
    },
    Partition {
        name: "aws-cn",
        domain: "amazonaws.com.cn",
        dual_stack_domain: "api.amazonwebservices.com.cn",
        areas: &["cn"],
    },
    Partition {
        name: "aws-eusc",
        domain: "amazonaws.eu",
        dual_stack_domain: "api.amazonwebservices.eu",
        areas: &["eusc-de"],
    },
    Partition { name: "aws-iso", domain: "c2s.ic.gov", dual_stack_domain: "api.aws.ic.gov", areas: &["us-iso"] },
    Partition { name: "aws-iso-b", domain: "sc2s.sgov.gov", dual_stack_domain: "api.aws.scloud", areas: &["us-isob"] },
    Partition {
        name: "aws-iso-e",
        domain: "cloud.adc-e.uk",
        dual_stack_domain: "api.cloud-aws.adc-e.uk",
        areas: &["eu-isoe"],
    },
    Partition {
        name: "aws-iso-f",
        domain: "csp.hci.ic.gov",
        dual_stack_domain: "api.aws.hci.ic.gov",
        areas: &["us-isof"],
    },
    Partition { name: "aws-us-gov", domain: "amazonaws.com", dual_stack_domain: "api.aws", areas: &["us-gov"] },
];

impl Partition {
    /// The partition of a region; `None` if no partition fits. The list of a partition's regions changes too often to
    /// be kept here, unlike the prefixes of their names.
    pub fn of(region: &str) -> Option<&'static Partition> {
        ALL.iter().find(|partition| partition.areas.iter().any(|area| is_in(region, area)))
    }

    /// The partition of a region that was checked before, or `aws`.
    pub fn of_known(region: &str) -> &'static Partition {
        Partition::of(region).unwrap_or(&ALL[0])
    }
}

/// Whether a region has the form `AREA-PLACE-NUMBER`.
fn is_in(region: &str, area: &str) -> bool {
    let place = region.strip_prefix(area).and_then(|rest| rest.strip_prefix('-')).and_then(|rest| rest.split_once('-'));
    place.is_some_and(|(place, number)| {
        let letters = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_lowercase());
        letters && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_is_of_one_partition_or_of_none() {
        for (region, name) in [
            ("eu-central-1", "aws"),
            ("ap-southeast-2", "aws"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("us-gov-west-1", "aws-us-gov"),
        ] {
            let named = ALL.iter().filter(|one| one.areas.iter().any(|area| is_in(region, area)));
            assert_eq!(named.map(|partition| partition.name).collect::<Vec<_>>(), [name], "{region}");
        }
        for region in ["", "local", "mars-north-1", "eu-central", "eu-central-x", "EU-WEST-1", "eu--1"] {
            assert_eq!(Partition::of(region), None, "{region}");
        }
    }
}
