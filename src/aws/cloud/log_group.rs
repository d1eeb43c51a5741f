//! CloudWatch Logs groups.

use crate::apply::{CloudError, Observer};
use crate::aws::api::LOGS;
use crate::aws::error::Doing;
use crate::aws::place::Place;
use crate::aws::round::Round;
use crate::aws::wait::{Made, Resource, Subject};
use crate::plan::Diff;
use crate::stack::{LogGroup, Names, Noun as _, Owner, Tags};

pub(super) const RESOURCE: Resource = Resource { service: LOGS.id, name: LogGroup::IN_WORDS };

pub(super) async fn observe(place: &Place<'_>, round: &Round) -> Result<Option<LogGroup>, CloudError> {
    let name = place.names.log_group();
    let tags = async {
        let call = place.account.logs.list_tags_for_resource().resource_arn(place.names.log_group_arn());
        call.send().await.if_found(|| format!("read the tags of log group `{name}`, to tell whose it is"))
    };
    let found = round.with_parts(round.log_group(place.account, &name), tags).await?;
    Ok(found.map(|(retention_days, tags)| {
        let tags = tags.and_then(|output| output.tags).into_iter().flatten().collect();
        LogGroup { retention_days, tags }
    }))
}

pub(super) async fn carry_out(
    place: &Place<'_>,
    diff: &Diff<LogGroup>,
    observer: &Observer<'_>,
) -> Result<(), CloudError> {
    match diff {
        Diff::Create(group) => create(place, group, observer).await,
        Diff::Update { from, to } => update(place, from, to).await,
        Diff::Delete(_) => delete(place).await,
    }
}

async fn create(place: &Place<'_>, group: &LogGroup, observer: &Observer<'_>) -> Result<(), CloudError> {
    let name = place.names.log_group();
    let mut call = place.account.logs.create_log_group().log_group_name(&name);
    for (key, value) in group.tags.iter() {
        call = call.tags(key, value);
    }
    let action = || format!("create log group `{name}`");
    call.send().await.unless_exists(action)?;
    place.note_made(Made::Resource(RESOURCE));
    place
        .until_accepted(Subject::Resource(RESOURCE), observer, async || retain(place, group.retention_days).await)
        .await
}

/// Deletes the group. One that several functions may share stays as long as another function writes to it.
async fn delete(place: &Place<'_>) -> Result<(), CloudError> {
    let name = place.names.log_group();
    if place.names.log_group.is_some() {
        let mut shared = place.account.shared_log_groups().await?;
        let mut writers = shared.remove(&name).unwrap_or_default();
        writers.remove(&place.names.function_name());
        if !writers.is_empty() {
            return Ok(());
        }
    }
    let call = place.account.logs.delete_log_group().log_group_name(&name);
    call.send().await.if_found(|| format!("delete log group `{name}`")).map(|_| ())
}

impl Place<'_> {
    /// Deletes the function's own log group if the manifest names another one now, and returns its name. There is none if
    /// it never existed, or is not ours.
    pub async fn sweep_log_group(&self, observer: &Observer<'_>) -> Result<Option<String>, CloudError> {
        if self.names.log_group.is_none() {
            return Ok(None);
        }
        let own = self.renamed(Names { log_group: None, ..self.names.clone() });
        if !own.has_log_group().await? {
            return Ok(None);
        }
        own.until_accepted(Subject::Resource(RESOURCE), observer, async || delete(&own).await).await?;
        Ok(Some(own.names.log_group()))
    }

    /// Whether the log group exists, and lamstream created it for the app.
    ///
    /// # Errors
    /// If a call fails.
    pub(in crate::aws) async fn has_log_group(&self) -> Result<bool, CloudError> {
        let found = observe(self, &Round::of([self])).await?;
        Ok(found.is_some_and(|group| group.owner(&self.names) == Some(Owner::Us)))
    }
}

async fn update(place: &Place<'_>, from: &LogGroup, to: &LogGroup) -> Result<(), CloudError> {
    tag(place, &from.tags, &to.tags).await?;
    if from.retention_days != to.retention_days { retain(place, to.retention_days).await } else { Ok(()) }
}

async fn retain(place: &Place<'_>, days: Option<u32>) -> Result<(), CloudError> {
    let name = place.names.log_group();
    let logs = &place.account.logs;
    let action = || format!("set the retention of log group `{name}`");
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
