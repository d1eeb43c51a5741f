//! What a function may do on AWS: `Role`, or `Policies` of all their kinds.

use super::draft::{NO_WORD, Page, STILL_NEEDED};
use super::function::{Properties, table};
use super::managed;
use super::node::{Node, What};
use super::policies;
use toml::{Table, Value};

pub fn read(page: &mut Page<'_>, properties: &mut Properties) {
    let policies = properties.take("Policies");
    let boundary = properties.take("PermissionsBoundary");
    if let Some(role) = properties.take("Role") {
        given(page, &role);
        for (name, node) in [("Policies", policies), ("PermissionsBoundary", boundary)] {
            if let Some(node) = node {
                page.left(&node, name, "SAM ignores it beside `Role`, and so does lamstream", "leave it out");
            }
        }
        return;
    }
    let mut page = page.within("role", "Policies");
    let mut managed = Vec::new();
    for policy in policies.iter().flat_map(Node::each) {
        match (&policy.what, policy.entries()) {
            (What::Text { .. }, _) => managed.extend(managed_policy(&mut page, policy)),
            (_, entries) if policy.get("Statement").is_some() => {
                for (name, node) in entries {
                    match name.as_str() {
                        "Statement" => node.each().into_iter().for_each(|node| statement(&mut page, node)),
                        "Version" => {}
                        "Id" => page.comment(unnamed("Id", node)),
                        _ => page.left(node, name, NO_WORD, STILL_NEEDED),
                    }
                }
            }
            (_, entries) if policy.is_map() => {
                entries.iter().for_each(|(name, arguments)| template(&mut page, name, arguments));
            }
            _ => page.left(policy, "", "it is no policy", "write what it allows as `statements`"),
        }
    }
    page.path = page.path.trim_end_matches(".Policies").to_owned();
    if let Some(arn) = boundary.as_ref().and_then(|node| page.text(node, "PermissionsBoundary")) {
        if is_iam(&arn, "policy/") {
            page.key("permissions_boundary", arn);
        } else if let Some(node) = &boundary {
            page.left(node, "PermissionsBoundary", "it is no ARN of a policy", "write the ARN here");
        }
    }
    if !managed.is_empty() {
        page.key("managed_policies", Value::Array(managed));
    }
}

fn given(page: &mut Page<'_>, role: &Node) {
    match page.text(role, "Role") {
        Some(arn) if is_iam(&arn, "role/") => page.key("role", table([("arn".to_owned(), arn.into())])),
        Some(arn) => page.left(role, "Role", format!("`{arn}` is no ARN of a role"), "write `role = { arn = \"…\" }`"),
        None => page.key_off("role", table([("arn".to_owned(), "arn:aws:iam::123456789012:role/NAME".into())])),
    }
}

/// As the manifest asks for it.
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

fn managed_policy(page: &mut Page<'_>, policy: &Node) -> Option<Value> {
    let name = page.text(policy, "")?;
    if managed::name_of(&name) == Some(managed::LOGS) {
        page.comment("`AWSLambdaBasicExecutionRole`: every role that lamstream makes may write its logs.");
        return None;
    }
    // A name without an ARN or a template's name that stands where its map should.
    if policies::statements(&name).is_some_and(|statements| statements.iter().all(|(_, on)| *on == ["*"])) {
        template(page, &name, &policy.with(What::Map(Vec::new())));
        return None;
    }
    let partition = page.template.partition();
    let (arn, is_sure) = match managed::path(&name) {
        _ if name.starts_with("arn:") => (name, true),
        Some(path) => (format!("arn:{partition}:iam::aws:policy/{path}{name}"), true),
        None => (format!("arn:{partition}:iam::aws:policy/{name}"), false),
    };
    if is_iam(&arn, "policy/") {
        if !is_sure {
            page.comment(format!(
                "The template names this policy without its path: `{arn}` is a guess. `aws iam list-policies --scope \
                 AWS` has the ARN."
            ));
        }
        return Some(arn.into());
    }
    page.left(policy, "", format!("`{arn}` is no ARN of a policy"), "write the ARN into `managed_policies`");
    None
}

/// One of SAM's policy templates.
fn template(page: &mut Page<'_>, name: &str, arguments: &Node) {
    let Some(statements) = policies::statements(name) else {
        let what = format!("the policy template `{name}` is not known here");
        page.left(arguments, name, what, "write what it allows as `statements`");
        return;
    };
    let (region, mut open) = match page.template.settings.region.clone() {
        Some(region) => (region, Vec::new()),
        None => ("REGION".to_owned(), vec!["AWS::Region".to_owned()]),
    };
    if page.fields(arguments, name, &policies::parameters(statements)).is_none() {
        return;
    }
    for parameter in policies::parameters(statements) {
        if !arguments.get(parameter).is_some_and(|node| matches!(node.what, What::Text { .. })) {
            let what = format!("the policy template lacks a text for its `{parameter}`");
            page.left(arguments, name, what, "write what it allows as `statements`");
            return;
        }
    }
    let mut parts = Vec::new();
    let mut needs_place = false;
    for (actions, resources) in statements {
        let mut written = Vec::new();
        for resource in *resources {
            needs_place |= resource.contains('@');
            let mut text = resource.replace('@', &format!("{region}:ACCOUNT"));
            for (parameter, value) in arguments.entries() {
                let What::Text { text: value, open: more, .. } = &value.what else { continue };
                if text.contains(&format!("{{{parameter}}}")) {
                    text = text.replace(&format!("{{{parameter}}}"), value);
                    open.extend(more.iter().cloned());
                }
            }
            let is_whole = text == "*" || text.starts_with("arn:") || text.starts_with("${");
            written.push(if is_whole { text } else { format!("arn:{}:{text}", page.template.partition()) });
        }
        parts.push((*actions, written));
    }
    if !needs_place {
        open.retain(|name| name != "AWS::Region");
    }
    open.sort_by_key(|name| (name.starts_with("AWS::"), name.clone()));
    open.dedup();
    let is_known = !needs_place && open.is_empty();
    if !is_known {
        let (what, advice) = match open.first() {
            Some(first) if !first.starts_with("AWS::") => page.template.unknown(&open),
            _ => (
                "its ARNs need the account, which only AWS knows".to_owned(),
                "write region and account into the statement here, and switch it on".to_owned(),
            ),
        };
        page.left(arguments, name, what, advice);
    }
    for (actions, resources) in parts {
        let on = is_known || resources == ["*"];
        page.part("statements", written(None, actions.iter().map(|one| (*one).to_owned()), resources), on);
    }
}

