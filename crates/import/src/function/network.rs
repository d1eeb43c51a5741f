//! The connections of a function: its VPC, file systems, key, and the queue for failed events.

use super::properties::Properties;
use crate::draft::table;
use crate::node::Node;
use crate::writer::Writer;
use toml::{Table, Value};

pub(super) fn read(writer: &mut Writer<'_>, properties: &mut Properties) {
    let has_vpc = properties.take("VpcConfig").is_some_and(|node| vpc(writer, &node));
    if let Some(queue) = properties.take("DeadLetterQueue") {
        let target = writer.fields(&queue, "DeadLetterQueue", &["Type", "TargetArn"]);
        if let Some(target) = target.and_then(|queue| queue.get("TargetArn")) {
            arn_key(writer, "dead_letter", target, "DeadLetterQueue.TargetArn", &["sqs", "sns"]);
        } else if target.is_some() {
            writer.block(&queue, "DeadLetterQueue", "has no `TargetArn`", "set the ARN as `dead_letter`");
        }
    }
    if let Some(key) = properties.take("KmsKeyArn") {
        arn_key(writer, "kms_key", &key, "KmsKeyArn", &["kms"]);
    }
    if let Some(systems) = properties.take("FileSystemConfigs") {
        file_systems(writer, &systems, has_vpc);
    }
}

fn arn_key(writer: &mut Writer<'_>, key: &str, node: &Node, property: &str, services: &[&str]) {
    let Some(arn) = writer.text(node, property) else { return };
    if services.iter().any(|service| is_arn(&arn, service)) {
        writer.key(key, arn);
    } else {
        let what = format!("`{arn}` is not an ARN of {}", services.join(" or "));
        writer.block(node, property, what, format!("set the ARN as `{key}`"));
    }
}

/// Whether it is a whole ARN: an unfinished template may have only a part of one.
fn is_arn(text: &str, service: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", _, of, _, account, rest] if of == service && account.len() == 12 && !rest.is_empty())
}

fn vpc(writer: &mut Writer<'_>, node: &Node) -> bool {
    let mut lists = Vec::new();
    let known = ["SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack"];
    if writer.fields(node, "VpcConfig", &known).is_none() {
        writer.disabled_key("vpc", vpc_example());
        return false;
    }
    for (key, property) in [("subnets", "SubnetIds"), ("security_groups", "SecurityGroupIds")] {
        let items = node.get(property).map(Node::each).unwrap_or_default();
        let path = format!("VpcConfig.{property}");
        let known: Option<Vec<String>> = items.iter().map(|item| writer.text(item, &path)).collect();
        match known {
            Some(known) if !known.is_empty() => {
                lists.push((key, Value::Array(known.into_iter().map(Value::from).collect())));
            }
            Some(_) => writer.block(node, &path, "a VPC needs subnets and security groups", "set them in `vpc`"),
            None => {}
        }
    }
    let ipv6 = node.get("Ipv6AllowedForDualStack");
    if let Some(true) = ipv6.and_then(|node| writer.boolean(node, "VpcConfig.Ipv6AllowedForDualStack")) {
        lists.push(("ipv6", true.into()));
    }
    let complete = lists.iter().filter(|(key, _)| *key != "ipv6").count() == 2;
    if complete {
        writer.key("vpc", table(lists));
    } else {
        writer.disabled_key("vpc", vpc_example());
    }
    complete
}

fn vpc_example() -> Table {
    let example = [("subnets", "subnet-…"), ("security_groups", "sg-…")];
    table(example.map(|(key, value)| (key, Value::Array(vec![value.into()]))))
}

fn file_systems(writer: &mut Writer<'_>, node: &Node, has_vpc: bool) {
    let mut written = false;
    for system in node.each() {
        if writer.fields(system, "FileSystemConfigs", &["Arn", "LocalMountPath"]).is_none() {
            continue;
        }
        let missing = ["Arn", "LocalMountPath"].into_iter().find(|key| system.get(key).is_none());
        if let Some(missing) = missing {
            let what = format!("has no `{missing}`");
            writer.block(system, "FileSystemConfigs", what, "set `file_systems` here");
            continue;
        }
        let arn = system.get("Arn").and_then(|arn| writer.text(arn, "FileSystemConfigs.Arn"));
        let path = system.get("LocalMountPath").and_then(|path| writer.text(path, "FileSystemConfigs.LocalMountPath"));
        let (Some(arn), Some(path)) = (arn, &path) else {
            let known = path.map(|path| ("path", path.into()));
            let example = [("arn", "arn:aws:elasticfilesystem:…".into())].into_iter().chain(known);
            writer.element("file_systems", table(example), false);
            continue;
        };
        let path = path.clone();
        if !is_arn(&arn, "elasticfilesystem") || path.strip_prefix("/mnt/").is_none_or(str::is_empty) {
            let advice = "set both as `file_systems`";
            writer.block(
                system,
                "FileSystemConfigs",
                "expected the ARN of an access point and a path below `/mnt/`",
                advice,
            );
            continue;
        }
        if written {
            writer.block(system, "FileSystemConfigs", "a function has at most one file system", "choose one");
            continue;
        }
        written = true;
        let system_table = table([("arn", arn.into()), ("path", path.into())]);
        writer.element("file_systems", system_table, has_vpc);
        if !has_vpc {
            let advice = "uncomment `file_systems` together with `vpc`";
            writer.block(system, "FileSystemConfigs", "needs a `vpc`, which is not known", advice);
        }
    }
}
