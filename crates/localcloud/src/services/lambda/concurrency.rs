//! Reserved concurrency.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::name::Name;
use crate::services::call::Call;
use crate::wire::error::Fault;
use crate::world::version::LATEST;

/// How much must remain for functions without a reservation.
pub(super) const UNRESERVED: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    reserved_concurrent_executions: Option<i64>,
}

pub(super) fn put(call: &Call, name: &Name) -> Answer {
    let input: Input = call.input()?;
    if !name.qualifier.is_empty() {
        let message = "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.";
        return Err(Fault::parameter(message));
    }
    let member = "reservedConcurrentExecutions";
    let wanted = input.reserved_concurrent_executions.ok_or_else(|| Fault::absent(member))?;
    let wanted = u32::try_from(wanted).map_err(|_| {
        Fault::validation(&wanted.to_string(), member, "Member must have value greater than or equal to 0")
    })?;
    call.change(|world| {
        name.find(call, world).map_err(|_| name.missing(call, LATEST))?;
        let functions = &mut world.region(&call.region).functions;
        let others = functions.values().filter(|function| function.name != name.function);
        let reserved: u32 = others.filter_map(|function| function.reserved).sum();
        if reserved as usize + wanted as usize + UNRESERVED.min(call.options().concurrency) > call.options().concurrency && wanted > 0 {
            return Err(Fault::parameter(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
            )));
        }
        if let Some(function) = functions.get_mut(&name.function) {
            let provisioned: u32 = function.provisioned.values().map(|provisioned| provisioned.requested).sum();
            if wanted < provisioned {
                // The spaces are AWS's.
                return Err(Fault::parameter(format!(
                    " ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned concurrency [{provisioned}]."
                )));
            }
            function.reserved = Some(wanted);
        }
        Ok((200, json!({"ReservedConcurrentExecutions": wanted})))
    })
}

pub(super) fn get(call: &Call, name: &Name) -> Answer {
    name.look(call, |function| {
        Ok((
            200,
            function.reserved.map_or_else(|| json!({}), |reserved| json!({"ReservedConcurrentExecutions": reserved})),
        ))
    })
}

pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    name.change(call, |function| {
        function.reserved = None;
        Ok((204, Value::Null))
    })
}
