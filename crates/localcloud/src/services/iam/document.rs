//! Policy documents.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::wire::error::Fault;
use crate::world::role::statements;

/// The purpose of a policy.
#[derive(Clone, Copy)]
pub(super) enum PolicyKind {
    /// Defines who may assume a role.
    Trust,
    /// Defines what a role may do.
    Role,
}

/// Checks a policy document.
///
/// # Errors
/// AWS's own if it is not a JSON object with valid statements.
pub(super) fn check_policy(document: &str, kind: PolicyKind) -> Result<(), Fault> {
    let bad = |reason: &str| Fault::new(400, "MalformedPolicyDocument", reason);
    let value: Value = serde_json::from_str(document).map_err(|_| bad("This policy contains invalid Json"))?;
    let statements = statements(&value);
    if statements.is_empty() {
        return Err(bad("Syntax errors in policy."));
    }
    let has = |statement: &Value, names: [&str; 2]| names.iter().any(|name| !statement[*name].is_null());
    for statement in statements {
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return Err(bad("Syntax errors in policy."));
        }
        if !has(statement, ["Action", "NotAction"]) {
            return Err(bad("Policy statement must contain actions."));
        }
        match kind {
            PolicyKind::Trust if has(statement, ["Resource", "NotResource"]) => {
                return Err(bad("Has prohibited field Resource"));
            }
            PolicyKind::Trust if !has(statement, ["Principal", "NotPrincipal"]) => {
                return Err(bad("Missing required field Principal"));
            }
            PolicyKind::Role if has(statement, ["Principal", "NotPrincipal"]) => {
                return Err(bad("Policy document should not specify a principal."));
            }
            PolicyKind::Role if !has(statement, ["Resource", "NotResource"]) => {
                return Err(bad("Policy statement must contain resources."));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The characters of a policy that count towards quotas: white space does not.
pub(super) fn counted(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// IAM returns policy documents percent-encoded.
pub(super) fn encode(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}
