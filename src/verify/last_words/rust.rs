//! Frames of Rust's backtraces: `7: NAME`, or `7: 0x558b7e51 - NAME` in a full one, and `at PLACE` below each.

/// Crates that are beneath an app's own code.
const BENEATH: [&str; 24] = [
    "core",
    "std",
    "alloc",
    "anyhow",
    "axum",
    "axum_core",
    "backtrace",
    "eyre",
    "futures",
    "futures_core",
    "futures_util",
    "h2",
    "hyper",
    "hyper_util",
    "lambda_http",
    "lambda_runtime",
    "lambda_runtime_api_client",
    "panic_unwind",
    "tokio",
    "tokio_stream",
    "tower",
    "tower_http",
    "tower_service",
    "tracing",
];

/// Parts of the places of code that is not the app's: the standard library as it was built, rustup's copy of it, and
/// cargo's copies of crates.
const ELSEWHERE: [&str; 4] = ["/rustc/", "/.rustup/", "/.cargo/registry/", "/.cargo/git/"];

/// The name in a frame.
pub(super) fn name(line: &str) -> Option<&str> {
    let (number, rest) = line.trim_start().split_once(':')?;
    let is_numbered = line.starts_with(' ') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let rest = rest.trim_start();
    let without_address = || rest.strip_prefix("0x")?.split_once(" - ").map(|(_, name)| name);
    is_numbered.then(|| without_address().unwrap_or(rest))
}

/// Whether a line is a frame even without a heading, which the end of a long log may lack.
pub(super) fn is_frame(line: &str) -> bool {
    name(line).is_some_and(|name| {
        let mut depth = 0_i32;
        let is_apart = |letter: char| {
            depth += i32::from(letter == '<') - i32::from(letter == '>');
            depth == 0 && letter.is_whitespace()
        };
        name.contains("::") && !name.contains(is_apart)
    })
}

/// Whether a frame of this name may be in the app's own code. Without a path it is the program's start or its runtime.
pub(super) fn is_own(name: &str) -> bool {
    let path = name.trim_start_matches(['<', '&', '(', '*']);
    let first = path.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
    name.contains("::") && !first.starts_with("__") && !BENEATH.contains(&first)
}

/// Whether a line is the place of a frame in code that is not the app's, or the rest of a frame whose beginning was cut
/// off with the beginning of the log.
pub(super) fn is_elsewhere(line: &str) -> bool {
    let is_rest = |rest: &str| !rest.contains(char::is_whitespace) && (rest.contains("::") || rest.contains(".rs:"));
    let is_place = || line.ends_with(|letter: char| letter.is_ascii_digit());
    line.strip_prefix('…').is_some_and(is_rest) || (is_place() && ELSEWHERE.iter().any(|part| line.contains(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_known_by_their_form_and_owned_by_their_crate() {
        for (line, own) in [
            ("   4: chat::config::load::{{closure}}", Some(true)),
            ("  18:     0x558b7e519ace - chat::config::load::hec3f5450adbfe5d2", Some(true)),
            ("   5: <chat::App as axum::handler::Handler<T,S>>::call", Some(true)),
            ("  11: <core::panic::unwind_safe::AssertUnwindSafe<F> as core::ops::FnOnce<()>>::call_once", Some(false)),
            ("  14:     0x558b7e58841d - __rustc[b7974e8690430dd9]::rust_begin_unwind", Some(false)),
            ("   4:     0x558b7e5b1dfa - <core[c1f1a4ba060b9bfa]::fmt::rt::Argument>::fmt", Some(false)),
            ("    0: cannot open config.toml", None),
            ("    1: error in chat::config: no such key", None),
            ("1: chat::main", None),
        ] {
            let found = is_frame(line).then(|| is_own(name(line).unwrap()));
            assert_eq!(found, own, "{line}");
        }
        assert!(is_elsewhere("             at /rustc/59807616/library/std/src/panicking.rs:689:5"));
        assert!(is_elsewhere("…ime::worker::run") && !is_elsewhere("…ime: it failed"));
        assert!(!is_elsewhere("             at ./src/main.rs:4:101"));
    }
}
