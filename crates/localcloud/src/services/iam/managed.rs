//! Customer-managed policies: stored, returned and attached to roles, but never evaluated.

use serde_json::{Value, json};

use super::check::{id, invalid, is_name, path};
use super::document::{PolicyKind, check_policy, counted, encode};
use super::page::page;
use super::tag;
use crate::clock;
use crate::options::ACCOUNT;
use crate::services::call::Call;
use crate::services::form::Form;
use crate::services::paging::member;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::wire::partition::partition;
use crate::world::World;
use crate::world::managed_policy::ManagedPolicy;

/// The most characters of a policy.
const LARGEST: usize = 6144;

/// The most versions of a policy.
const MOST: usize = 5;

fn no_such(message: String) -> Fault {
    Fault::new(404, "NoSuchEntity", message)
}

fn conflict(message: &str) -> Fault {
    Fault::new(409, "DeleteConflict", message)
}

/// The policy's ARN in a form, and the policy.
fn find<'a>(world: &'a World, form: &Form) -> Result<&'a ManagedPolicy, Fault> {
    let arn = form.need("PolicyArn")?;
    world.policies.get(arn).ok_or_else(|| match arn.contains(":iam::aws:policy/") {
        true => no_such(format!("the local cloud has no copy of AWS's own policies: {arn}")),
        false => no_such(format!("Policy {arn} was not found.")),
    })
}

fn change<T>(
    call: &Call,
    form: &Form,
    change: impl FnOnce(&mut ManagedPolicy) -> Result<T, Fault>,
) -> Result<T, Fault> {
    call.change(|world| {
        let arn = find(world, form)?.arn.clone();
        let missing = || no_such(format!("Policy {arn} was not found."));
        change(world.policies.get_mut(&arn).ok_or_else(missing)?)
    })
}

fn attachments(world: &World, arn: &str) -> usize {
    world.roles.values().filter(|role| role.attached.contains_key(arn)).count()
}

fn describe(world: &World, policy: &ManagedPolicy) -> Value {
    let bounded = world.roles.values().filter(|role| role.boundary.as_ref() == Some(&policy.arn)).count();
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default),
        "AttachmentCount": attachments(world, &policy.arn),
        "PermissionsBoundaryUsageCount": bounded,
        "IsAttachable": true,
        "CreateDate": date::iam(policy.created),
        "UpdateDate": date::iam(policy.updated),
    })
}

/// One version; lists and creating leave out the document.
fn describe_version(policy: &ManagedPolicy, number: u32, whole: bool) -> Value {
    let Some(version) = policy.versions.get(&number) else { return Value::Null };
    let mut shown = json!({
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": number == policy.default,
        "CreateDate": date::iam(version.created),
    });
    if whole {
        shown["Document"] = json!(encode(&version.document));
    }
    shown
}

fn check_document(document: &str) -> Result<(), Fault> {
    check_policy(document, PolicyKind::Role)?;
    if counted(document) > LARGEST {
        return Err(Fault::new(409, "LimitExceeded", format!("Cannot exceed quota for PolicySize: {LARGEST}")));
    }
    Ok(())
}

pub(super) fn create(call: &Call, form: &Form) -> Result<Value, Fault> {
    let (name, document) = (form.need("PolicyName")?, form.need("PolicyDocument")?);
    let path = path(form)?;
    if !is_name(name, 128) {
        return Err(invalid(format!("The specified value for policyName is invalid: {name}")));
    }
    check_document(document)?;
    let now = clock::now();
    let mut policy = ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: id("ANPA"),
        arn: format!("arn:{}:iam::{ACCOUNT}:policy{path}{name}", partition(&call.region)),
        description: form.get("Description").map(str::to_owned),
        created: now,
        updated: now,
        versions: Default::default(),
        default: 0,
        last_version: 0,
        tags: tag::given(form)?,
    };
    policy.add(document, now, true);
    call.change(|world| {
        // Names are unique regardless of path and case.
        if world.policies.values().any(|other| other.name.eq_ignore_ascii_case(name)) {
            let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(Fault::new(409, "EntityAlreadyExists", message));
        }
        let mut shown = describe(world, &policy);
        if !policy.tags.is_empty() {
            shown["Tags"] = json!(tag::describe(&policy.tags));
        }
        world.policies.insert(policy.arn.clone(), policy);
        Ok(json!({"Policy": shown}))
    })
}

