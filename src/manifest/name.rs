//! Names of functions and stages, from which names on AWS are derived, and paths.

pub(super) const NAME: &str = "letters, digits, `-` and `_`";

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

pub(super) fn is_path(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('\0')
}
