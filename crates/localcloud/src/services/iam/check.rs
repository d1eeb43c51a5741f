//! Names, paths and ids, and the error for values that are not valid.

use crate::random;
use crate::services::form::Form;
use crate::wire::error::Fault;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationError", message)
}

/// A unique id in IAM's form: the kind of thing, and random letters.
pub(super) fn id(kind: &str) -> String {
    format!("{kind}{}", &random::token().to_uppercase()[..17])
}

/// Whether a name has only characters that IAM allows.
pub(super) fn is_name(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

/// The path of a new role or policy.
pub(super) fn path(form: &Form) -> Result<&str, Fault> {
    let path = form.get("Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') && path.len() <= 512 {
        return Ok(path);
    }
    Err(invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}
