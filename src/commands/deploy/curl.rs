//! The line with which a person asks what the check asked.

use crate::manifest::Check;

/// A line for the shell that does what the check did.
pub(super) fn curl(url: &str, check: &Check) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut words = vec!["curl -N".to_owned()];
    if check.method != "GET" {
        words.push(format!("-X {}", check.method));
    }
    words.extend(check.headers.iter().map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))));
    words.extend(check.body.iter().map(|body| format!("--data-raw {}", quoted(body))));
    words.push(quoted(&format!("{}{}", url.trim_end_matches('/'), check.path_and_query())));
    words.join(" ")
}
