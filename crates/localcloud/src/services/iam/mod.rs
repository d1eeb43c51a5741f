//! IAM: roles, their tags and policies, and managed policies.

mod check;
mod document;
mod lookup;
mod managed;
mod page;
mod policy;
mod role;
mod simulate;
mod tag;

use serde_json::Value;

use crate::services::call::Call;
use crate::services::form::Form;
use crate::wire::error::Fault;

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str, form: &Form) -> Result<Value, Fault> {
    call.cloud.rate.iam()?;
    match action {
        "CreateRole" => role::create(call, form),
        "GetRole" => role::get(call, form),
        "ListRoles" => role::list(call, form),
        "UpdateRole" => role::update(call, form),
        "UpdateAssumeRolePolicy" => role::update_trust(call, form),
        "DeleteRole" => role::delete(call, form),
        "PutRolePermissionsBoundary" => role::put_boundary(call, form),
        "DeleteRolePermissionsBoundary" => role::delete_boundary(call, form),
        "SimulatePrincipalPolicy" => simulate::simulate(call, form),
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
        other => Err(call.unknown("InvalidAction", other)),
    }
}
