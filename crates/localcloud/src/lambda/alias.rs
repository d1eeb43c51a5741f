//! Aliases: names for versions, with weights.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::settings::check_description;
use super::{Answer, Name, is_name, page, version};
use crate::cloud::millis;
use crate::route::{Call, member};
use crate::wire::date;
use crate::wire::error::Fault;
use crate::world::function::{Alias, Function, LATEST, arn, expect_revision};
use crate::world::revision;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: Option<String>,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<Routing>,
    revision_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Routing {
    additional_version_weights: Option<BTreeMap<String, f64>>,
}

fn missing(call: &Call, name: &Name, alias: &str) -> Fault {
    Fault::not_found(format!("Alias not found: {}", arn(&call.region, &name.function, alias)))
}

fn check(function: &Function, alias: &Alias) -> Result<(), Fault> {
    check_description(&alias.description)?;
    version::expect(function, &alias.version)?;
    if alias.weights.is_empty() {
        return Ok(());
    }
    if alias.weights.len() > 1 {
        return Err(Fault::parameter("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    if alias.version == LATEST {
        return Err(Fault::parameter("$LATEST is not supported for an alias pointing to more than 1 version"));
    }
    for (number, weight) in &alias.weights {
        if !(0.0..=1.0).contains(weight) {
            let constraint = "Map value must satisfy constraint: [Member must have value less than or equal to 1, Member must have value greater than or equal to 0]";
            return Err(Fault::validation(&weight.to_string(), "routingConfig.additionalVersionWeights", constraint));
        }
        if number == LATEST || *number == alias.version {
            return Err(Fault::parameter(format!(
                "Invalid function version {number}. Function version {number} is already included in routing configuration."
            )));
        }
        version::expect(function, number)?;
    }
    Ok(())
}

pub(super) fn create(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    let alias = input.name.unwrap_or_default();
    if !is_name(&alias, 128) || alias.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::validation(
            &alias,
            "name",
            "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ));
    }
    name.change(call, |function| {
        let alias = Alias {
            name: alias,
            version: input.function_version.unwrap_or_default(),
            description: input.description.unwrap_or_default(),
            weights: input.routing_config.and_then(|routing| routing.additional_version_weights).unwrap_or_default(),
            revision: revision(),
            moving: None,
        };
        if function.aliases.contains_key(&alias.name) {
            return Err(Fault::conflict(format!("Alias already exists: {}", function.arn(&alias.name))));
        }
        check(function, &alias)?;
        let shown = alias.describe(function);
        function.aliases.insert(alias.name.clone(), alias);
        Ok((201, shown))
    })
}

pub(super) fn get(call: &Call, name: &Name, alias: &str) -> Answer {
    name.look(call, |function| {
        let found = function.aliases.get(alias).ok_or_else(|| missing(call, name, alias))?;
        Ok((200, found.describe(function)))
    })
}

pub(super) fn list(call: &Call, name: &Name) -> Answer {
    let only = call.query("FunctionVersion");
    let aliases = name.look(call, |function| {
        let wanted = |alias: &&Alias| {
            only.as_ref().is_none_or(|number| alias.version == *number || alias.weights.contains_key(number))
        };
        Ok(function.aliases.values().filter(wanted).map(|alias| alias.describe(function)).collect())
    })?;
    page(call, "Aliases", aliases, member("Name"))
}

pub(super) fn update(call: &Call, name: &Name, alias: &str) -> Answer {
    let input: Input = call.input()?;
    name.change(call, |function| {
        let mut next = function.aliases.get(alias).ok_or_else(|| missing(call, name, alias))?.clone();
        expect_revision(input.revision_id.as_deref(), &next.revision)?;
        let before = next.version.clone();
        next.version = input.function_version.unwrap_or(next.version);
        next.description = input.description.unwrap_or(next.description);
        if let Some(routing) = input.routing_config {
            next.weights = routing.additional_version_weights.unwrap_or_default();
        }
        check(function, &next)?;
        if let Some(provisioned) = function.provisioned.get_mut(alias) {
            if !next.weights.is_empty() {
                return Err(Fault::parameter("Alias with weights can not be used with Provisioned Concurrency"));
            }
            if next.version != before {
                provisioned.ready = date::now() + millis(call.cloud.options.update);
                next.moving = Some((before, provisioned.ready));
            }
        }
        next.revision = revision();
        let shown = next.describe(function);
        function.aliases.insert(alias.to_owned(), next);
        Ok((200, shown))
    })
}

/// Its policy goes, its URL stays behind, as on AWS: it then answers 403.
pub(super) fn delete(call: &Call, name: &Name, alias: &str) -> Answer {
    name.change(call, |function| {
        // Deleting an alias that is not there is no error on AWS.
        function.aliases.remove(alias);
        function.policies.remove(alias);
        function.provisioned.remove(alias);
        Ok((204, Value::Null))
    })
}
