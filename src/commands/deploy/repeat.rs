//! The command that repeats a check by hand.

use crate::manifest::{Check, Function};
use crate::stack::Auth;
use crate::text::quoted;

/// A note with a shell command that sends the same request as the check, with `…` for each value that may be a secret.
/// `curl` would not sign it as `aws-iam` requires.
pub(super) fn note(function: &Function, url: &str, check: &Check) -> String {
    let is_signed = function.url.as_ref().is_some_and(|url| url.auth == Auth::AwsIam);
    if check.is_mcp() {
        let signed = if is_signed { ", and must sign their requests" } else { "" };
        return format!("MCP clients connect to {}{}{signed}", url.trim_end_matches('/'), check.path_and_query());
    }
    let mut words = Vec::new();
    // With a body, the default is POST.
    if check.method != "GET" || check.body.is_some() {
        words.push(format!("-X {}", check.method));
    }
    words.extend(check.headers.iter().map(|(name, value)| {
        let value = if Check::may_be_secret(name) { "…" } else { value.reveal() };
        format!("-H {}", quoted(format!("{name}: {value}")))
    }));
    let data = if is_signed { "--data" } else { "--data-raw" };
    words.extend(check.body.iter().map(|_| format!("{data} {}", quoted("…"))));
    let path = check.path_and_query();
    words.push(quoted(if is_signed { path } else { format!("{}{path}", url.trim_end_matches('/')) }));
    let words = words.join(" ");
    match is_signed {
        true => format!("try it: `lamstream invoke {} {words}`", function.name),
        false => format!("try it: `curl -N {words}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn a_check_is_repeated_without_secrets_and_signed_if_necessary() {
        let check = r#"check = { path = "/a b", headers = { accept = "text/html", x-key = "it's" }, body = "hidden" }"#;
        for (auth, expected) in [
            ("none", "curl -N -X GET -H 'accept: text/html' -H 'x-key: …' --data-raw '…' 'https://url.example/a%20b'"),
            ("aws-iam", "lamstream invoke chat -X GET -H 'accept: text/html' -H 'x-key: …' --data '…' '/a%20b'"),
        ] {
            let text =
                format!("app = 'shop'\n[functions.chat]\ncrate = 'chat'\nurl = {{ auth = '{auth}' }}\n{check}\n");
            let function = &parse(&text, None).unwrap().functions[0];
            let note = note(function, "https://url.example/", &function.checks[0]);
            assert_eq!(note, format!("try it: `{expected}`"));
        }
    }

    #[test]
    fn an_mcp_server_has_an_address_for_clients() {
        for (auth, signed) in [("none", ""), ("aws-iam", ", and must sign their requests")] {
            let text = format!(
                "app = 'shop'\n[functions.chat]\ncrate = 'chat'\nurl = {{ auth = '{auth}' }}\ncheck = {{ mcp = '/mcp' }}\n"
            );
            let function = &parse(&text, None).unwrap().functions[0];
            let note = note(function, "https://url.example/", &function.checks[0]);
            assert_eq!(note, format!("MCP clients connect to https://url.example/mcp{signed}"));
        }
    }
}
