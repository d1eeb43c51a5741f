//! Aliases: names for versions, with weights.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, page};
use super::check::{check_description, is_name};
use super::name::{Name, is_number};
use super::version;
use crate::clock;
use crate::services::call::Call;
use crate::services::paging::member;
use crate::wire::error::Fault;
use crate::world::function::{Alias, Function, expect_revision};
use crate::world::revision;
use crate::world::version::LATEST;

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

/// Refuses weights that violate the API's model; AWS checks this even if the function does not exist.
fn check_weights(weights: &BTreeMap<String, f64>) -> Result<(), Fault> {
    let refused = |entry: (&String, &f64), constraint: &str| {
        let (number, weight) = entry;
        let value = format!("{{{number}={weight:?}}}");
        Err(Fault::validation(&value, "routingConfig.additionalVersionWeights", constraint))
    };
    if let Some(entry) = weights.iter().find(|(number, _)| !is_number(number)) {
        return refused(
            entry,
            "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, \
             Member must have length greater than or equal to 1, \
             Member must satisfy regular expression pattern: [0-9]+]",
        );
    }
    if let Some(entry) = weights.iter().find(|(_, weight)| !(0.0..=1.0).contains(*weight)) {
        return refused(
            entry,
            "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, \
             Member must have value greater than or equal to 0.0, Member must not be null]",
        );
    }
    Ok(())
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
    for number in alias.weights.keys() {
        if *number == alias.version {
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
    if !is_name(&alias, 128) || is_number(&alias) {
        return Err(Fault::validation(
            &alias,
            "name",
            "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ));
    }
    let alias = Alias {
        name: alias,
        version: input.function_version.unwrap_or_default(),
        description: input.description.unwrap_or_default(),
        weights: input.routing_config.and_then(|routing| routing.additional_version_weights).unwrap_or_default(),
        revision: revision::fresh(),
        visible: version::visible(call),
        moving: None,
    };
    check_weights(&alias.weights)?;
    // If the function does not exist, AWS's error names the version.
    let name = Name { function: name.function.clone(), qualifier: alias.version.clone() };
    name.change(call, |function| {
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
        let missing = || Fault::not_found(format!("Cannot find alias arn: {}", function.arn(alias)));
        let found = function.found_alias(alias).ok_or_else(missing)?;
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
    let weights = input.routing_config.map(|routing| routing.additional_version_weights.unwrap_or_default());
    check_weights(weights.as_ref().unwrap_or(&BTreeMap::new()))?;
    name.change(call, |function| {
        let missing = || Fault::not_found(format!("Alias not found: {}", function.arn(alias)));
        let mut next = function.found_alias(alias).ok_or_else(missing)?.clone();
        expect_revision(input.revision_id.as_deref(), &next.revision, "GetFunction/GetAlias")?;
        let before = next.version.clone();
        next.version = input.function_version.unwrap_or(next.version);
        next.description = input.description.unwrap_or(next.description);
        next.weights = weights.unwrap_or(next.weights);
        check(function, &next)?;
        if let Some(provisioned) = function.provisioned.get_mut(alias) {
            if !next.weights.is_empty() {
                return Err(Fault::parameter("Alias with weights can not be used with Provisioned Concurrency"));
            }
            if next.version != before {
                provisioned.ready = clock::after(call.options().update);
                next.moving = Some((before, provisioned.ready));
            }
        }
        next.revision = revision::fresh();
        let shown = next.describe(function);
        function.aliases.insert(alias.to_owned(), next);
        Ok((200, shown))
    })
}

/// As on AWS, this deletes its policy but not its URL, which then answers 403.
pub(super) fn delete(call: &Call, name: &Name, alias: &str) -> Answer {
    name.change(call, |function| {
        // On AWS, it is not an error if the alias does not exist.
        function.aliases.remove(alias);
        function.policies.remove(alias);
        function.provisioned.remove(alias);
        Ok((204, Value::Null))
    })
}
