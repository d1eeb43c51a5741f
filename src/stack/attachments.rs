//! Other AWS resources that a release is attached to: its network, traces, dead-letter target, key and file systems.

use super::arn::Arn;
use super::field::{Fields, list, optional};
use super::role::Statement;
use super::word::words;
use serde_json::json;
use std::collections::BTreeSet;

/// The default is AWS's own: no attachments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    pub tracing: Tracing,
    /// `None` for the network that all functions are in by default.
    pub vpc: Option<Vpc>,
    /// ARN of an SQS queue or an SNS topic.
    pub dead_letter: Option<String>,
    /// ARN of the KMS key that encrypts the environment; `None` for AWS's own key.
    pub kms_key: Option<String>,
    /// AWS accepts at most one.
    pub file_systems: Vec<FileSystem>,
}

words! {
    /// Which requests X-Ray traces.
    #[derive(Default)]
    Tracing {
        #[default]
        /// The requests that the caller selects.
        PassThrough = "pass-through",
        /// All requests.
        Active = "active",
    }
}

/// A network in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vpc {
    pub subnets: BTreeSet<String>,
    pub security_groups: BTreeSet<String>,
    /// Whether the function can reach IPv6 addresses, from subnets that have them.
    pub ipv6: bool,
}

/// An EFS access point, and the path where it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    pub arn: String,
    /// Starts with `/mnt/`.
    pub path: String,
}

impl Attachments {
    pub(super) fn compare(&self, to: &Attachments, fields: &mut Fields) {
        let Attachments { tracing, vpc, dead_letter, kms_key, file_systems } = self;
        fields.shown("tracing", tracing, &to.tracing);
        fields.shown("vpc", &network(vpc.as_ref()), &network(to.vpc.as_ref()));
        fields.shown("dead_letter", &optional(dead_letter), &optional(&to.dead_letter));
        fields.shown("kms_key", &optional(kms_key), &optional(&to.kms_key));
        fields.shown("file_systems", &mounted(file_systems), &mounted(&to.file_systems));
    }

    /// The permissions that a function's role needs for them. Lambda requires most of them before it accepts the
    /// configuration.
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

fn network(vpc: Option<&Vpc>) -> String {
    let Some(Vpc { subnets, security_groups, ipv6 }) = vpc else { return "none".to_owned() };
    let ipv6 = if *ipv6 { " with IPv6" } else { "" };
    format!("{} {}{ipv6}", list(subnets), list(security_groups))
}

fn mounted(systems: &[FileSystem]) -> String {
    let systems: Vec<String> = systems.iter().map(|system| format!("{} at {}", system.arn, system.path)).collect();
    list(&systems)
}
