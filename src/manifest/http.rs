//! HTTP's rules for headers.

/// Whether the text is a valid header name.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The first character that no header's value may have.
pub(super) fn control_character(text: &str) -> Option<char> {
    text.chars().find(|character| character.is_control() && *character != '\t')
}
