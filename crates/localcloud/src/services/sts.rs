//! The Security Token Service: the caller's identity, and temporary credentials.

use serde_json::{Value, json};

use super::call::Call;
use super::form::Form;
use crate::clock;
use crate::options::ACCOUNT;
use crate::signature::Caller;
use crate::wire::date;
use crate::wire::error::Fault;
use crate::world::session::Session;

/// The shortest duration of a session, in seconds.
const SHORTEST: u32 = 900;

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str, form: &Form) -> Result<Value, Fault> {
    match action {
        "GetCallerIdentity" => Ok(identity(&call.caller)),
        "AssumeRole" => assume(call, form),
        other => Err(call.unknown("InvalidAction", other)),
    }
}

fn identity(caller: &Caller) -> Value {
    json!({"Arn": caller.arn, "UserId": caller.id, "Account": ACCOUNT})
}

/// The name of a session.
fn session_name(form: &Form) -> Result<&str, Fault> {
    let name = form.need("RoleSessionName")?;
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    let constraint = match name.len() {
        _ if !letters => "satisfy regular expression pattern: [\\w+=,.@-]*",
        0..2 => "have length greater than or equal to 2",
        2..=64 => return Ok(name),
        _ => "have length less than or equal to 64",
    };
    Err(Fault::new(
        400,
        "ValidationError",
        format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: \
             Member must {constraint}"
        ),
    ))
}

/// Refuses session tags that AWS refuses. Valid ones are not stored, since nothing is authorised by them.
fn check_tags(form: &Form) -> Result<(), Fault> {
    let invalid = |message: &str| Err(Fault::new(400, "InvalidParameterValue", message));
    let keys: Vec<String> = form.members("Tags", ".Key").iter().map(|key| key.to_lowercase()).collect();
    if keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key)) {
        return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    if form.members("TransitiveTagKeys", "").iter().any(|key| !keys.contains(&key.to_lowercase())) {
        return invalid("The specified transitive tag key must be included in the requested tags.");
    }
    Ok(())
}

fn assume(call: &Call, form: &Form) -> Result<Value, Fault> {
    let arn = form.need("RoleArn")?;
    let name = session_name(form)?;
    check_tags(form)?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if !matches!(parts[..], ["arn", partition, service, _, _, what] if ![partition, service, what].contains(&"")) {
        return Err(Fault::new(400, "ValidationError", format!("{arn} is invalid")));
    }
    let seconds = form.get("DurationSeconds").unwrap_or("3600");
    let seconds: u32 = seconds.parse().map_err(|_| bad_duration(seconds))?;
    if !(SHORTEST..=43_200).contains(&seconds) {
        return Err(bad_duration(&seconds.to_string()));
    }
    let session = call.change(|world| {
        let now = clock::now();
        // The error for a role that does not exist is the same, so that callers cannot find out which roles exist.
        let role = world.role_by_arn(arn).filter(|role| role.lets_in(now, &call.caller.arn));
        let role = role.ok_or_else(|| {
            let caller = &call.caller.arn;
            let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}");
            Fault::new(403, "AccessDenied", message)
        })?;
        if seconds > role.max_session {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(Fault::new(400, "ValidationError", message));
        }
        let session = Session::new(role, name, now + i64::from(seconds) * 1000);
        world.sessions.retain(|_, session| !session.is_long_over(now));
        world.sessions.insert(session.access_key_id.clone(), session.clone());
        Ok(session)
    })?;
    Ok(json!({
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.token,
            "Expiration": date::iam(session.expires),
        },
        "AssumedRoleUser": {"AssumedRoleId": session.id, "Arn": session.arn},
    }))
}

fn bad_duration(given: &str) -> Fault {
    Fault::new(
        400,
        "ValidationError",
        format!(
            "1 validation error detected: Value '{given}' at 'durationSeconds' failed to satisfy constraint: \
             Member must have value between {SHORTEST} and 43200"
        ),
    )
}
