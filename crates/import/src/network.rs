//! What a function reaches, and what reaches for it: the VPC, file systems, its key, the queue for what failed.

use super::draft::Page;
use super::function::{Properties, table};
use super::node::Node;
use toml::Value;

pub fn read(page: &mut Page<'_>, properties: &mut Properties) {
    let has_vpc = properties.take("VpcConfig").is_some_and(|node| vpc(page, &node));
    if let Some(queue) = properties.take("DeadLetterQueue") {
        let target = page.fields(&queue, "DeadLetterQueue", &["Type", "TargetArn"]);
        if let Some(target) = target.and_then(|queue| queue.get("TargetArn")) {
            arn_key(page, "dead_letter", target, "DeadLetterQueue.TargetArn", &["sqs", "sns"]);
        } else if target.is_some() {
            page.left(&queue, "DeadLetterQueue", "it names no `TargetArn`", "write the ARN as `dead_letter`");
        }
    }
    if let Some(key) = properties.take("KmsKeyArn") {
        arn_key(page, "kms_key", &key, "KmsKeyArn", &["kms"]);
    }
    if let Some(systems) = properties.take("FileSystemConfigs") {
        file_systems(page, &systems, has_vpc);
    }
}

fn arn_key(page: &mut Page<'_>, key: &str, node: &Node, property: &str, services: &[&str]) {
    let Some(arn) = page.text(node, property) else { return };
    if services.iter().any(|service| is_arn(&arn, service)) {
        page.key(key, arn);
    } else {
        let what = format!("`{arn}` is no ARN of {}", services.join(" or "));
        page.left(node, property, what, format!("write the ARN as `{key}`"));
    }
}

/// Whether it is whole: what names only a part of it belongs to a template that is not finished.
fn is_arn(text: &str, service: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", _, of, _, account, rest] if of == service && account.len() == 12 && !rest.is_empty())
}

fn vpc(page: &mut Page<'_>, node: &Node) -> bool {
    let mut lists = Vec::new();
    let known = ["SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack"];
    if page.fields(node, "VpcConfig", &known).is_none() {
        page.key_off("vpc", vpc_example());
        return false;
    }
    for (key, property) in [("subnets", "SubnetIds"), ("security_groups", "SecurityGroupIds")] {
        let items = node.get(property).map(Node::each).unwrap_or_default();
        let path = format!("VpcConfig.{property}");
        let known: Option<Vec<String>> = items.iter().map(|item| page.text(item, &path)).collect();
        match known {
            Some(known) if !known.is_empty() => {
                lists.push((key.to_owned(), Value::Array(known.into_iter().map(Value::from).collect())));
            }
            Some(_) => page.left(node, &path, "a VPC needs subnets and security groups", "write them into `vpc`"),
            None => {}
        }
    }
    let ipv6 = node.get("Ipv6AllowedForDualStack");
    if let Some(true) = ipv6.and_then(|node| page.truth(node, "VpcConfig.Ipv6AllowedForDualStack")) {
        lists.push(("ipv6".to_owned(), true.into()));
    }
    let complete = lists.iter().filter(|(key, _)| key != "ipv6").count() == 2;
    if complete {
        page.key("vpc", table(lists));
    } else {
        page.key_off("vpc", vpc_example());
    }
    complete
}

fn vpc_example() -> toml::Table {
    let example = [("subnets", "subnet-…"), ("security_groups", "sg-…")];
    table(example.map(|(key, value)| (key.to_owned(), Value::Array(vec![value.into()]))))
}

fn file_systems(page: &mut Page<'_>, node: &Node, has_vpc: bool) {
    let mut written = false;
    for system in node.each() {
        if page.fields(system, "FileSystemConfigs", &["Arn", "LocalMountPath"]).is_none() {
            continue;
        }
        let missing = ["Arn", "LocalMountPath"].into_iter().find(|key| system.get(key).is_none());
        if let Some(missing) = missing {
            let what = format!("it has no `{missing}`");
            page.left(system, "FileSystemConfigs", what, "write `file_systems` here");
            continue;
        }
        let arn = system.get("Arn").and_then(|arn| page.text(arn, "FileSystemConfigs.Arn"));
        let path = system.get("LocalMountPath").and_then(|path| page.text(path, "FileSystemConfigs.LocalMountPath"));
        let (Some(arn), Some(path)) = (arn, path) else { continue };
        if !is_arn(&arn, "elasticfilesystem") || path.strip_prefix("/mnt/").is_none_or(str::is_empty) {
            let advice = "write the ARN of an access point and a path below `/mnt/` as `file_systems`";
            page.left(system, "FileSystemConfigs", "it names no access point, or no path for it", advice);
            continue;
        }
        if written {
            page.left(system, "FileSystemConfigs", "a function has one file system at most", "choose one");
            continue;
        }
        written = true;
        let part = table([("arn".to_owned(), arn.into()), ("path".to_owned(), path.into())]);
        page.part("file_systems", part, has_vpc);
        if !has_vpc {
            let advice = "switch `file_systems` on together with `vpc`";
            page.left(system, "FileSystemConfigs", "it needs a `vpc`, and that is not known", advice);
        }
    }
}
