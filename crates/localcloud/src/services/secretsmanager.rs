//! Secrets Manager: secrets, their versions and stages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use crate::clock;
use crate::wire::error::Fault;
use crate::world::World;
use crate::world::secret::{CURRENT, Content, Secret, arn};

/// The errors of the API model, whose text is the member `Message`. All others are those of AWS's front end.
pub(super) const MODELLED: &[&str] = &[
    "DecryptionFailure",
    "EncryptionFailure",
    "InternalServiceError",
    "InvalidNextTokenException",
    "InvalidParameterException",
    "InvalidRequestException",
    "LimitExceededException",
    "MalformedPolicyDocumentException",
    "PreconditionNotMetException",
    "PublicPolicyException",
    "ResourceExistsException",
    "ResourceNotFoundException",
];

/// Bytes of a secret.
const LARGEST: usize = 65_536;
const DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Write {
    name: Option<String>,
    secret_id: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    secret_string: Option<String>,
    secret_binary: Option<String>,
    version_stages: Option<Vec<String>>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Read {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    secret_id: String,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

/// Answers an action.
pub(crate) fn answer(call: &Call, action: &str) -> Result<Value, Fault> {
    match action {
        "CreateSecret" => create(call),
        "GetSecretValue" => get(call),
        "PutSecretValue" => put(call),
        "DeleteSecret" => delete(call),
        other => Err(call.unknown("UnknownOperationException", other)),
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidParameterException", message)
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::new(400, "InvalidRequestException", message)
}

/// A secret that does not exist, or a version of it; AWS ends only the first sentence with a full stop.
fn missing(what: &str) -> Fault {
    let end = if what == "secret" { "." } else { "" };
    Fault::new(400, "ResourceNotFoundException", format!("Secrets Manager can't find the specified {what}{end}"))
}

impl Write {
    fn content(&self) -> Result<Option<Content>, Fault> {
        let content = match (&self.secret_string, &self.secret_binary) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "You can't specify both a binary secret value and a string secret value in the same secret.",
                ));
            }
            (Some(text), None) => Content::Text(text.clone()),
            (None, Some(bytes)) => Content::Bytes(bytes.clone()),
            (None, None) => return Ok(None),
        };
        let (Content::Text(text) | Content::Bytes(text)) = &content;
        if text.len() > LARGEST {
            return Err(Fault::new(
                400,
                "ValidationException",
                format!(
                    "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to {LARGEST}"
                ),
            ));
        }
        Ok(Some(content))
    }

    fn token(&self) -> Result<String, Fault> {
        // Every SDK sends one.
        let missing = || refused("You must provide a ClientRequestToken value. We recommend a UUID-type value.");
        let token = self.client_request_token.clone().ok_or_else(missing)?;
        match token.len() {
            32..=64 => Ok(token),
            _ => Err(invalid("ClientRequestToken must be 32-64 characters long.")),
        }
    }
}

/// Finds a secret by its name, its ARN, or its ARN without the random letters; returns its name.
fn name_of<'a>(secrets: &'a BTreeMap<String, Secret>, id: &str) -> Result<&'a str, Fault> {
    let is_meant = |(name, secret): &(&String, &Secret)| {
        **name == id || secret.arn == id || secret.arn.rsplit_once('-').is_some_and(|(begin, _)| begin == id)
    };
    secrets.iter().find(is_meant).map(|(name, _)| name.as_str()).ok_or_else(|| missing("secret"))
}

fn meant<'a>(world: &'a mut World, call: &Call, id: &str) -> Result<(String, &'a mut Secret), Fault> {
    let secrets = &mut world.region(&call.region).secrets;
    let name = name_of(secrets, id)?.to_owned();
    let secret = secrets.get_mut(&name).ok_or_else(|| missing("secret"))?;
    Ok((name, secret))
}

