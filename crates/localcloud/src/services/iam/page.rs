//! Pages of lists.

use serde_json::{Value, json};

use crate::services::form::Form;
use crate::services::paging;
use crate::wire::error::Fault;

/// The page that a form asks for, with the members of all of IAM's lists.
///
/// # Errors
/// AWS's own for a marker that is not valid.
pub(super) fn page(form: &Form, name: &str, items: Vec<Value>, key: impl Fn(&Value) -> String) -> Result<Value, Fault> {
    let most = form.get("MaxItems").and_then(|most| most.parse().ok()).unwrap_or(100);
    let (items, next) = paging::page(items, key, form.get("Marker"), most)
        .ok_or_else(|| Fault::new(400, "ValidationError", "Invalid Marker."))?;
    Ok(json!({ name: items, "IsTruncated": next.is_some(), "Marker": next }))
}
