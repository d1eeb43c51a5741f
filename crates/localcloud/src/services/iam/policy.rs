//! Inline and attached policies of roles: stored and returned, and only evaluated by a simulation.

use serde_json::{Value, json};

use super::check::{invalid, is_name};
use super::document::{PolicyKind, check_policy, counted, encode};
use super::lookup::{self, change, read};
use super::page::page;
use crate::clock;
use crate::options::ACCOUNT;
use crate::services::call::Call;
use crate::services::form::Form;
use crate::services::paging::member;
use crate::wire::error::Fault;

/// The most policies that a role may have attached.
const MOST: usize = 10;

/// The most characters of all inline policies of a role.
const LARGEST: usize = 10_240;

fn missing(policy: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("The role policy with name {policy} cannot be found."))
}

pub(super) fn put(call: &Call, form: &Form) -> Result<Value, Fault> {
    let (name, document) = (form.need("PolicyName")?, form.need("PolicyDocument")?);
    if !is_name(name, 128) {
        return Err(invalid(format!("The specified value for policyName is invalid: {name}")));
    }
    check_policy(document, PolicyKind::Role)?;
    change(call, form, |role| {
        let others = role.inline.iter().filter(|(other, _)| *other != name).map(|(_, text)| text.as_str());
        if others.chain([document]).map(counted).sum::<usize>() > LARGEST {
            let message = format!("Maximum policy size of {LARGEST} bytes exceeded for role {}", role.name);
            return Err(Fault::new(409, "LimitExceeded", message));
        }
        role.inline.insert(name.to_owned(), document.to_owned());
        Ok(Value::Null)
    })
}

pub(super) fn get(call: &Call, form: &Form) -> Result<Value, Fault> {
    let name = form.need("PolicyName")?;
    read(call, form, |role| {
        let document = role.inline.get(name).ok_or_else(|| missing(name))?;
        Ok(json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": encode(document)}))
    })
}

pub(super) fn delete(call: &Call, form: &Form) -> Result<Value, Fault> {
    let name = form.need("PolicyName")?;
    change(call, form, |role| {
        role.inline.remove(name).ok_or_else(|| missing(name))?;
        role.detached = clock::now();
        Ok(Value::Null)
    })
}

pub(super) fn list(call: &Call, form: &Form) -> Result<Value, Fault> {
    let names = read(call, form, |role| Ok(role.inline.keys().map(|name| json!(name)).collect()))?;
    page(form, "PolicyNames", names, |name| name.as_str().unwrap_or_default().to_owned())
}

pub(super) fn attach(call: &Call, form: &Form) -> Result<Value, Fault> {
    let arn = form.need("PolicyArn")?;
    let name = arn.rsplit('/').next().filter(|_| arn.starts_with("arn:") && arn.contains(":policy/"));
    let name = name.ok_or_else(|| Fault::new(400, "InvalidInput", format!("ARN {arn} is not valid.")))?;
    call.change(|world| {
        let role = form.need("RoleName")?;
        // Only the account's own policies are known here; others are not checked.
        if arn.split(':').nth(4) == Some(ACCOUNT) && !world.policies.contains_key(arn) {
            let message = format!("Policy {arn} does not exist or is not attachable.");
            return Err(Fault::new(404, "NoSuchEntity", message));
        }
        let found = world.roles.get_mut(&role.to_lowercase()).filter(|role| lookup::is_visible(call, role));
        let role = found.ok_or_else(|| lookup::missing(role))?;
        if role.attached.len() >= MOST && !role.attached.contains_key(arn) {
            return Err(Fault::new(409, "LimitExceeded", format!("Cannot exceed quota for PoliciesPerRole: {MOST}")));
        }
        role.attached.insert(arn.to_owned(), name.to_owned());
        Ok(Value::Null)
    })
}

pub(super) fn detach(call: &Call, form: &Form) -> Result<Value, Fault> {
    let arn = form.need("PolicyArn")?;
    let missing = || Fault::new(404, "NoSuchEntity", format!("Policy {arn} was not found."));
    change(call, form, |role| {
        role.attached.remove(arn).ok_or_else(missing)?;
        role.detached = clock::now();
        Ok(Value::Null)
    })
}

pub(super) fn list_attached(call: &Call, form: &Form) -> Result<Value, Fault> {
    let shown = |(arn, name): (&String, &String)| json!({"PolicyName": name, "PolicyArn": arn});
    let attached = read(call, form, |role| Ok(role.attached.iter().map(shown).collect()))?;
    page(form, "AttachedPolicies", attached, member("PolicyArn"))
}
