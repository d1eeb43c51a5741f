//! Settings of a function beside its configuration: recursive loops, updates of the runtime, and asynchronous invocation.
//! They are stored and returned, and have no effect.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, page};
use super::name::Name;
use crate::clock;
use crate::services::call::Call;
use crate::services::paging::member;
use crate::wire::error::Fault;
use crate::world::function::Function;
use crate::world::version::LATEST;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    recursive_loop: Option<String>,
    update_runtime_on: Option<String>,
    runtime_version_arn: Option<String>,
}

fn one_of(value: Option<String>, member: &'static str, known: &[&str]) -> Result<String, Fault> {
    let value = value.ok_or_else(|| Fault::absent(member))?;
    if known.contains(&value.as_str()) {
        return Ok(value);
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", known.join(", "));
    Err(Fault::validation(&value, member, &constraint))
}

/// GetFunctionRecursionConfig.
pub(super) fn recursion(call: &Call, name: &Name) -> Answer {
    name.look(call, |function| {
        Ok((200, json!({"RecursiveLoop": function.recursive_loop.as_deref().unwrap_or("Terminate")})))
    })
}

/// PutFunctionRecursionConfig.
pub(super) fn put_recursion(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    let chosen = one_of(input.recursive_loop, "recursiveLoop", &["Terminate", "Allow"])?;
    name.change(call, |function| {
        function.recursive_loop = Some(chosen.clone());
        Ok((200, json!({"RecursiveLoop": chosen})))
    })
}

/// The number of the version that a runtime's updates are about, and its ARN.
fn version(function: &Function, qualifier: &str) -> Result<(String, String), Fault> {
    let qualifier = if qualifier.is_empty() { LATEST } else { qualifier };
    let number = function.found(qualifier)?.number.clone();
    let arn = function.arn(&number);
    Ok((number, arn))
}

/// GetRuntimeManagementConfig.
pub(super) fn runtime(call: &Call, name: &Name) -> Answer {
    name.look(call, |function| {
        let (number, arn) = version(function, &name.qualifier)?;
        let auto = || json!({"UpdateRuntimeOn": "Auto"});
        let mut shown = function.runtime_updates.get(&number).cloned().unwrap_or_else(auto);
        shown["FunctionArn"] = json!(arn);
        Ok((200, shown))
    })
}

/// PutRuntimeManagementConfig.
pub(super) fn put_runtime(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    let when = one_of(input.update_runtime_on, "updateRuntimeOn", &["Auto", "Manual", "FunctionUpdate"])?;
    let mut chosen = json!({"UpdateRuntimeOn": when});
    match input.runtime_version_arn {
        Some(arn) if when == "Manual" => chosen["RuntimeVersionArn"] = json!(arn),
        None if when == "Manual" => {
            return Err(Fault::parameter("RuntimeVersionArn is required when UpdateRuntimeOn is Manual"));
        }
        _ => {}
    }
    name.change(call, |function| {
        let (number, arn) = version(function, &name.qualifier)?;
        function.runtime_updates.insert(number, chosen.clone());
        chosen["FunctionArn"] = json!(arn);
        Ok((200, chosen))
    })
}

fn missing(function: &Function, qualifier: &str) -> Fault {
    let arn = function.arn(if qualifier.is_empty() { LATEST } else { qualifier });
    Fault::not_found(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

fn shown(function: &Function, qualifier: &str, settings: &Map<String, Value>) -> Value {
    let qualifier = if qualifier.is_empty() { LATEST } else { qualifier };
    let mut shown = settings.clone();
    shown.insert("FunctionArn".into(), json!(function.arn(qualifier)));
    Value::Object(shown)
}

/// GetFunctionEventInvokeConfig.
pub(super) fn events(call: &Call, name: &Name) -> Answer {
    name.look(call, |function| {
        let found = function.event_invoke.get(&name.qualifier);
        let found = found.ok_or_else(|| missing(function, &name.qualifier))?;
        Ok((200, shown(function, &name.qualifier, found)))
    })
}

/// ListFunctionEventInvokeConfigs.
pub(super) fn list_events(call: &Call, name: &Name) -> Answer {
    let all = name.look(call, |function| {
        let one = |(qualifier, settings): (&String, &Map<String, Value>)| shown(function, qualifier, settings);
        Ok(function.event_invoke.iter().map(one).collect())
    })?;
    page(call, "FunctionEventInvokeConfigs", all, member("FunctionArn"))
}

/// Refuses a number outside its range. The member has another name in AWS's error.
fn within(
    settings: &Map<String, Value>,
    (name, member): (&str, &'static str),
    least: i64,
    most: i64,
) -> Result<(), Fault> {
    let Some(given) = settings.get(name).and_then(Value::as_i64) else { return Ok(()) };
    let constraint = if given < least {
        format!("Member must have value greater than or equal to {least}")
    } else if given > most {
        format!("Member must have value less than or equal to {most}")
    } else {
        return Ok(());
    };
    Err(Fault::validation(&given.to_string(), member, constraint))
}

/// PutFunctionEventInvokeConfig.
pub(super) fn put_events(call: &Call, name: &Name) -> Answer {
    let mut settings: Map<String, Value> = call.input()?;
    settings.retain(|name, _| {
        ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"].contains(&name.as_str())
    });
    if settings.is_empty() {
        return Err(Fault::parameter("You must specify at least one of error handling or destination setting."));
    }
    within(&settings, ("MaximumRetryAttempts", "maximumRetryAttempts"), 0, 2)?;
    within(&settings, ("MaximumEventAgeInSeconds", "maximumEventAgeInSeconds"), 60, 21_600)?;
    settings.insert("LastModified".into(), json!(clock::now() as f64 / 1000.0));
    name.change(call, |function| {
        function.found(&name.qualifier)?;
        let answer = shown(function, &name.qualifier, &settings);
        function.event_invoke.insert(name.qualifier.clone(), settings);
        Ok((200, answer))
    })
}

/// DeleteFunctionEventInvokeConfig.
pub(super) fn delete_events(call: &Call, name: &Name) -> Answer {
    name.change(call, |function| match function.event_invoke.remove(&name.qualifier) {
        Some(_) => Ok((204, Value::Null)),
        None => Err(missing(function, &name.qualifier)),
    })
}
