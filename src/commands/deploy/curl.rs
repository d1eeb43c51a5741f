//! The `curl` command that repeats a check by hand.

use crate::manifest::Check;

/// Headers whose values are not secret.
const HARMLESS: [&str; 2] = ["accept", "content-type"];

/// A shell command that sends the same request as the check, with `…` for each value that may be a secret.
pub(super) fn curl(url: &str, check: &Check) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut words = vec!["curl -N".to_owned()];
    if check.method != "GET" {
        words.push(format!("-X {}", check.method));
    }
    words.extend(check.headers.iter().map(|(name, value)| {
        let harmless = HARMLESS.contains(&name.to_lowercase().as_str());
        format!("-H {}", quoted(&format!("{name}: {}", if harmless { value.reveal() } else { "…" })))
    }));
    words.extend(check.body.iter().map(|_| format!("--data-raw {}", quoted("…"))));
    words.push(quoted(&format!("{}{}", url.trim_end_matches('/'), check.path_and_query())));
    words.join(" ")
}
