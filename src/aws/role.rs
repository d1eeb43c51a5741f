//! IAM roles, with one inline policy of ours each.

use super::error::Doing;
use super::place::Place;
use crate::apply::{CloudError, Reason};
use crate::plan::Diff;
use crate::stack::{Names, Role, Statement, Tags};
use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;

pub(super) async fn observe(place: &Place<'_>) -> Result<Option<Role>, CloudError> {
    let name = place.names.role_name();
    let iam = &place.account.iam;
    let role = async {
        let found = iam.get_role().role_name(&name).send().await.if_found(|| format!("read role `{name}`"))?;
        Ok(found.and_then(|output| output.role))
    };
    let policy = async {
        let call = iam.get_role_policy().role_name(&name).policy_name(Names::POLICY);
        call.send().await.if_found(|| format!("read the policy of role `{name}`"))
    };
    let (role, policy, attached) = tokio::try_join!(role, policy, attached(place))?;
    // A role's path is part of its ARN and can never change.
    if let Some(elsewhere) = role.as_ref().map(|role| role.path()).filter(|path| *path != place.names.role_path()) {
        let message =
            format!("a role of this name exists at path `{elsewhere}`, and should be at `{}`", place.names.role_path());
        return Err(CloudError::new(format!("use role `{name}`"), Reason::Refused, message));
    }
    let statements = |document: &str| Statement::of_document(&percent_decode_str(document).decode_utf8_lossy());
    Ok(role.map(|role| Role {
        trust: role
            .assume_role_policy_document()
            .and_then(|document| statements(document).into_iter().next())
            .unwrap_or_else(|| Statement::new(&serde_json::Value::Null)),
        statements: policy.map(|policy| statements(policy.policy_document())).unwrap_or_default(),
        managed_policies: attached,
        permissions_boundary: role
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
        tags: role.tags().iter().map(|tag| (tag.key(), tag.value())).collect(),
    }))
}

/// ARNs of the managed policies.
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

pub(super) async fn carry_out(place: &Place<'_>, diff: &Diff<Role>) -> Result<(), CloudError> {
    match diff {
        Diff::Create(role) => create(place, role).await,
        Diff::Update { from, to } => update(place, from, to).await,
        Diff::Delete(_) => delete(place).await,
    }
}

async fn create(place: &Place<'_>, role: &Role) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let action = || format!("create role `{name}`");
    let tags = role.tags.iter().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>, _>>()?;
    let call = place
        .account
        .iam
        .create_role()
        .role_name(&name)
        .path(place.names.role_path())
        .assume_role_policy_document(Statement::document([&role.trust]))
        .set_permissions_boundary(role.permissions_boundary.clone())
        .set_tags(Some(tags));
    call.send().await.unless("EntityAlreadyExists", action)?;
    put_policy(place, role).await?;
    attach(place, role.managed_policies.iter()).await
}

async fn update(place: &Place<'_>, from: &Role, to: &Role) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let iam = &place.account.iam;
    retag(place, &from.tags, &to.tags).await?;
    if from.trust != to.trust {
        let document = Statement::document([&to.trust]);
        let call = iam.update_assume_role_policy().role_name(&name).policy_document(document);
        call.send().await.doing(|| format!("say who may assume role `{name}`"))?;
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
    attach(place, to.managed_policies.difference(&from.managed_policies)).await?;
    detach(place, from.managed_policies.difference(&to.managed_policies)).await
}

/// IAM deletes a role only when nothing hangs on it any more.
async fn delete(place: &Place<'_>) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let iam = &place.account.iam;
    let listed = iam.list_role_policies().role_name(&name).send().await;
    let Some(policies) = listed.if_found(|| format!("read the policies of role `{name}`"))? else { return Ok(()) };
    for policy in policies.policy_names() {
        let call = iam.delete_role_policy().role_name(&name).policy_name(policy);
        call.send().await.if_found(|| format!("delete policy `{policy}` of role `{name}`"))?;
    }
    detach(place, attached(place).await?.iter()).await?;
    iam.delete_role().role_name(&name).send().await.if_found(|| format!("delete role `{name}`")).map(|_| ())
}

async fn put_policy(place: &Place<'_>, role: &Role) -> Result<(), CloudError> {
    let name = place.names.role_name();
    let document = Statement::document(&role.statements);
    let call =
        place.account.iam.put_role_policy().role_name(&name).policy_name(Names::POLICY).policy_document(document);
    call.send().await.doing(|| format!("write the policy of role `{name}`")).map(|_| ())
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
