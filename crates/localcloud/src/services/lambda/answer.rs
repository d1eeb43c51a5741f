//! What handlers return, and how lists are paged.

use serde_json::{Value, json};

use crate::services::call::Call;
use crate::services::paging;
use crate::wire::error::Fault;

/// A status, and a body; `Null` for none.
pub(super) type Answer = Result<(u16, Value), Fault>;

/// The error for a method and path without an operation.
pub(super) fn unknown_path(call: &Call) -> Fault {
    call.unknown("UnknownOperationException", &format!(" {} {}", call.parts.method, call.parts.uri.path()))
}

/// The key by which versions are sorted; `$LATEST` comes first.
pub(super) fn by_version(item: &Value) -> String {
    format!("{:0>20}", item["Version"].as_str().unwrap_or_default())
}

/// The page of a list that a query asks for, as member `name`.
///
/// # Errors
/// AWS's own for a page size or marker that is not valid.
pub(super) fn page(call: &Call, name: &str, items: Vec<Value>, key: impl Fn(&Value) -> String) -> Answer {
    let most = match call.query("MaxItems") {
        None => 50,
        Some(text) => text
            .parse()
            .ok()
            .filter(|most| (1..=10_000).contains(most))
            .ok_or_else(|| Fault::validation(&text, "maxItems", "Member must have value between 1 and 10000"))?,
    };
    let (items, next) = paging::page(items, key, call.query("Marker").as_deref(), most.min(50))
        .ok_or_else(|| Fault::parameter("Invalid marker"))?;
    let mut answer = json!({ name: items });
    if let Some(next) = next {
        answer["NextMarker"] = next.into();
    }
    Ok((200, answer))
}
