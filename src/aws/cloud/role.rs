//! IAM roles, each with one inline policy of ours.

use crate::apply::{CloudError, Exists, Observer, Reason};
use crate::aws::error::Doing;
use crate::aws::place::Place;
use crate::aws::round::Round;
use crate::aws::wait::{Made, Resource, Subject};
use crate::plan::Diff;
use crate::stack::{MANAGED_POLICIES, Names, Role, Statement, Tags};
use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;

pub(super) async fn observe(place: &Place<'_>, round: &Round) -> Result<Option<Role>, CloudError> {
    let name = place.names.role_name();
    let role = async {
        let call = place.account.iam.get_role().role_name(&name);
        let found = call.send().await.if_found(|| format!("read role `{name}`"))?;
        Ok(found.and_then(|output| output.role))
    };
    let policies = async {
        match place.to_delete {
            // What is in a role that is deleted does not matter, and IAM allows few calls.
            true => Ok(Default::default()),
            false => tokio::try_join!(own_policy(place), inline(place), attached(place)),
        }
    };
    let Some((role, (own, inline, attached))) = round.with_parts(role, policies).await? else { return Ok(None) };
    // A role's path is part of its ARN and can never change.
    if role.path() != place.names.role_path() {
        let (is, should_be) = (role.path(), place.names.role_path());
        let message = format!("a role of this name exists at path `{is}`, and should be at `{should_be}`");
        return Err(CloudError::new(format!("use role `{name}`"), Reason::Refused, message));
    }
    Ok(Some(Role {
        trust: role.assume_role_policy_document().map(statements).unwrap_or_default(),
        statements: own,
        other_policies: inline.into_iter().filter(|name| name != Names::POLICY).collect(),
        managed_policies: attached,
        permissions_boundary: role
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
        tags: role.tags().iter().map(|tag| (tag.key(), tag.value())).collect(),
    }))
}

/// The statements of a document as IAM returns it.
fn statements(document: &str) -> BTreeSet<Statement> {
    Statement::of_document(&percent_decode_str(document).decode_utf8_lossy())
}

/// The statements of our own inline policy.
async fn own_policy(place: &Place<'_>) -> Result<BTreeSet<Statement>, CloudError> {
    let name = place.names.role_name();
    let call = place.account.iam.get_role_policy().role_name(&name).policy_name(Names::POLICY);
    let found = call.send().await.if_found(|| format!("read the policy of role `{name}`"))?;
    Ok(found.map(|policy| statements(policy.policy_document())).unwrap_or_default())
}

/// The names of the inline policies.
async fn inline(place: &Place<'_>) -> Result<BTreeSet<String>, CloudError> {
    let name = place.names.role_name();
    let call = place.account.iam.list_role_policies().role_name(&name);
    let mut pages = call.into_paginator().items().send();
    let mut names = BTreeSet::new();
    while let Some(policy) = pages.next().await {
        match policy.if_found(|| format!("read the policies of role `{name}`"))? {
            Some(policy) => names.extend([policy]),
            None => return Ok(BTreeSet::new()),
        }
    }
    Ok(names)
}

/// The ARNs of the attached managed policies.
async fn attached(place: &Place<'_>) -> Result<BTreeSet<String>, CloudError> {
    let name = place.names.role_name();
    let action = || format!("read the policies attached to role `{name}`");
    let call = place.account.iam.list_attached_role_policies().role_name(&name);
    let mut pages = call.into_paginator().items().send();
    let mut arns = BTreeSet::new();
    while let Some(policy) = pages.next().await {
        match policy.if_found(action)? {
            Some(policy) => arns.extend(policy.policy_arn),
            None => return Ok(BTreeSet::new()),
        }
    }
    Ok(arns)
}

pub(super) async fn carry_out(
    place: &Place<'_>,
    diff: &Diff<Role>,
    exists: &Exists,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    match diff {
        Diff::Create(role) => create(place, role, exists, observer).await,
        Diff::Update { from, to } => update(place, from, to).await,
        Diff::Delete(_) => delete(place, observer).await,
    }
}

async fn create(place: &Place<'_>, role: &Role, exists: &Exists, observer: &Observer<'_>) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let action = || format!("create role `{name}`");
    let tags = role.tags.iter().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>, _>>()?;
    let call = place
        .account
        .iam
        .create_role()
        .role_name(&name)
        .path(place.names.role_path())
        .assume_role_policy_document(Statement::document(&role.trust))
        .set_permissions_boundary(role.permissions_boundary.clone())
        .set_tags(Some(tags));
    call.send().await.unless_exists(action)?;
    place.note_made(Made::Resource(Resource::ROLE));
    exists.say();
    place.until_accepted(Subject::Resource(Resource::ROLE), observer, async || put_policy(place, role).await).await?;
    let attach = async || attach(place, role.managed_policies.iter()).await;
    place.until_accepted(Subject::Resource(Resource::ROLE), observer, attach).await
}

