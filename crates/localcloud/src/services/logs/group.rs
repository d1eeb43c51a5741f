//! Log groups.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{invalid, invalid_token, missing, name_in, too_long};
use crate::clock::{self, Millis, millis};
use crate::services::call::Call;
use crate::services::paging::{member, page};
use crate::wire::error::Fault;
use crate::world::World;
use crate::world::log_group::{LogGroup, arn};
use crate::world::tags::Tags;

const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
    retention_in_days: Option<u32>,
    log_group_class: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tagged {
    resource_arn: String,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn change<T>(call: &Call, name: &str, change: impl FnOnce(&mut LogGroup) -> T) -> Result<T, Fault> {
    call.change(|world| {
        let group = world.region(&call.region).log_groups.get_mut(name).filter(|group| is_visible(call, group));
        let group = group.ok_or_else(|| missing("log group"))?;
        expect_quiet(call, group.changed)?;
        group.changed = clock::now();
        Ok(change(group))
    })
}

/// Whether a group is old enough to be found.
fn is_visible(call: &Call, group: &LogGroup) -> bool {
    clock::now() >= group.created + millis(call.options().visibility_lag)
}

/// Refuses a change too soon after another one.
fn expect_quiet(call: &Call, changed: Millis) -> Result<(), Fault> {
    if clock::now() >= changed + millis(call.options().conflict_lag) {
        return Ok(());
    }
    let message = "A conflicting operation is currently in progress against this resource. Please try again.";
    Err(Fault::new(400, "OperationAbortedException", message))
}

pub(super) fn create(call: &Call) -> Result<Value, Fault> {
    let Named { log_group_name: name, tags, log_group_class, .. } = call.input()?;
    let letter = |c: char| c.is_ascii_alphanumeric() || "-_/.#".contains(c);
    if name.len() > 512 {
        return Err(too_long());
    }
    if name.is_empty() || !name.chars().all(letter) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        )));
    }
    call.change(|world| {
        let region = world.region(&call.region);
        if let Some(deleted) = region.deleted_log_groups.remove(&name) {
            expect_quiet(call, deleted)?;
        }
        let groups = &mut region.log_groups;
        if groups.contains_key(&name) {
            return Err(Fault::new(400, "ResourceAlreadyExistsException", "The specified log group already exists"));
        }
        call.logs().begin_group(&call.region, &name).map_err(Fault::unwritten)?;
        let class = log_group_class.unwrap_or_else(|| "STANDARD".into());
        groups.insert(name.clone(), LogGroup { tags, class, ..LogGroup::new(&name, clock::now()) });
        Ok(Value::Null)
    })
}

pub(super) fn delete(call: &Call) -> Result<Value, Fault> {
    let Named { log_group_name: name, .. } = call.input()?;
    let forget = |world: &mut World| {
        let region = world.region(&call.region);
        let group = region.log_groups.get(&name).filter(|group| is_visible(call, group));
        expect_quiet(call, group.ok_or_else(|| missing("log group"))?.changed)?;
        region.log_groups.remove(&name);
        if !call.options().conflict_lag.is_zero() {
            region.deleted_log_groups.insert(name.clone(), clock::now());
        }
        Ok(Value::Null)
    };
    // Its streams are deleted only after the group is.
    call.cloud.host.store.change_and(forget, |_| call.logs().remove_group(&call.region, &name))
}

pub(super) fn describe(call: &Call) -> Result<Value, Fault> {
    let input: Describe = call.input()?;
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let prefix = input.log_group_name_prefix.unwrap_or_default();
    let pattern = input.log_group_name_pattern.unwrap_or_default().to_lowercase();
    let shown = |group: &LogGroup| {
        let arn = arn(&call.region, &group.name);
        let mut shown = json!({
            "logGroupName": group.name,
            "creationTime": group.created,
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "logGroupArn": arn,
            "storedBytes": 0,
            "logGroupClass": group.class,
            "deletionProtectionEnabled": false,
        });
        if let Some(days) = group.retention {
            shown["retentionInDays"] = json!(days);
        }
        shown
    };
    let groups: Vec<Value> = call.read(|world| {
        let groups = world.regions.get(&call.region).into_iter().flat_map(|region| region.log_groups.values());
        groups
            .filter(|group| is_visible(call, group))
            .filter(|group| group.name.starts_with(&prefix) && group.name.to_lowercase().contains(&pattern))
            .map(shown)
            .collect()
    });
    let most = input.limit.unwrap_or(50).min(50);
    let page = page(groups, member("logGroupName"), input.next_token.as_deref(), most);
    let (groups, next) = page.ok_or_else(invalid_token)?;
    let mut answer = json!({"logGroups": groups});
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

pub(super) fn put_retention(call: &Call) -> Result<Value, Fault> {
    let Named { log_group_name: name, retention_in_days: days, .. } = call.input()?;
    let days = days.filter(|days| RETENTIONS.contains(days)).ok_or_else(|| {
        invalid("1 validation error detected: Value at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]")
    })?;
    change(call, &name, |group| {
        group.retention = Some(days);
        Value::Null
    })
}

pub(super) fn delete_retention(call: &Call) -> Result<Value, Fault> {
    let Named { log_group_name: name, .. } = call.input()?;
    change(call, &name, |group| {
        group.retention = None;
        Value::Null
    })
}

pub(super) fn tag(call: &Call) -> Result<Value, Fault> {
    let Tagged { resource_arn, tags, .. } = call.input()?;
    change(call, name_in(&resource_arn)?, |group| {
        group.tags.extend(tags);
        json!({})
    })
}

pub(super) fn untag(call: &Call) -> Result<Value, Fault> {
    let Tagged { resource_arn, tag_keys, .. } = call.input()?;
    change(call, name_in(&resource_arn)?, |group| {
        group.tags.retain(|key, _| !tag_keys.contains(key));
        json!({})
    })
}

pub(super) fn list_tags(call: &Call) -> Result<Value, Fault> {
    let Tagged { resource_arn, .. } = call.input()?;
    let name = name_in(&resource_arn)?;
    call.read(|world| {
        let group = world.regions.get(&call.region).and_then(|region| region.log_groups.get(name));
        let group = group.filter(|group| is_visible(call, group));
        group.map(|group| json!({"tags": group.tags})).ok_or_else(|| missing("log group"))
    })
}
