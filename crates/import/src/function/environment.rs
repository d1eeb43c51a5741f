//! A function's environment: values that are known, and values that come from outside.

use super::layers::ADAPTER_VARIABLES;
use crate::draft::table;
use crate::node::{FETCHED, Node};
use crate::writer::Writer;
use toml::Value;

const SECRET_NAMES: [&str; 9] =
    ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL"];
const SECRET_VALUES: [&str; 6] = ["sk-", "AKIA", "ghp_", "github_pat_", "xoxb-", "-----BEGIN"];

/// The parts of a secret's ARN, which `:` separates.
const ARN_PARTS: usize = 7;

pub(super) fn read(writer: &mut Writer<'_>, environment: Option<&Node>, has_adapter: bool) {
    let mut writer = writer.within("environment", "Environment");
    let environment = environment.and_then(|node| writer.fields(node, "", &["Variables"]));
    let Some(variables) = environment.and_then(|node| node.get("Variables")) else { return };
    writer.path.push_str(".Variables");
    for (name, node) in writer.map(variables, "").unwrap_or_default() {
        if has_adapter && ADAPTER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        if !writer.options.rules.accepts_variable(name) {
            writer.block(node, name, "Lambda does not accept a variable of this name", "rename it, also in the app");
            continue;
        }
        variable(&mut writer, name, node);
    }
}

fn variable(writer: &mut Writer<'_>, name: &str, node: &Node) {
    if node.is_null() {
        // The app may expect an empty variable or none at all.
        writer.block(node, name, "has no value", "set it here, or uncomment the empty one");
        writer.disabled_key(name, "");
        return;
    }
    let Some((text, unknown)) = node.partial_text() else {
        writer.block(node, name, "is not a string", "set a string here");
        return;
    };
    if let Some(value) = from_aws(text) {
        writer.key(name, value);
        return;
    }
    if text.contains(FETCHED) {
        let what = "a part of the value, or a key or a version of a secret, comes from AWS, but lamstream fetches only whole values";
        writer.block(node, name, what, "put the whole value into one parameter: `{ ssm = \"NAME\" }`");
        return;
    }
    match unknown {
        [] => {
            if looks_secret(name, text) {
                writer.comment(format!(
                    "`{name}` looks like a secret. Keep it out of this file: {{ env = \"{name}\" }} reads it from the \
                     shell, {{ ssm = \"…\" }} and {{ secret = \"…\" }} from AWS."
                ));
            }
            writer.key(name, text);
        }
        [parameter] if text == format!("${{{parameter}}}") && writer.values.parameter(parameter).is_some() => {
            let (what, _) = writer.values.why_unknown(unknown);
            let advice = format!("set `{parameter}` where lamstream runs, or read the value with `ssm` or `secret`");
            writer.block(node, name, what, advice);
            writer.key(name, table([("env", parameter.as_str().into())]));
        }
        _ => {
            writer.left_unknown(node, name);
            writer.disabled_key(name, text);
        }
    }
}

/// `{{resolve:ssm:NAME:3}}` and its like, if it is the whole value.
fn from_aws(text: &str) -> Option<Value> {
    let inner = text.strip_prefix(FETCHED)?.strip_suffix("}}")?;
    let (service, rest) = inner.split_once(':')?;
    if rest.contains("${") || rest.contains("{{") {
        return None;
    }
    let (key, name) = match service {
        "ssm" | "ssm-secure" => ("ssm", rest.to_owned()),
        "secretsmanager" => ("secret", whole_secret(rest)?),
        _ => return None,
    };
    (!name.is_empty()).then(|| Value::Table(table([(key, name.into())])))
}

/// The secret's name or ARN, unless the reference is to a key of its JSON, a stage or a version.
fn whole_secret(reference: &str) -> Option<String> {
    let parts: Vec<&str> = reference.split(':').collect();
    let own = if parts[0] == "arn" { ARN_PARTS } else { 1 };
    let (name, fields) = parts.split_at_checked(own)?;
    let is_whole = match fields {
        [] => true,
        [kind, rest @ ..] => ["", "SecretString"].contains(kind) && rest.iter().all(|field| field.is_empty()),
    };
    is_whole.then(|| name.join(":"))
}

fn looks_secret(name: &str, value: &str) -> bool {
    let upper = name.to_uppercase();
    let address = value.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let has_password = address.is_some_and(|(user, _)| user.contains(':') && !user.contains('/'));
    let is_named_so = SECRET_NAMES.iter().any(|word| upper.contains(word)) && !value.is_empty();
    is_named_so || has_password || SECRET_VALUES.iter().any(|start| value.starts_with(start))
}
