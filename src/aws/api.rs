//! The services of AWS's that lamstream calls, one row each. Endpoints, addresses, signatures and rates follow from a row.

use crate::stack::Partition;

/// How a service of AWS's is called.
#[derive(Debug)]
pub(super) struct Api {
    /// As the SDK and messages name it. The SDK looks up `AWS_ENDPOINT_URL_…` under this id.
    pub id: &'static str,
    /// Its name in host names and in signatures.
    pub name: &'static str,
    /// When it is called.
    pub called: Called,
    /// Of a call, the first row counts that has its operation, or that has none.
    pub rates: &'static [Rate],
}

/// The commands that call a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// Every command may call it.
    Always,
    /// Only some deploys need it.
    Sometimes,
}

/// How many calls of one kind AWS is known to allow per second.
#[derive(Debug)]
pub(super) struct Rate {
    /// The operations that AWS counts together; all others of the service if there are none.
    pub operations: &'static [&'static str],
    /// `None` if AWS's refusals mean something else.
    pub per_second: Option<f64>,
}

const fn rate(operations: &'static [&'static str], per_second: f64) -> Rate {
    Rate { operations, per_second: Some(per_second) }
}

/// Declares the APIs, one row each.
macro_rules! apis {
    ($($api:ident: $id:literal, $name:literal, $called:ident, [$($rate:expr),+];)+) => {
        $(
            pub(super) static $api: Api =
                Api { id: $id, name: $name, called: Called::$called, rates: &[$($rate),+] };
        )+

        pub(super) static APIS: &[&Api] = &[$(&$api),+];
    };
}

// Each row has the id, the name in host names, when the service is called, and its rates. Source: docs/aws.md, "Control
// plane" and "Logs".
apis! {
    LAMBDA: "Lambda", "lambda", Always, [
        // An invocation is throttled if the function has too many instances.
        Rate { operations: &["Invoke", "InvokeWithResponseStream"], per_second: None },
        rate(&["GetFunction"], 100.0),
        rate(&[], 15.0)
    ];
    IAM: "IAM", "iam", Always, [rate(&[], 10.0)];
    STS: "STS", "sts", Always, [rate(&[], 10.0)];
    LOGS: "CloudWatch Logs", "logs", Always, [
        rate(&["CreateLogGroup"], 5.0),
        rate(&["DeleteLogGroup"], 5.0),
        rate(&["DescribeLogGroups"], 5.0),
        rate(&[], 10.0)
    ];
    SSM: "SSM", "ssm", Sometimes, [rate(&[], 10.0)];
    SECRETS: "Secrets Manager", "secretsmanager", Sometimes, [rate(&[], 10.0)];
    S3: "S3", "s3", Sometimes, [rate(&[], 100.0)];
}

/// Where AWS answers the calls of a service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub address: String,
    /// The region that calls are signed for.
    pub region: String,
}

impl Api {
    /// AWS's own endpoint for a region. Source: the endpoint rules of botocore 1.43.11.
    pub(super) fn endpoint(&self, region: &str, dual_stack: bool, fips: bool) -> Endpoint {
        let (name, partition) = (self.name, Partition::of_known(region));
        // The usual host of Parameter Store in GovCloud is validated.
        let is_validated = name == "ssm" && partition.name == "aws-us-gov" && !dual_stack;
        let fips = if fips && !is_validated { "-fips" } else { "" };
        let (infix, domain) = match name {
            // S3 had such hosts before all others.
            "s3" if dual_stack => (".dualstack", partition.domain),
            // The usual hosts of Secrets Manager speak IPv6, too.
            "secretsmanager" if ["aws", "aws-cn", "aws-us-gov"].contains(&partition.name) => ("", partition.domain),
            _ if dual_stack => ("", partition.dual_stack_domain),
            _ => ("", partition.domain),
        };
        Endpoint { address: format!("https://{name}{fips}{infix}.{region}.{domain}/"), region: region.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As botocore's endpoint rules have them: without either, with FIPS, with dual-stack and with both.
    const ADDRESSES: [(&Api, &str, [&str; 4]); 6] = [
        (
            &S3,
            "eu-central-1",
            [
                "s3.REGION.amazonaws.com",
                "s3-fips.REGION.amazonaws.com",
                "s3.dualstack.REGION.amazonaws.com",
                "s3-fips.dualstack.REGION.amazonaws.com",
            ],
        ),
        (
            &S3,
            "eusc-de-east-1",
            [
                "s3.REGION.amazonaws.eu",
                "s3-fips.REGION.amazonaws.eu",
                "s3.dualstack.REGION.amazonaws.eu",
                "s3-fips.dualstack.REGION.amazonaws.eu",
            ],
        ),
        (
            &SSM,
            "us-east-1",
            [
                "ssm.REGION.amazonaws.com",
                "ssm-fips.REGION.amazonaws.com",
                "ssm.REGION.api.aws",
                "ssm-fips.REGION.api.aws",
            ],
        ),
        (
            &SSM,
            "us-gov-west-1",
            ["ssm.REGION.amazonaws.com", "ssm.REGION.amazonaws.com", "ssm.REGION.api.aws", "ssm-fips.REGION.api.aws"],
        ),
        (
            &SECRETS,
            "us-gov-west-1",
            [
                "secretsmanager.REGION.amazonaws.com",
                "secretsmanager-fips.REGION.amazonaws.com",
                "secretsmanager.REGION.amazonaws.com",
                "secretsmanager-fips.REGION.amazonaws.com",
            ],
        ),
        (
            &SECRETS,
            "eusc-de-east-1",
            [
                "secretsmanager.REGION.amazonaws.eu",
                "secretsmanager-fips.REGION.amazonaws.eu",
                "secretsmanager.REGION.api.amazonwebservices.eu",
                "secretsmanager-fips.REGION.api.amazonwebservices.eu",
            ],
        ),
    ];

    #[test]
    fn addresses_are_those_of_the_sdks() {
        for (api, region, hosts) in ADDRESSES {
            for (nth, host) in hosts.into_iter().enumerate() {
                let endpoint = api.endpoint(region, nth >= 2, nth % 2 == 1);
                assert_eq!(endpoint.address, format!("https://{}/", host.replace("REGION", region)));
            }
        }
    }
}