fn written(
    effect: Option<&str>,
    actions: impl IntoIterator<Item = String>,
    resources: impl IntoIterator<Item = String>,
) -> Table {
    let list = |items: Vec<String>| Value::Array(items.into_iter().map(Value::from).collect());
    let effect = effect.map(|effect| ("effect".to_owned(), effect.into()));
    let actions = ("actions".to_owned(), list(actions.into_iter().collect()));
    let resources = ("resources".to_owned(), list(resources.into_iter().collect()));
    table(effect.into_iter().chain([actions, resources]))
}

/// A statement as IAM has it.
fn statement(page: &mut Page<'_>, node: &Node) {
    for key in ["NotAction", "NotResource", "Principal", "NotPrincipal"] {
        if let Some(found) = node.get(key) {
            let what = format!("statements of the manifest have no `{key}`");
            page.left(found, &format!("Statement.{key}"), what, "write what is meant with `actions` and `resources`");
            return;
        }
    }
    if page.map(node, "Statement").is_none() {
        return;
    }
    for (key, other) in node.entries() {
        match key.as_str() {
            "Action" | "Resource" | "Effect" | "Condition" => {}
            "Sid" => page.comment(unnamed("Sid", other)),
            _ => page.left(other, &format!("Statement.{key}"), NO_WORD, STILL_NEEDED),
        }
    }
    let is_text = |node: &&Node| matches!(node.what, What::Text { .. });
    let texts = |key: &str| -> Vec<String> {
        let nodes = node.get(key).map(Node::each).unwrap_or_default();
        let text = |node: &&Node| if let What::Text { text, .. } = &node.what { Some(text.clone()) } else { None };
        nodes.iter().filter_map(text).collect()
    };
    let (actions, resources) = (texts("Action"), texts("Resource"));
    let effect = match node.get("Effect").map(|effect| &effect.what) {
        Some(What::Text { text, .. }) if text == "Deny" => Some("deny"),
        Some(What::Text { text, open }) if text == "Allow" || !open.is_empty() => None,
        _ => {
            page.left(node, "Statement.Effect", "it is neither `Allow` nor `Deny`", "write the statement here");
            return;
        }
    };
    let mut part = written(effect, actions.clone(), resources.clone());
    let condition = node.get("Condition").map(value);
    part.extend(condition.map(|condition| ("condition".to_owned(), condition)));
    let lists = ["Action", "Resource"].map(|key| node.get(key).map(Node::each).unwrap_or_default());
    let is_right = lists.iter().flatten().all(is_text)
        && node.get("Condition").is_none_or(is_condition)
        && !actions.is_empty()
        && !resources.is_empty()
        && actions.iter().all(|action| action == "*" || action.contains(':'))
        && resources.iter().all(|on| on == "*" || on.starts_with("arn:") || on.contains("${"));
    if !node.open().is_empty() {
        page.left_open(node, "Statement");
        page.part("statements", part, false);
    } else if is_right {
        page.part("statements", part, true);
    } else {
        let what = "it is no statement: actions like `s3:GetObject`, resources that are ARNs, and a condition as IAM \
                    has it";
        page.left(node, "Statement", what, "write it so, and switch it on");
        page.part("statements", part, false);
    }
}

fn unnamed(key: &str, name: &Node) -> String {
    format!("`{key}: {}` names it in the template; in the manifest it has no name.", name.text().unwrap_or_default())
}

/// Operators, of which each compares keys with one value or several.
fn is_condition(node: &Node) -> bool {
    let is_value = |node: &&Node| matches!(node.what, What::Text { .. });
    let is_compared = |node: &Node| !node.each().is_empty() && node.each().iter().all(is_value);
    let is_operator = |node: &Node| node.is_map() && node.entries().iter().all(|(_, node)| is_compared(node));
    node.is_map() && node.entries().iter().all(|(_, node)| is_operator(node))
}

/// A condition as it stands.
fn value(node: &Node) -> Value {
    match &node.what {
        What::Map(entries) => Value::Table(table(entries.iter().map(|(name, node)| (name.clone(), value(node))))),
        What::List(items) => Value::Array(items.iter().map(value).collect()),
        What::Text { text, .. } => Value::from(text.as_str()),
        What::Absent | What::Null => Value::from(""),
    }
}
