//! Roles.

use serde_json::{Value, json};

use super::check::{id, invalid, is_name, path};
use super::document::{PolicyKind, check_policy, encode};
use super::lookup::{change, is_visible, missing, read};
use super::page::page;
use super::tag;
use crate::clock::{self, millis};
use crate::options::ACCOUNT;
use crate::services::call::Call;
use crate::services::form::Form;
use crate::services::paging::member;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::wire::partition::partition;
use crate::world::role::Role;

fn describe(role: &Role, whole: bool) -> Value {
    let mut shown = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": date::iam(role.created),
        "AssumeRolePolicyDocument": encode(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
    });
    // Lists contain neither tags nor boundaries.
    if whole {
        if !role.tags.is_empty() {
            shown["Tags"] = json!(tag::describe(&role.tags));
        }
        if let Some(arn) = &role.boundary {
            shown["PermissionsBoundary"] = json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn});
        }
        shown["RoleLastUsed"] = json!({});
    }
    shown
}

fn session(form: &Form) -> Result<Option<u32>, Fault> {
    let Some(text) = form.get("MaxSessionDuration") else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (3600..=43200).contains(seconds));
    seconds.map(Some).ok_or_else(|| invalid("MaxSessionDuration must be from 3600 to 43200 seconds"))
}

pub(super) fn create(call: &Call, form: &Form) -> Result<Value, Fault> {
    let (name, trust) = (form.need("RoleName")?, form.need("AssumeRolePolicyDocument")?);
    let path = path(form)?;
    if !is_name(name, 64) {
        return Err(invalid(format!("The specified value for roleName is invalid: {name}")));
    }
    check_policy(trust, PolicyKind::Trust)?;
    let now = clock::now();
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: id("AROA"),
        arn: format!("arn:{}:iam::{ACCOUNT}:role{path}{name}", partition(&call.region)),
        created: now,
        trust: trust.to_owned(),
        assumable_from: now + millis(call.options().role_propagation),
        detached: 0,
        description: form.get("Description").map(str::to_owned),
        max_session: session(form)?.unwrap_or(3600),
        boundary: form.get("PermissionsBoundary").map(str::to_owned),
        inline: Default::default(),
        attached: Default::default(),
        tags: tag::given(form)?,
    };
    call.change(|world| {
        let key = name.to_lowercase();
        if world.roles.contains_key(&key) {
            let message = format!("Role with name {name} already exists.");
            return Err(Fault::new(409, "EntityAlreadyExists", message));
        }
        let mut shown = json!({"Role": describe(&role, true)});
        // Creating returns only members that were set; reading returns the defaults, too.
        if let Value::Object(members) = &mut shown["Role"] {
            members.remove("RoleLastUsed");
            if form.get("MaxSessionDuration").is_none() {
                members.remove("MaxSessionDuration");
            }
        }
        world.roles.insert(key, role);
        Ok(shown)
    })
}

pub(super) fn get(call: &Call, form: &Form) -> Result<Value, Fault> {
    read(call, form, |role| Ok(json!({"Role": describe(role, true)})))
}

pub(super) fn list(call: &Call, form: &Form) -> Result<Value, Fault> {
    let prefix = form.get("PathPrefix").unwrap_or("/");
    let roles = call.read(|world| {
        let visible = world.roles.values().filter(|role| is_visible(call, role));
        visible.filter(|role| role.path.starts_with(prefix)).map(|role| describe(role, false)).collect()
    });
    page(form, "Roles", roles, member("RoleName"))
}

pub(super) fn update(call: &Call, form: &Form) -> Result<Value, Fault> {
    let session = session(form)?;
    change(call, form, |role| {
        if let Some(description) = form.get("Description") {
            role.description = Some(description.to_owned());
        }
        role.max_session = session.unwrap_or(role.max_session);
        Ok(json!({}))
    })
}

pub(super) fn update_trust(call: &Call, form: &Form) -> Result<Value, Fault> {
    let document = form.need("PolicyDocument")?;
    check_policy(document, PolicyKind::Trust)?;
    change(call, form, |role| {
        let trusted = role.trusts_lambda();
        role.trust = document.to_owned();
        // If both policies trust Lambda, nothing has to propagate.
        if !(trusted && role.trusts_lambda()) {
            role.assumable_from = clock::after(call.options().role_propagation);
        }
        Ok(Value::Null)
    })
}

pub(super) fn delete(call: &Call, form: &Form) -> Result<Value, Fault> {
    let name = form.need("RoleName")?;
    let conflict = |message: &str| Err(Fault::new(409, "DeleteConflict", message));
    call.change(|world| {
        let key = name.to_lowercase();
        let role = world.roles.get(&key).filter(|role| is_visible(call, role)).ok_or_else(|| missing(name))?;
        let late = clock::now() < role.detached + millis(call.options().conflict_lag);
        if !role.inline.is_empty() {
            return conflict("Cannot delete entity, must delete policies first.");
        }
        if !role.attached.is_empty() || late {
            return conflict("Cannot delete entity, must detach all policies first.");
        }
        world.roles.remove(&key);
        Ok(Value::Null)
    })
}

pub(super) fn put_boundary(call: &Call, form: &Form) -> Result<Value, Fault> {
    let arn = form.need("PermissionsBoundary")?;
    change(call, form, |role| {
        role.boundary = Some(arn.to_owned());
        Ok(Value::Null)
    })
}

pub(super) fn delete_boundary(call: &Call, form: &Form) -> Result<Value, Fault> {
    change(call, form, |role| {
        role.boundary = None;
        Ok(Value::Null)
    })
}
