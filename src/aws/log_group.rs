//! CloudWatch Logs groups.

use super::error::Doing;
use super::place::Place;
use crate::apply::CloudError;
use crate::plan::Diff;
use crate::stack::{LogGroup, Tags};

pub(super) async fn observe(place: &Place<'_>) -> Result<Option<LogGroup>, CloudError> {
    let name = place.names.log_group();
    let logs = &place.account.logs;
    let list = async {
        let call = logs.describe_log_groups().log_group_name_prefix(&name);
        call.send().await.doing(|| format!("read log group `{name}`"))
    };
    let tags = async {
        let call = logs.list_tags_for_resource().resource_arn(place.names.log_group_arn());
        call.send().await.if_found(|| format!("read the tags of log group `{name}`, to tell whose it is"))
    };
    let (list, tags) = tokio::try_join!(list, tags)?;
    // Groups are listed by name, so that the one whose whole name is the prefix comes first.
    let found = list.log_groups().iter().find(|group| group.log_group_name() == Some(&name));
    Ok(found.map(|group| LogGroup {
        retention_days: group.retention_in_days().and_then(|days| u32::try_from(days).ok()),
        tags: tags.and_then(|output| output.tags).into_iter().flatten().collect(),
    }))
}

pub(super) async fn carry_out(place: &Place<'_>, diff: &Diff<LogGroup>) -> Result<(), CloudError> {
    match diff {
        Diff::Create(group) => create(place, group).await,
        Diff::Update { from, to } => update(place, from, to).await,
        Diff::Delete(_) => {
            let name = place.names.log_group();
            let call = place.account.logs.delete_log_group().log_group_name(&name);
            call.send().await.if_found(|| format!("delete log group `{name}`")).map(|_| ())
        }
    }
}

async fn create(place: &Place<'_>, group: &LogGroup) -> Result<(), CloudError> {
    let name = place.names.log_group();
    let mut call = place.account.logs.create_log_group().log_group_name(&name);
    for (key, value) in group.tags.iter() {
        call = call.tags(key, value);
    }
    let action = || format!("create log group `{name}`");
    call.send().await.unless("ResourceAlreadyExistsException", action)?;
    retain(place, group.retention_days).await
}

async fn update(place: &Place<'_>, from: &LogGroup, to: &LogGroup) -> Result<(), CloudError> {
    tag(place, &from.tags, &to.tags).await?;
    if from.retention_days != to.retention_days { retain(place, to.retention_days).await } else { Ok(()) }
}

async fn retain(place: &Place<'_>, days: Option<u32>) -> Result<(), CloudError> {
    let name = place.names.log_group();
    let logs = &place.account.logs;
    let action = || format!("set how long log group `{name}` keeps its logs");
    match days.and_then(|days| i32::try_from(days).ok()) {
        Some(days) => {
            let call = logs.put_retention_policy().log_group_name(&name).retention_in_days(days);
            call.send().await.doing(action).map(|_| ())
        }
        None => logs.delete_retention_policy().log_group_name(&name).send().await.if_found(action).map(|_| ()),
    }
}

async fn tag(place: &Place<'_>, from: &Tags, to: &Tags) -> Result<(), CloudError> {
    let arn = place.names.log_group_arn();
    let action = || format!("tag log group `{}`", place.names.log_group());
    let missing = to.missing_in(from);
    if !missing.is_empty() {
        let mut call = place.account.logs.tag_resource().resource_arn(&arn);
        for (key, value) in missing.iter() {
            call = call.tags(key, value);
        }
        call.send().await.doing(action)?;
    }
    let gone = from.gone_in(to);
    if !gone.is_empty() {
        let call = place.account.logs.untag_resource().resource_arn(&arn).set_tag_keys(Some(gone));
        call.send().await.doing(action)?;
    }
    Ok(())
}
