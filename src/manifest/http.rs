//! HTTP's rules for headers.

/// Whether the text is a valid header name.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The first character that no header's value may have.
pub(super) fn control_character(text: &str) -> Option<char> {
    text.chars().find(|character| character.is_control() && *character != '\t')
}

/// What [`is_path`] expects.
pub(super) const PATH_FORM: &str = "a path that begins with `/`, without `?`, `#`";

pub(super) fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(['?', '#']) && !text.contains(char::is_control)
}

/// The longest origin that AWS accepts.
const ORIGIN_LIMIT: usize = 253;

/// A scheme, a host and optionally a port. A path would never match what browsers send.
pub(super) fn is_origin(text: &str) -> bool {
    let of_a_host =
        |host: &str| !host.is_empty() && !host.contains(|found: char| found == '/' || found.is_whitespace());
    text.len() <= ORIGIN_LIMIT && text.split_once("://").is_some_and(|(_, host)| of_a_host(host))
}
