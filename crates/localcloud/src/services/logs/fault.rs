//! The errors of CloudWatch Logs.

use crate::wire::error::Fault;

pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameterException", message)
}

pub(super) fn too_long() -> Fault {
    invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
}

pub(super) fn invalid_token() -> Fault {
    invalid("The specified nextToken is invalid.")
}

pub(super) fn missing(kind: &str) -> Fault {
    Fault::new(400, "ResourceNotFoundException", format!("The specified {kind} does not exist."))
}

/// The group's name in `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`, with or without a last `:*`.
pub(super) fn name_in(arn: &str) -> Result<&str, Fault> {
    let name = arn.splitn(7, ':').nth(6).ok_or_else(|| invalid(format!("invalid resource ARN: {arn}")))?;
    Ok(name.strip_suffix(":*").unwrap_or(name))
}
