//! A function's variables: those that are known, those that come from outside, and those that lamstream sets itself.

use super::draft::Page;
use super::function::table;
use super::node::{FETCHED, Node, What};
use super::source::ADAPTER_VARIABLES;
use toml::Value;

const SECRET_NAMES: [&str; 9] =
    ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL"];
const SECRET_VALUES: [&str; 6] = ["sk-", "AKIA", "ghp_", "github_pat_", "xoxb-", "-----BEGIN"];

/// Of the ARN of a secret.
const ARN_PARTS: usize = 7;

pub fn read(page: &mut Page<'_>, environment: Option<&Node>, in_front: bool) {
    let mut page = page.within("environment", "Environment");
    let environment = environment.and_then(|node| page.fields(node, "", &["Variables"]));
    let Some(variables) = environment.and_then(|node| node.get("Variables")) else { return };
    page.path.push_str(".Variables");
    for (name, node) in page.map(variables, "").unwrap_or_default() {
        if in_front && ADAPTER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        if !page.rules.accepts_variable(name) {
            page.left(node, name, "Lambda takes no variable of this name", "choose another name, in the app too");
            continue;
        }
        variable(&mut page, name, node);
    }
}

fn variable(page: &mut Page<'_>, name: &str, node: &Node) {
    if node.is_null() {
        // Whether the app looks for an empty text or for none is not to be seen here.
        page.left(node, name, "it has no value", "write one here, or switch the empty one on");
        page.key_off(name, "");
        return;
    }
    let What::Text { text, open } = &node.what else {
        page.left(node, name, "a variable is a text, and this is none", "write a text here");
        return;
    };
    if let Some(value) = from_aws(text) {
        page.key(name, value);
        return;
    }
    if text.contains(FETCHED) {
        let what = "a part of the value, or a key or a version of a secret, comes from AWS, and lamstream fetches whole values";
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
            page.key(name, text.as_str());
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

/// `{{resolve:ssm:NAME:3}}` and its like, where it is the whole value.
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
    (!name.is_empty()).then(|| Value::Table(table([(key.to_owned(), name.into())])))
}

/// NAME or ARN, if nothing is behind it: not `SecretString` alone, but a key of its JSON, a stage or a version.
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
    let told = SECRET_NAMES.iter().any(|word| upper.contains(word)) && !value.is_empty();
    told || has_password || SECRET_VALUES.iter().any(|start| value.starts_with(start))
}
