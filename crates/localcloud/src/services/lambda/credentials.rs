//! An operation that AWS does not have: it hands credentials of AWS to a function, in memory alone.

use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::name::Name;
use crate::sandbox::Credentials;
use crate::services::call::Call;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// Hands credentials over, for the instances that start from now on. The function may not exist yet.
pub(super) fn put(call: &Call, name: &Name) -> Answer {
    let Input { access_key_id, secret_access_key, session_token } = call.input()?;
    set(call, name, Some(Credentials { access_key_id, secret_access_key, session_token }))
}

/// Takes them back.
pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    set(call, name, None)
}

/// Idle instances that have other credentials end; those that answer end after that.
fn set(call: &Call, name: &Name, credentials: Option<Credentials>) -> Answer {
    call.cloud.host.hand_over((call.region.clone(), name.function.clone()), credentials);
    Ok((204, Value::Null))
}
