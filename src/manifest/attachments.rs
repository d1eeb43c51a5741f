//! Other AWS resources that a function is attached to.

use super::section::{Entry, Section};
use crate::stack::{Arn, Attachments, FileSystem, Vpc};
use std::collections::BTreeSet;

/// AWS's limits.
const SUBNET_LIMIT: usize = 16;
const GROUP_LIMIT: usize = 5;

pub(super) fn read(keys: &Section<'_>) -> Attachments {
    const DEAD_LETTER: &str =
        "the ARN of an SQS queue or an SNS topic, such as `arn:aws:sqs:eu-central-1:123456789012:failed`";
    const KEY: &str = "the ARN of a KMS key, such as `arn:aws:kms:eu-central-1:123456789012:key/ID`";
    let vpc = keys.entry("vpc").and_then(|entry| read_vpc(&entry));
    let arn = |key, services: &'static [&'static str], expected| {
        let is_one = |text: &str| services.iter().any(|service| is_arn(text, service));
        keys.matching(key, is_one, expected).map(str::to_owned)
    };
    let file_systems = keys.entry("file_systems").map(|entry| {
        if !keys.has("vpc") {
            entry.problem_with_name("`file_systems` requires `vpc`");
        }
        read_file_systems(&entry)
    });
    Attachments {
        tracing: keys.word("tracing"),
        vpc,
        dead_letter: arn("dead_letter", &["sqs", "sns"], DEAD_LETTER),
        kms_key: arn("kms_key", &["kms"], KEY),
        file_systems: file_systems.unwrap_or_default(),
    }
}

fn read_vpc(entry: &Entry<'_>) -> Option<Vpc> {
    let keys = entry.section("`vpc`".into())?;
    let ids = |key, prefix: &str, limit, expected: &str| {
        let Some(entry) = keys.required(key, expected) else { return BTreeSet::new() };
        let ids = entry.strings(expected);
        if ids.is_empty() && entry.is_empty_array() || ids.len() > limit {
            entry.problem(format!("`{key}` contains {} values, expected 1 to {limit}", ids.len()));
        }
        for id in ids.iter().filter(|id| !is_id(id.get_ref(), prefix)) {
            entry.problem_at(id.span(), format!("`{key}` contains `{}`, expected {expected}", id.get_ref()));
        }
        ids.into_iter().map(|id| id.into_inner().to_owned()).collect()
    };
    let subnets = ids("subnets", "subnet-", SUBNET_LIMIT, "ids of subnets, such as `subnet-0a1b2c3d`");
    let security_groups = ids("security_groups", "sg-", GROUP_LIMIT, "ids of security groups, such as `sg-0a1b2c3d`");
    Some(Vpc { subnets, security_groups, ipv6: keys.switch("ipv6") })
}

fn read_file_systems(entry: &Entry<'_>) -> Vec<FileSystem> {
    let sections = entry.sections("a file system");
    if sections.len() > 1 {
        entry.problem_with_name(format!(
            "`file_systems` contains {} file systems, expected one: Lambda supports no more",
            sections.len()
        ));
    }
    let system = |keys: Section<'_>| {
        let arn = keys.required("arn", "the ARN of an access point of EFS");
        let arn = arn.and_then(|arn| {
            arn.matching(|text| is_arn(text, "elasticfilesystem"), "the ARN of an access point of EFS")
        });
        let path = keys.required("path", "where the function finds it, such as `/mnt/data`");
        let path =
            path.and_then(|path| path.matching(is_mount_path, "a path of one name below `/mnt/`, such as `/mnt/data`"));
        Some(FileSystem { arn: arn?.into_inner().to_owned(), path: path?.into_inner().to_owned() })
    };
    sections.into_iter().filter_map(system).collect()
}

fn is_arn(text: &str, service: &str) -> bool {
    Arn::parse(text).is_some_and(|arn| arn.service == service && arn.has_account())
        && !text.contains(char::is_whitespace)
}

fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_mount_path(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= 160 && text.strip_prefix("/mnt/").is_some_and(|name| !name.is_empty() && name.bytes().all(allowed))
}