fn create(call: &Call) -> Result<Value, Fault> {
    let input: Write = call.input()?;
    let name = input.name.clone().unwrap_or_default();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c)) {
        return Err(Fault::new(
            400,
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    let (content, token) = (input.content()?, input.token()?);
    call.change(|world| {
        let secrets = &mut world.region(&call.region).secrets;
        match secrets.get(&name) {
            Some(found) if found.deleted.is_some() => {
                return Err(refused(
                    "You can't create this secret because a secret with this name is already scheduled for deletion.",
                ));
            }
            Some(found) if found.versions.get(&token).map(|version| &version.content) == content.as_ref() => {
                // A repeated call.
                return Ok(written(&name, found, content.is_some().then_some(token.as_str())));
            }
            Some(_) => {
                let message = format!("The operation failed because the secret {name} already exists.");
                return Err(Fault::new(400, "ResourceExistsException", message));
            }
            None => {}
        }
        let tags = input.tags.into_iter().map(|Tag { key, value }| (key, value)).collect();
        let mut secret = Secret {
            arn: arn(&call.region, &name),
            description: input.description,
            tags,
            deleted: None,
            versions: BTreeMap::new(),
        };
        let version = content.map(|content| {
            secret.add(&token, content, &[CURRENT.to_owned()], clock::now());
            token.as_str()
        });
        let answer = written(&name, &secret, version);
        secrets.insert(name.clone(), secret);
        Ok(answer)
    })
}

fn written(name: &str, secret: &Secret, version: Option<&str>) -> Value {
    let mut answer = json!({"ARN": secret.arn, "Name": name});
    if let Some(version) = version {
        answer["VersionId"] = json!(version);
    }
    answer
}

fn marked_for_deletion() -> Fault {
    refused("You can't perform this operation on the secret because it was marked for deletion.")
}

fn put(call: &Call) -> Result<Value, Fault> {
    let input: Write = call.input()?;
    let content = input.content()?.ok_or_else(|| invalid("You must provide either SecretString or SecretBinary."))?;
    let token = input.token()?;
    let stages = input.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
    call.change(|world| {
        let (name, secret) = meant(world, call, input.secret_id.as_deref().unwrap_or_default())?;
        if secret.deleted.is_some() {
            return Err(marked_for_deletion());
        }
        match secret.versions.get(&token) {
            Some(version) if version.content != content => {
                let message = format!(
                    "You can't use ClientRequestToken {token} because that value is already in use for a version of \
                     secret {}.",
                    secret.arn
                );
                return Err(Fault::new(400, "ResourceExistsException", message));
            }
            Some(_) => {}
            None => secret.add(&token, content, &stages, clock::now()),
        }
        let stages = secret.versions.get(&token).map(|version| version.stages.clone()).unwrap_or_default();
        let mut answer = written(&name, secret, Some(&token));
        answer["VersionStages"] = json!(stages);
        Ok(answer)
    })
}

fn get(call: &Call) -> Result<Value, Fault> {
    let Read { secret_id, version_id, version_stage } = call.input()?;
    call.read(|world| {
        let secrets = world.regions.get(&call.region).map(|region| &region.secrets).ok_or_else(|| missing("secret"))?;
        let name = name_of(secrets, &secret_id)?;
        let secret = secrets.get(name).ok_or_else(|| missing("secret"))?;
        if secret.deleted.is_some() {
            return Err(marked_for_deletion());
        }
        let stage = version_stage.as_deref();
        let (id, version) = match &version_id {
            Some(id) => {
                let (id, version) = secret
                    .versions
                    .get_key_value(id)
                    .ok_or_else(|| missing(&format!("secret value for VersionId: {id}")))?;
                if stage.is_some_and(|stage| !version.stages.iter().any(|held| held == stage)) {
                    return Err(refused(
                        "You provided a VersionStage that is not associated to the provided VersionId.",
                    ));
                }
                (id.as_str(), version)
            }
            None => {
                let stage = stage.unwrap_or(CURRENT);
                let none = || missing(&format!("secret value for staging label: {stage}"));
                secret.version_at(stage).ok_or_else(none)?
            }
        };
        let mut answer = written(name, secret, Some(id));
        answer["VersionStages"] = json!(version.stages);
        answer["CreatedDate"] = json!(version.created as f64 / 1000.0);
        match &version.content {
            Content::Text(text) => answer["SecretString"] = json!(text),
            Content::Bytes(bytes) => answer["SecretBinary"] = json!(bytes),
        }
        Ok(answer)
    })
}

fn delete(call: &Call) -> Result<Value, Fault> {
    let Delete { secret_id, recovery_window_in_days: days, force_delete_without_recovery: force } = call.input()?;
    if force && days.is_some() {
        return Err(invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."));
    }
    let days = days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    call.change(|world| {
        let (name, secret) = meant(world, call, &secret_id)?;
        if secret.deleted.is_some() && !force {
            return Err(marked_for_deletion());
        }
        let gone = if force { clock::now() } else { clock::now() + days * DAY };
        secret.deleted = Some(gone);
        let answer = json!({"ARN": secret.arn, "Name": name, "DeletionDate": gone as f64 / 1000.0});
        if force {
            world.region(&call.region).secrets.remove(&name);
        }
        Ok(answer)
    })
}