pub(super) fn get(call: &Call, form: &Form) -> Result<Value, Fault> {
    call.read(|world| {
        let policy = find(world, form)?;
        let mut shown = describe(world, policy);
        if let Some(description) = &policy.description {
            shown["Description"] = json!(description);
        }
        shown["Tags"] = json!(tag::describe(&policy.tags));
        Ok(json!({"Policy": shown}))
    })
}

/// Lists the account's policies; AWS's managed policies do not exist here.
pub(super) fn list(call: &Call, form: &Form) -> Result<Value, Fault> {
    let prefix = form.get("PathPrefix").unwrap_or("/");
    let attached_only = form.get("OnlyAttached") == Some("true");
    let wanted = |world: &World, policy: &&ManagedPolicy| {
        policy.path.starts_with(prefix) && (!attached_only || attachments(world, &policy.arn) > 0)
    };
    let policies = match form.get("Scope") {
        Some("AWS") => Vec::new(),
        _ => call.read(|world| {
            let policies = world.policies.values().filter(|policy| wanted(world, policy));
            policies.map(|policy| describe(world, policy)).collect()
        }),
    };
    page(form, "Policies", policies, member("Arn"))
}

pub(super) fn delete(call: &Call, form: &Form) -> Result<Value, Fault> {
    call.change(|world| {
        let policy = find(world, form)?;
        if attachments(world, &policy.arn) > 0 {
            return Err(conflict("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy.",
            ));
        }
        let arn = policy.arn.clone();
        world.policies.remove(&arn);
        Ok(Value::Null)
    })
}

/// The version that a form names: `v1`, `v2` and so on.
fn version(policy: &ManagedPolicy, form: &Form) -> Result<u32, Fault> {
    let id = form.need("VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number
        .filter(|number| policy.versions.contains_key(number))
        .ok_or_else(|| no_such(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn)))
}

pub(super) fn create_version(call: &Call, form: &Form) -> Result<Value, Fault> {
    let document = form.need("PolicyDocument")?;
    check_document(document)?;
    change(call, form, |policy| {
        if policy.versions.len() >= MOST {
            let message = format!(
                "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an existing version."
            );
            return Err(Fault::new(409, "LimitExceeded", message));
        }
        let number = policy.add(document, clock::now(), form.get("SetAsDefault") == Some("true"));
        Ok(json!({"PolicyVersion": describe_version(policy, number, false)}))
    })
}

pub(super) fn get_version(call: &Call, form: &Form) -> Result<Value, Fault> {
    call.read(|world| {
        let policy = find(world, form)?;
        Ok(json!({"PolicyVersion": describe_version(policy, version(policy, form)?, true)}))
    })
}

pub(super) fn list_versions(call: &Call, form: &Form) -> Result<Value, Fault> {
    let versions = call.read(|world| {
        let policy = find(world, form)?;
        // The newest comes first.
        Ok(policy.versions.keys().rev().map(|number| describe_version(policy, *number, false)).collect())
    })?;
    page(form, "Versions", versions, |item| {
        let number: u32 = item["VersionId"].as_str().and_then(|id| id[1..].parse().ok()).unwrap_or_default();
        format!("{:010}", u32::MAX - number)
    })
}

pub(super) fn set_default(call: &Call, form: &Form) -> Result<Value, Fault> {
    change(call, form, |policy| {
        policy.default = version(policy, form)?;
        policy.updated = clock::now();
        Ok(Value::Null)
    })
}

pub(super) fn delete_version(call: &Call, form: &Form) -> Result<Value, Fault> {
    change(call, form, |policy| {
        let number = version(policy, form)?;
        if number == policy.default {
            return Err(conflict("Cannot delete the default version of a policy."));
        }
        policy.versions.remove(&number);
        Ok(Value::Null)
    })
}
