//! Rules that several operations share.

use crate::wire::error::Fault;

/// Whether a text has only characters that are allowed in Lambda's names.
pub(super) fn is_name(word: &str, longest: usize) -> bool {
    (1..=longest).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Checks the description of a function, version, alias or layer.
///
/// # Errors
/// AWS's own if it is too long.
pub(super) fn check_description(text: &str) -> Result<(), Fault> {
    if text.chars().count() > 256 {
        return Err(Fault::validation(text, "description", "Member must have length less than or equal to 256"));
    }
    Ok(())
}