async fn update(place: &Place<'_>, from: &Role, to: &Role) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let iam = &place.account.iam;
    retag(place, &from.tags, &to.tags).await?;
    if from.trust != to.trust {
        let document = Statement::document(&to.trust);
        let call = iam.update_assume_role_policy().role_name(&name).policy_document(document);
        call.send().await.doing(|| format!("update the trust policy of role `{name}`"))?;
    }
    if from.permissions_boundary != to.permissions_boundary {
        let action = || format!("set the permissions boundary of role `{name}`");
        match &to.permissions_boundary {
            Some(arn) => {
                let call = iam.put_role_permissions_boundary().role_name(&name).permissions_boundary(arn);
                call.send().await.doing(action)?;
            }
            None => {
                iam.delete_role_permissions_boundary().role_name(&name).send().await.if_found(action)?;
            }
        }
    }
    if from.statements != to.statements {
        put_policy(place, to).await?;
    }
    remove_inline(place, from.other_policies.difference(&to.other_policies)).await?;
    let gone: Vec<&String> = from.managed_policies.difference(&to.managed_policies).collect();
    let both = from.managed_policies.union(&to.managed_policies).count();
    // Nothing serves in between: only where the release stays are policies swapped without a wider role before.
    let first = both.saturating_sub(from.managed_policies.len().max(MANAGED_POLICIES));
    let (first, rest) = gone.split_at(first.min(gone.len()));
    detach(place, first.iter().copied()).await?;
    attach(place, to.managed_policies.difference(&from.managed_policies)).await?;
    detach(place, rest.iter().copied()).await
}

/// IAM deletes a role only after all of its policies are gone. Policies that others added are listed only if IAM says that
/// there are some, because it allows few calls.
async fn delete(place: &Place<'_>, observer: &Observer<'_>) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let iam = &place.account.iam;
    remove_inline(place, [Names::POLICY.to_owned()].iter()).await?;
    let delete = async || {
        iam.delete_role().role_name(&name).send().await.if_found(|| format!("delete role `{name}`")).map(|_| ())
    };
    match delete().await {
        Err(error) if error.reason == Reason::NotEmpty => {
            remove_inline(place, inline(place).await?.iter()).await?;
            detach(place, attached(place).await?.iter()).await?;
            place.until_accepted(Subject::Resource(Resource::ROLE), observer, delete).await
        }
        other => other,
    }
}

async fn put_policy(place: &Place<'_>, role: &Role) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let document = role.document();
    let call =
        place.account.iam.put_role_policy().role_name(&name).policy_name(Names::POLICY).policy_document(document);
    call.send().await.doing(|| format!("write the policy of role `{name}`")).map(|_| ())
}

async fn remove_inline(place: &Place<'_>, policies: impl Iterator<Item = &String>) -> Result<(), CloudError> {
    let name = place.names.role_name();
    for policy in policies {
        let call = place.account.iam.delete_role_policy().role_name(&name).policy_name(policy);
        call.send().await.if_found(|| format!("delete policy `{policy}` of role `{name}`"))?;
    }
    Ok(())
}

async fn attach(place: &Place<'_>, arns: impl Iterator<Item = &String>) -> Result<(), CloudError> {
    let name = place.names.role_name();
    for arn in arns {
        let call = place.account.iam.attach_role_policy().role_name(&name).policy_arn(arn);
        call.send().await.doing(|| format!("attach `{arn}` to role `{name}`"))?;
    }
    Ok(())
}

async fn detach(place: &Place<'_>, arns: impl Iterator<Item = &String>) -> Result<(), CloudError> {
    let name = place.names.role_name();
    for arn in arns {
        let call = place.account.iam.detach_role_policy().role_name(&name).policy_arn(arn);
        call.send().await.if_found(|| format!("detach `{arn}` from role `{name}`"))?;
    }
    Ok(())
}

async fn retag(place: &Place<'_>, from: &Tags, to: &Tags) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let action = || format!("tag role `{name}`");
    let missing = to.missing_in(from);
    if !missing.is_empty() {
        let tags = missing.iter().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>, _>>()?;
        place.account.iam.tag_role().role_name(&name).set_tags(Some(tags)).send().await.doing(action)?;
    }
    let gone = from.gone_in(to);
    if !gone.is_empty() {
        place.account.iam.untag_role().role_name(&name).set_tag_keys(Some(gone)).send().await.doing(action)?;
    }
    Ok(())
}

fn tag(key: &str, value: &str) -> Result<Tag, CloudError> {
    Tag::builder()
        .key(key)
        .value(value)
        .build()
        .map_err(|error| CloudError::new(format!("tag a role with `{key}`"), Reason::Refused, error.to_string()))
}
