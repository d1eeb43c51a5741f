//! Provisioned concurrency: stored and returned, with its delays; no instance is started in advance.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, page};
use super::concurrency::UNRESERVED;
use super::name::{Name, missing_qualifier};
use crate::clock::{self, millis};
use crate::services::call::Call;
use crate::services::paging::member;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::world::World;
use crate::world::function::{Function, Provisioned, arn};
use crate::world::version::LATEST;

const UNPUBLISHED: &str = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
const NEITHER: &str = "The function resource provided must be an alias or a published version.";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    provisioned_concurrent_executions: Option<i64>,
}

pub(super) fn put(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    let member = "provisionedConcurrentExecutions";
    let asked = input.provisioned_concurrent_executions;
    let asked = asked.ok_or_else(|| Fault::absent(member))?;
    let least = "Member must have value greater than or equal to 1";
    let requested = u32::try_from(asked).ok().filter(|count| *count > 0);
    let requested = requested.ok_or_else(|| Fault::validation(&asked.to_string(), member, least))?;
    call.change(|world| {
        let most = call.options().concurrency;
        let free = most.saturating_sub(world.region(&call.region).reserved());
        let function = changed(call, world, name, UNPUBLISHED)?;
        check(function, &name.qualifier, requested)?;
        if function.reserved.is_none() {
            check_account(requested as usize, free, most)?;
        }
        let now = clock::now();
        let provisioned = Provisioned { requested, ready: now + millis(call.options().update), modified: now };
        let shown = describe(&provisioned);
        function.provisioned.insert(name.qualifier.clone(), provisioned);
        Ok((202, shown))
    })
}

/// The function of an existing alias or version, which `$LATEST` is not.
fn published<'a>(call: &Call, world: &'a World, name: &Name, refusal: &str) -> Result<&'a Function, Fault> {
    if name.or_latest() == LATEST {
        return Err(Fault::parameter(refusal));
    }
    let function = name.find(call, world).ok().filter(|function| function.found(&name.qualifier).is_ok());
    function.ok_or_else(|| missing_qualifier(&arn(&call.region, &name.function, &name.qualifier), &name.qualifier))
}

/// The same, to be changed.
fn changed<'a>(call: &Call, world: &'a mut World, name: &Name, refusal: &str) -> Result<&'a mut Function, Fault> {
    published(call, world, name, refusal)?;
    let function = world.region(&call.region).functions.get_mut(&name.function);
    function.ok_or_else(|| name.missing(call, &name.qualifier))
}

fn check(function: &Function, qualifier: &str, requested: u32) -> Result<(), Fault> {
    let provisioned = |qualifier: &String| function.provisioned.contains_key(qualifier);
    if function.resolve(qualifier)?.configuration.snap_starts() {
        return Err(Fault::parameter("Provisioned Concurrency is not supported for SnapStart enabled functions."));
    }
    match function.aliases.get(qualifier) {
        Some(alias) if !alias.seen_weights(clock::now()).is_empty() => {
            return Err(Fault::parameter("Alias with weights can not be used with Provisioned Concurrency"));
        }
        Some(alias) if provisioned(&alias.version) => {
            return Err(Fault::conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
            ));
        }
        None if function.aliases.values().any(|alias| alias.version == qualifier && provisioned(&alias.name)) => {
            return Err(Fault::conflict("Version is pointed by a Provisioned Concurrency alias"));
        }
        _ => {}
    }
    let others = function.provisioned.iter().filter(|(other, _)| *other != qualifier);
    let all: u32 = others.map(|(_, other)| other.requested).sum::<u32>() + requested;
    if function.reserved.is_some_and(|reserved| all > reserved) {
        return Err(Fault::parameter(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        ));
    }
    Ok(())
}

/// Refuses a value that would leave too little for functions without a reservation.
fn check_account(requested: usize, free: usize, most: usize) -> Result<(), Fault> {
    let refusal = if requested > free {
        format!("is greater than account's unreserved concurrency [{free}].")
    } else if requested + UNRESERVED.min(most) > free {
        format!("decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}].")
    } else {
        return Ok(());
    };
    Err(Fault::parameter(format!("Specified ConcurrentExecutions for function {refusal}")))
}

pub(super) fn get(call: &Call, name: &Name) -> Answer {
    if call.query("List").is_some_and(|what| what == "ALL") {
        return list(call, name);
    }
    call.read(|world| {
        let function = published(call, world, name, NEITHER)?;
        let found = function.provisioned.get(&name.qualifier);
        found.map(|found| (200, describe(found))).ok_or_else(|| {
            let message = "No Provisioned Concurrency Config found for this function";
            Fault::new(404, "ProvisionedConcurrencyConfigNotFoundException", message)
        })
    })
}

fn list(call: &Call, name: &Name) -> Answer {
    let all = name.look(call, |function| {
        let shown = |(qualifier, provisioned): (&String, &Provisioned)| {
            let mut shown = describe(provisioned);
            shown["FunctionArn"] = json!(function.arn(qualifier));
            shown
        };
        Ok(function.provisioned.iter().map(shown).collect())
    })?;
    page(call, "ProvisionedConcurrencyConfigs", all, member("FunctionArn"))
}

pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    call.change(|world| {
        changed(call, world, name, NEITHER)?.provisioned.remove(&name.qualifier);
        Ok((204, Value::Null))
    })
}

fn describe(provisioned: &Provisioned) -> Value {
    let ready = provisioned.ready <= clock::now();
    let there = if ready { provisioned.requested } else { 0 };
    json!({
        "RequestedProvisionedConcurrentExecutions": provisioned.requested,
        "AvailableProvisionedConcurrentExecutions": there,
        "AllocatedProvisionedConcurrentExecutions": there,
        "Status": if ready { "READY" } else { "IN_PROGRESS" },
        "LastModified": date::lambda(provisioned.modified),
    })
}
