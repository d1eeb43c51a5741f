//! Systems Manager: only Parameter Store.

mod describe;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::call::Call;
use crate::clock;
use crate::wire::error::Fault;
use crate::world::parameter::{Parameter, ParameterVersion, arn};

/// How many names GetParameters takes.
const NAMES: usize = 10;
/// Bytes of a value of the standard tier.
const LARGEST: usize = 4096;
/// How many versions are kept.
const VERSIONS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    name: String,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    description: Option<String>,
    #[serde(default)]
    overwrite: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AllNamed {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str) -> Result<Value, Fault> {
    match action {
        "PutParameter" => put(call),
        "GetParameter" => get(call),
        "GetParameters" => get_several(call),
        "DeleteParameter" => delete(call),
        "DescribeParameters" => describe::describe(call),
        other => Err(call.unknown("UnknownOperationException", other)),
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationException", message)
}

/// AWS's error has no message.
fn missing() -> Fault {
    Fault::new(400, "ParameterNotFound", "")
}

fn check_name(name: &str) -> Result<(), Fault> {
    let letters = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if !letters {
        return Err(invalid(
            "Invalid parameter name. Please use correct syntax for referring to a version/label  <name>:<version/label>",
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    if name.trim_start_matches('/').to_lowercase().starts_with("ssm") {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
             sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the \
             following 3 symbols .-_",
        ));
    }
    Ok(())
}

fn put(call: &Call) -> Result<Value, Fault> {
    let Put { name, value, kind, description, overwrite } = call.input()?;
    check_name(&name)?;
    if name.trim_start_matches('/').to_lowercase().starts_with("aws") {
        let message = format!("No access to reserved parameter name: {name}.");
        return Err(Fault::new(400, "AccessDeniedException", message));
    }
    let kinds = ["String", "StringList", "SecureString"];
    if let Some(kind) = kind.as_deref().filter(|kind| !kinds.contains(kind)) {
        let constraint = "Member must satisfy enum value set: [SecureString, StringList, String]";
        return Err(Fault::validation(kind, "type", constraint));
    }
    if value.is_empty() {
        return Err(Fault::validation("", "value", "Member must have length greater than or equal to 1"));
    }
    if value.len() > LARGEST {
        return Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {LARGEST} characters. To create a larger \
             parameter value, upgrade the parameter to use the advanced-parameter tier."
        )));
    }
    call.change(|world| {
        let parameters = &mut world.region(&call.region).parameters;
        let user = Some(call.caller.arn.clone());
        let version = |number| ParameterVersion { number, value, written: clock::now(), user };
        let number = match parameters.get_mut(&name) {
            None => {
                let kind = kind.ok_or_else(|| invalid("A parameter type is required when you create a parameter."))?;
                parameters.insert(name, Parameter { kind, description, versions: vec![version(1)] });
                1
            }
            Some(_) if !overwrite => {
                let message = "The parameter already exists. To overwrite this value, set the overwrite option in \
                               the request to true.";
                return Err(Fault::new(400, "ParameterAlreadyExists", message));
            }
            Some(found) if kind.is_some_and(|kind| kind != found.kind) => {
                let message = "Parameter Store does not support changing a parameter type in a hierarchy. For \
                               example, you can't change a parameter from a String type to a SecureString type. You \
                               must create a new, unique parameter.";
                return Err(Fault::new(400, "HierarchyTypeMismatchException", message));
            }
            Some(found) => {
                let number = found.versions.last().map_or(1, |latest| latest.number + 1);
                found.versions.push(version(number));
                let old = found.versions.len().saturating_sub(VERSIONS);
                found.versions.drain(..old);
                found.description = description.or(found.description.take());
                number
            }
        };
        Ok(json!({"Version": number, "Tier": "Standard"}))
    })
}

/// Splits `NAME` or `NAME:VERSION`, which may be part of an ARN, into the name and the selector with its colon.
fn parts(name: &str) -> (&str, &str) {
    let own = name.strip_prefix("arn:").and_then(|rest| rest.split_once(":parameter"));
    let name = own.map_or(name, |(_, name)| name);
    match name.find(':') {
        Some(colon) => name.split_at(colon),
        None => (name, ""),
    }
}

fn look_up(call: &Call, asked: &str, decrypted: bool) -> Result<Value, Fault> {
    let (name, selector) = parts(asked);
    check_name(name)?;
    call.read(|world| {
        let parameters = world.regions.get(&call.region).map(|region| &region.parameters);
        // In an ARN, `/name` and `name` look alike.
        let bare = name.strip_prefix('/').filter(|_| asked.starts_with("arn:"));
        let found = parameters.and_then(|all| all.get_key_value(name).or_else(|| all.get_key_value(bare?)));
        let (name, parameter) = found.ok_or_else(missing)?;
        let version = match selector.strip_prefix(':') {
            None => parameter.versions.last(),
            Some(number) => parameter.versions.iter().find(|version| version.number.to_string() == number),
        };
        let version = version.ok_or_else(|| {
            let number = selector.trim_start_matches(':');
            let message =
                format!("Systems Manager could not find version {number} of {name}. Verify the version and try again.");
            Fault::new(400, "ParameterVersionNotFound", message)
        })?;
        Ok(shown(call, name, selector, parameter, version, decrypted))
    })
}

fn shown(
    call: &Call,
    name: &str,
    selector: &str,
    parameter: &Parameter,
    version: &ParameterVersion,
    decrypted: bool,
) -> Value {
    let value = match parameter.kind.as_str() {
        "SecureString" if !decrypted => sealed(name, version),
        _ => version.value.clone(),
    };
    let mut shown = json!({
        "Name": name,
        "Type": parameter.kind,
        "Value": value,
        "Version": version.number,
        "LastModifiedDate": version.written as f64 / 1000.0,
        "ARN": arn(&call.region, name),
        "DataType": "text",
    });
    if !selector.is_empty() {
        shown["Selector"] = json!(selector);
    }
    shown
}

/// What takes the place of an encrypted value; it cannot be decrypted.
fn sealed(name: &str, version: &ParameterVersion) -> String {
    let digest = Sha256::digest(format!("{name}:{}:{}:{}", version.number, version.written, version.value));
    STANDARD.encode([b"\x01\x02\x02\x00".as_slice(), &digest].concat())
}

fn get(call: &Call) -> Result<Value, Fault> {
    let Named { name, with_decryption } = call.input()?;
    Ok(json!({"Parameter": look_up(call, &name, with_decryption)?}))
}

fn get_several(call: &Call) -> Result<Value, Fault> {
    let AllNamed { names, with_decryption } = call.input()?;
    if !(1..=NAMES).contains(&names.len()) {
        let bound = if names.is_empty() { "greater than or equal to 1" } else { "less than or equal to 10" };
        let constraint = format!("Member must have length {bound}");
        return Err(Fault::validation(&format!("[{}]", names.join(", ")), "names", &constraint));
    }
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in names {
        match look_up(call, &name, with_decryption) {
            Ok(parameter) => found.push(parameter),
            Err(fault) if fault.code == "ValidationException" => return Err(fault),
            Err(_) => invalid.push(name),
        }
    }
    Ok(json!({"Parameters": found, "InvalidParameters": invalid}))
}

fn delete(call: &Call) -> Result<Value, Fault> {
    let Named { name, .. } = call.input()?;
    call.change(|world| {
        world.region(&call.region).parameters.remove(&name).ok_or_else(missing)?;
        Ok(json!({}))
    })
}
