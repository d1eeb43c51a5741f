//! IAM: roles and what hangs on them, policies among it.

mod managed;
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
        "CreatePolicy" => managed::create(call, form),
        "GetPolicy" => managed::get(call, form),
        "ListPolicies" => managed::list(call, form),
        "DeletePolicy" => managed::delete(call, form),
        "CreatePolicyVersion" => managed::create_version(call, form),
        "GetPolicyVersion" => managed::get_version(call, form),
        "ListPolicyVersions" => managed::list_versions(call, form),
        "SetDefaultPolicyVersion" => managed::set_default(call, form),
        "DeletePolicyVersion" => managed::delete_version(call, form),
        other => Err(unknown("InvalidAction", &format!("iam:{other}"))),
    }
}

fn missing(name: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role with name {name} cannot be found."))
}

/// A unique id as IAM makes them: what kind of thing it is, and letters that nothing else has.
fn id(kind: &str) -> String {
    format!("{kind}{}", &uuid::Uuid::new_v4().simple().to_string().to_uppercase()[..17])
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

/// The path of a role or policy to be made.
fn path(form: &Form) -> Result<&str, Fault> {
    let path = form.get("Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') && path.len() <= 512 {
        return Ok(path);
    }
    Err(invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// Refuses a policy that is no JSON object with statements.
fn check_policy(document: &str, whose: Whose) -> Result<(), Fault> {
    let bad = |reason: &str| Fault::new(400, "MalformedPolicyDocument", reason);
    let value: Value = serde_json::from_str(document).map_err(|_| bad("This policy contains invalid Json"))?;
    let statements = crate::world::role::statements(&value);
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
        match whose {
            Whose::Trust if has(statement, ["Resource", "NotResource"]) => {
                return Err(bad("Has prohibited field Resource"));
            }
            Whose::Trust if !has(statement, ["Principal", "NotPrincipal"]) => {
                return Err(bad("Missing required field Principal"));
            }
            Whose::Role if has(statement, ["Principal", "NotPrincipal"]) => {
                return Err(bad("Policy document should not specify a principal."));
            }
            Whose::Role if !has(statement, ["Resource", "NotResource"]) => {
                return Err(bad("Policy statement must contain resources."));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a policy is for.
#[derive(Clone, Copy)]
enum Whose {
    /// Says who may assume a role.
    Trust,
    /// Says what a role may do.
    Role,
}

/// The page that a form asks for, in the members that IAM's lists have.
fn page(form: &Form, name: &str, items: Vec<Value>, key: impl Fn(&Value) -> String) -> Result<Value, Fault> {
    let most = form.get("MaxItems").and_then(|most| most.parse().ok()).unwrap_or(100);
    let (items, next) = crate::route::page(items, key, form.get("Marker"), most)
        .ok_or_else(|| Fault::new(400, "ValidationError", "Invalid Marker."))?;
    Ok(serde_json::json!({ name: items, "IsTruncated": next.is_some(), "Marker": next }))
}
