//! Other services of AWS that a release works with: its network, its traces, what gets its failed events, its key, its
//! files.

use super::arn::Arn;
use super::role::Statement;
use super::word::words;
use serde_json::json;
use std::collections::BTreeSet;

/// Without any of them it is what AWS has by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    pub tracing: Tracing,
    /// `None` for the network that every function is in.
    pub vpc: Option<Vpc>,
    /// ARN of an SQS queue or an SNS topic.
    pub dead_letter: Option<String>,
    /// ARN of the KMS key that the environment is encrypted with; `None` for AWS's own.
    pub kms_key: Option<String>,
    /// AWS takes one at most.
    pub file_systems: Vec<FileSystem>,
}

words! {
    /// Which requests X-Ray traces.
    #[derive(Default)]
    Tracing {
        #[default]
        /// Those that the caller has chosen.
        PassThrough = "pass-through",
        /// All of them.
        Active = "active",
    }
}

/// A network of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vpc {
    pub subnets: BTreeSet<String>,
    pub security_groups: BTreeSet<String>,
    /// Whether functions reach IPv6 addresses from subnets that have them.
    pub ipv6: bool,
}

/// An access point of EFS, and where the function finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    pub arn: String,
    /// Begins with `/mnt/`.
    pub path: String,
}

impl Attachments {
    /// What a function's role has to allow for them: Lambda asks for most of it before it takes the configuration.
    pub fn needs(&self) -> Vec<Statement> {
        let allow = |actions: &[&str], resource: &str| {
            Statement::new(&json!({ "Effect": "Allow", "Action": actions, "Resource": resource }))
        };
        let mut needs = Vec::new();
        if self.tracing == Tracing::Active {
            needs.push(allow(&["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"));
        }
        if self.vpc.is_some() {
            let actions = [
                "ec2:CreateNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:DeleteNetworkInterface",
                "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses",
            ];
            needs.push(allow(&actions, "*"));
        }
        if let Some(target) = &self.dead_letter {
            let is_topic = Arn::parse(target).is_some_and(|arn| arn.service == "sns");
            let action = if is_topic { "sns:Publish" } else { "sqs:SendMessage" };
            needs.push(allow(&[action], target));
        }
        needs.extend(self.kms_key.iter().map(|key| allow(&["kms:Decrypt"], key)));
        for system in &self.file_systems {
            needs.push(Statement::new(&json!({
                "Effect": "Allow",
                "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "Resource": "*",
                "Condition": { "StringEquals": { "elasticfilesystem:AccessPointArn": system.arn } },
            })));
        }
        needs
    }
}
