//! Provisioned concurrency: kept and echoed, with the moments that it takes; no instance is started ahead.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Name};
use crate::cloud::millis;
use crate::route::Call;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::world::function::{Function, LATEST, Provisioned};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    provisioned_concurrent_executions: Option<i64>,
}

pub(super) fn put(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    let qualifier = name.qualifier.clone();
    let member = "provisionedConcurrentExecutions";
    let asked = input.provisioned_concurrent_executions;
    let asked = asked.ok_or_else(|| Fault::absent(member))?;
    let least = "Member must have value greater than or equal to 1";
    let requested = u32::try_from(asked).ok().filter(|count| *count > 0);
    let requested = requested.ok_or_else(|| Fault::validation(&asked.to_string(), member, least))?;
    name.change(call, |function| {
        check(function, &qualifier, requested)?;
        let now = date::now();
        let provisioned = Provisioned { requested, ready: now + millis(call.cloud.options.update), modified: now };
        let shown = describe(&provisioned);
        function.provisioned.insert(qualifier, provisioned);
        Ok((202, shown))
    })
}

fn check(function: &Function, qualifier: &str, requested: u32) -> Result<(), Fault> {
    if qualifier.is_empty() || qualifier == LATEST {
        return Err(Fault::parameter(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        ));
    }
    function.resolve(qualifier)?;
    if function.aliases.get(qualifier).is_some_and(|alias| !alias.seen_weights(date::now()).is_empty()) {
        return Err(Fault::parameter("Alias with weights can not be used with Provisioned Concurrency"));
    }
    match function.reserved {
        Some(reserved) if requested > reserved => Err(Fault::parameter(format!(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function ({reserved})"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn get(call: &Call, name: &Name) -> Answer {
    let qualifier = name.qualifier.clone();
    name.look(call, |function| {
        let found = function.provisioned.get(&qualifier);
        found.map(|found| (200, describe(found))).ok_or_else(|| {
            let message = "No Provisioned Concurrency Config found for this function";
            Fault::new(404, "ProvisionedConcurrencyConfigNotFoundException", message)
        })
    })
}

pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    let qualifier = name.qualifier.clone();
    name.change(call, |function| {
        function.provisioned.remove(&qualifier);
        Ok((204, Value::Null))
    })
}

fn describe(provisioned: &Provisioned) -> Value {
    let ready = provisioned.ready <= date::now();
    let there = if ready { provisioned.requested } else { 0 };
    json!({
        "RequestedProvisionedConcurrentExecutions": provisioned.requested,
        "AvailableProvisionedConcurrentExecutions": there,
        "AllocatedProvisionedConcurrentExecutions": there,
        "Status": if ready { "READY" } else { "IN_PROGRESS" },
        "LastModified": date::lambda(provisioned.modified),
    })
}
