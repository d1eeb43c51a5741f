//! A function's variables: those that are known, those that come from outside, and those that lamstream sets itself.

use super::draft::Page;
use super::function::table;
use super::node::{Node, What};
use super::source::ADAPTER_VARIABLES;
use crate::manifest::RESERVED;
use toml::Value;

const SECRET_NAMES: [&str; 9] =
    ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL"];
const SECRET_VALUES: [&str; 6] = ["sk-", "AKIA", "ghp_", "github_pat_", "xoxb-", "-----BEGIN"];

pub fn read(page: &mut Page<'_>, environment: Option<&Node>, in_front: bool) {
    let Some(variables) = environment.and_then(|node| node.get("Variables")) else { return };
    let mut page = page.within("environment", "Environment.Variables");
    if !variables.is_map() {
        page.left_open(variables, "");
        return;
    }
    for (name, node) in variables.entries() {
        if in_front && ADAPTER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        if RESERVED.contains(&name.as_str()) || !is_variable(name) {
            page.left(node, name, "Lambda takes no variable of this name", "choose another name, in the app too");
            continue;
        }
        variable(&mut page, name, node);
    }
}

fn variable(page: &mut Page<'_>, name: &str, node: &Node) {
    let What::Text { text, plain, open } = &node.what else {
        page.left(node, name, "a variable is a text, and this is none", "write a text here");
        return;
    };
    if let Some(value) = from_aws(text) {
        page.key(name, value);
        return;
    }
    if text.contains("{{resolve:") {
        let what = "a part of the value, or a key of a JSON secret, comes from AWS, and lamstream fetches whole values";
        page.left(node, name, what, "put the whole value into one parameter: `{ ssm = \"NAME\" }`");
        return;
    }
    match open.as_slice() {
        [] => {
            if looks_secret(name, text) {
                page.comment(format!(
                    "`{name}` looks like a secret. It need not stand here: {{ env = \"{name}\" }} takes it from the \
                     shell, {{ ssm = \"…\" }} and {{ secret = \"…\" }} from AWS."
                ));
            }
            page.key(name, if *plain { as_cloudformation(node, text) } else { text.clone() });
        }
        [parameter] if *text == format!("${{{parameter}}}") && page.template.parameters.contains_key(parameter) => {
            let (what, _) = page.template.unknown(open);
            let advice = format!("set `{parameter}` where lamstream runs, or take the value from `ssm` or `secret`");
            page.left(node, name, what, advice);
            page.key(name, table([("env".to_owned(), Value::from(parameter.as_str()))]));
        }
        _ => {
            page.left_open(node, name);
            page.key_off(name, text.as_str());
        }
    }
}

/// A truth without quotes is one to YAML, and CloudFormation makes a word of it.
fn as_cloudformation(node: &Node, text: &str) -> String {
    node.truth().map_or_else(|| text.to_owned(), |truth| truth.to_string())
}

/// `{{resolve:ssm:NAME:3}}` and its like, where it is the whole value.
fn from_aws(text: &str) -> Option<Value> {
    let inner = text.strip_prefix("{{resolve:")?.strip_suffix("}}")?;
    let (service, rest) = inner.split_once(':')?;
    if rest.contains("${") || rest.contains("{{") {
        return None;
    }
    let (key, name) = match service {
        "ssm" | "ssm-secure" => ("ssm", rest.to_owned()),
        // NAME or ARN, then perhaps SecretString, a key of its JSON, a stage and a version.
        "secretsmanager" => {
            let end = rest.find(":SecretString").unwrap_or(rest.len());
            let more = rest[end..].trim_start_matches(":SecretString").trim_matches(':');
            if !more.is_empty() {
                return None;
            }
            ("secret", rest[..end].to_owned())
        }
        _ => return None,
    };
    (!name.is_empty()).then(|| Value::Table(table([(key.to_owned(), name.into())])))
}

fn is_variable(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn looks_secret(name: &str, value: &str) -> bool {
    let upper = name.to_uppercase();
    let address = value.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let has_password = address.is_some_and(|(user, _)| user.contains(':') && !user.contains('/'));
    let told = SECRET_NAMES.iter().any(|word| upper.contains(word)) && !value.is_empty();
    told || has_password || SECRET_VALUES.iter().any(|start| value.starts_with(start))
}
