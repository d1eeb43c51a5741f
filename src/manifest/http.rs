//! What HTTP allows in headers.

/// A name as HTTP has it.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether a header may have such a value.
pub(super) fn is_value(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() && character != '\t')
}
