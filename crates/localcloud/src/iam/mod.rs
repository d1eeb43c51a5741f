//! IAM: roles and what hangs on them.

mod policy;
mod role;
mod tag;

use serde_json::Value;

use crate::route::{Call, Form, unknown};
use crate::wire::error::Fault;
use crate::world::role::Role;

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str, form: &Form) -> Result<Value, Fault> {
    match action {
        "CreateRole" => role::create(call, form),
        "GetRole" => role::get(call, form),
        "ListRoles" => role::list(call, form),
        "UpdateRole" => role::update(call, form),
        "UpdateAssumeRolePolicy" => role::update_trust(call, form),
        "DeleteRole" => role::delete(call, form),
        "PutRolePermissionsBoundary" => role::put_boundary(call, form),
        "DeleteRolePermissionsBoundary" => role::delete_boundary(call, form),
        "TagRole" => tag::add(call, form),
        "UntagRole" => tag::remove(call, form),
        "ListRoleTags" => tag::list(call, form),
        "PutRolePolicy" => policy::put(call, form),
        "GetRolePolicy" => policy::get(call, form),
        "DeleteRolePolicy" => policy::delete(call, form),
        "ListRolePolicies" => policy::list(call, form),
        "AttachRolePolicy" => policy::attach(call, form),
        "DetachRolePolicy" => policy::detach(call, form),
        "ListAttachedRolePolicies" => policy::list_attached(call, form),
        other => Err(unknown("InvalidAction", &format!("iam:{other}"))),
    }
}

fn missing(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationError", message)
}

/// Looks at the role that a form names.
fn read<T>(call: &Call, form: &Form, look: impl FnOnce(&Role) -> Result<T, Fault>) -> Result<T, Fault> {
    let name = form.need("RoleName")?;
    call.cloud.read(|world| look(world.roles.get(&name.to_lowercase()).ok_or_else(|| missing(name))?))
}

/// Changes the role that a form names.
fn change<T>(call: &Call, form: &Form, change: impl FnOnce(&mut Role) -> Result<T, Fault>) -> Result<T, Fault> {
    let name = form.need("RoleName")?;
    call.cloud.change(|world| change(world.roles.get_mut(&name.to_lowercase()).ok_or_else(|| missing(name))?))
}

/// Whether a name has only letters that IAM takes.
fn is_name(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

/// Refuses a policy that is no JSON object with statements.
fn check_policy(document: &str) -> Result<(), Fault> {
    let bad = |reason: &str| Fault::new(400, "MalformedPolicyDocument", reason);
    let value: Value = serde_json::from_str(document).map_err(|_| bad("This policy contains invalid Json"))?;
    if crate::world::role::statements(&value).is_empty() {
        return Err(bad("Syntax errors in policy."));
    }
    Ok(())
}

/// The page that a form asks for, in the members that IAM's lists have.
fn page(form: &Form, name: &str, items: Vec<Value>) -> Result<Value, Fault> {
    let most = form.get("MaxItems").and_then(|most| most.parse().ok()).unwrap_or(100);
    let (items, next) = crate::route::page(items, form.get("Marker"), most)?;
    Ok(serde_json::json!({ name: items, "IsTruncated": next.is_some(), "Marker": next }))
}
