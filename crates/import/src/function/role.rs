//! The permissions of a function: `Role`, or all kinds of `Policies`.

use super::managed;
use super::policies;
use super::properties::Properties;
use super::statement;
use crate::draft::table;
use crate::node::{Content, Node};
use crate::writer::Writer;
use toml::Value;

const WRITE_STATEMENTS: &str = "list what it allows in `statements`";

pub(super) fn read(writer: &mut Writer<'_>, properties: &mut Properties) {
    let policies = properties.take("Policies");
    let boundary = properties.take("PermissionsBoundary");
    if let Some(role) = properties.take("Role") {
        given(writer, &role);
        for (name, node) in [("Policies", policies), ("PermissionsBoundary", boundary)] {
            if let Some(node) = node {
                writer.left(&node, name, "SAM ignores it beside `Role`, and lamstream does, too", "leave it out");
            }
        }
        return;
    }
    let mut writer = writer.within("role", "Policies");
    let mut managed = Vec::new();
    for policy in policies.iter().flat_map(Node::each) {
        if policy.is_text() {
            managed.extend(managed_policy(&mut writer, policy));
        } else if policy.get("Statement").is_some() {
            statement::read_policy(&mut writer, policy);
        } else if policy.is_map() {
            policy.entries().iter().for_each(|(name, arguments)| template(&mut writer, name, arguments));
        } else {
            writer.block(policy, "", "is not a policy", WRITE_STATEMENTS);
        }
    }
    writer.path = writer.path.trim_end_matches(".Policies").to_owned();
    if let Some(arn) = boundary.as_ref().and_then(|node| writer.text(node, "PermissionsBoundary")) {
        if is_iam(&arn, "policy/") {
            writer.key("permissions_boundary", arn);
        } else if let Some(node) = &boundary {
            writer.block(node, "PermissionsBoundary", "is not the ARN of a policy", "set the ARN here");
        }
    }
    if !managed.is_empty() {
        writer.key("managed_policies", Value::Array(managed));
    }
}

fn given(writer: &mut Writer<'_>, role: &Node) {
    match writer.text(role, "Role") {
        Some(arn) if is_iam(&arn, "role/") => writer.key("role", table([("arn", arn.into())])),
        Some(arn) => {
            writer.block(role, "Role", format!("`{arn}` is not the ARN of a role"), "set `role = { arn = \"…\" }`")
        }
        None => writer.disabled_key("role", table([("arn", "arn:aws:iam::123456789012:role/NAME".into())])),
    }
}

/// Whether the manifest accepts it as the ARN of a `role/` or a `policy/`.
fn is_iam(arn: &str, kind: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return false };
    let owned = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let name = resource.strip_prefix(kind).unwrap_or_default();
    let of_a_name = |character: char| character.is_ascii_alphanumeric() || "+=,.@-_/".contains(character);
    partition.starts_with("aws")
        && (owned || (account == "aws" && kind == "policy/"))
        && !name.is_empty()
        && !name.ends_with('/')
        && name.chars().all(of_a_name)
}

fn managed_policy(writer: &mut Writer<'_>, policy: &Node) -> Option<Value> {
    let name = writer.text(policy, "")?;
    if managed::name_of(&name) == Some(managed::LOGS) {
        writer.comment("`AWSLambdaBasicExecutionRole`: every role that lamstream creates may write its logs.");
        return None;
    }
    // The name of a policy template without parameters, which should have been a map.
    if policies::statements(&name).is_some_and(|statements| statements.iter().all(|one| one.resources == ["*"])) {
        template(writer, &name, &policy.with(Content::Map(Vec::new())));
        return None;
    }
    let partition = writer.values.partition();
    let (arn, is_sure) = match managed::path(&name) {
        _ if name.starts_with("arn:") => (name, true),
        Some(path) => (format!("arn:{partition}:iam::aws:policy/{path}{name}"), true),
        None => (format!("arn:{partition}:iam::aws:policy/{name}"), false),
    };
    if is_iam(&arn, "policy/") {
        if !is_sure {
            writer.comment(format!(
                "The template names this policy without its path: `{arn}` is a guess. `aws iam list-policies --scope \
                 AWS` prints the ARN."
            ));
        }
        return Some(arn.into());
    }
    writer.block(policy, "", format!("`{arn}` is not the ARN of a policy"), "add the ARN to `managed_policies`");
    None
}

/// One of SAM's policy templates.
fn template(writer: &mut Writer<'_>, name: &str, arguments: &Node) {
    let Some(statements) = policies::statements(name) else {
        let what = format!("lamstream does not know the policy template `{name}`");
        writer.block(arguments, name, what, WRITE_STATEMENTS);
        return;
    };
    let parameters = policies::parameters(&statements);
    if writer.fields(arguments, name, &parameters).is_none() {
        return;
    }
    let mut values = Vec::new();
    for parameter in parameters {
        let Some((text, unknown)) = arguments.get(parameter).and_then(Node::partial_text) else {
            let what = format!("the policy template has no string for its `{parameter}`");
            writer.block(arguments, name, what, WRITE_STATEMENTS);
            return;
        };
        values.push((format!("{{{parameter}}}"), text, unknown));
    }
    let region = writer.values.settings.region.as_deref();
    let account = writer.values.settings.account.as_deref();
    let needs_place = statements.iter().any(|one| one.arns().iter().any(|arn| arn.contains('@')));
    let place = [("AWS::Region", region.is_none()), ("AWS::AccountId", account.is_none())];
    let unknown_place = place.into_iter().filter(|(_, is_unknown)| needs_place && *is_unknown);
    let mut unknown: Vec<String> = values.iter().flat_map(|(_, _, unknown)| unknown.iter().cloned()).collect();
    unknown.extend(unknown_place.map(|(name, _)| name.to_owned()));
    unknown.sort_by_key(|name| (name.starts_with("AWS::"), name.clone()));
    unknown.dedup();
    if !unknown.is_empty() {
        let (what, advice) = writer.values.why_unknown(&unknown);
        writer.block(arguments, name, what, advice);
    }
    let place = format!("{}:{}", region.unwrap_or("REGION"), account.unwrap_or("ACCOUNT"));
    let partition = writer.values.partition();
    let arn = |resource: &str| {
        let text = resource.replace('@', &place);
        let text = values.iter().fold(text, |text, (parameter, value, _)| text.replace(parameter, value));
        let is_whole = text == "*" || text.starts_with("arn:") || text.starts_with("${");
        if is_whole { text } else { format!("arn:{partition}:{text}") }
    };
    for one in statements {
        let is_enabled = unknown.is_empty() || one.arns() == ["*"];
        let mut allowed = statement::written(None, one.actions, one.resources.iter().map(|resource| arn(resource)));
        let conditions = one
            .conditions
            .iter()
            .map(|(operator, (key, value))| (*operator, Value::Table(table([(*key, Value::from(arn(value)))]))));
        let conditions = table(conditions);
        if !conditions.is_empty() {
            allowed.insert("condition".to_owned(), Value::Table(conditions));
        }
        writer.element("statements", allowed, is_enabled);
    }
}
