//! Values that are kept on AWS: parameters of Parameter Store and secrets of Secrets Manager.

use super::access::Account;
use super::call::JsonApi;
use super::error::is_lasting;
use crate::apply::CloudError;
use crate::stack::Secret;
use crate::text::list;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SSM: JsonApi = JsonApi { id: "SSM", name: "ssm", target: "AmazonSSM" };
const SECRETS: JsonApi = JsonApi { id: "Secrets Manager", name: "secretsmanager", target: "secretsmanager" };

/// How many names GetParameters takes in one call.
const PARAMETERS: usize = 10;

/// What each name has; or why it has nothing, in words that follow "which".
type Values = BTreeMap<String, Result<Secret, String>>;

impl Account {
    /// The values of parameters, decrypted. A name may be an ARN, and may end in `:VERSION` or `:LABEL`.
    ///
    /// # Errors
    /// What says nothing about the names: no connection, no valid credentials, throttling.
    pub async fn parameters(&self, names: &[&str]) -> Result<Values, CloudError> {
        let found = try_join_all(names.chunks(PARAMETERS).map(|names| self.some_parameters(names))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn some_parameters(&self, names: &[&str]) -> Result<Values, CloudError> {
        let input = json!({ "Names": names, "WithDecryption": true });
        let answer =
            match self.call(&SSM, "GetParameters", input, || format!("read parameter {}", list::quoted(names))).await {
                Ok(answer) => answer,
                Err(error) => {
                    let why = refusal(error)?;
                    return Ok(names.iter().map(|name| ((*name).to_owned(), Err(why.clone()))).collect());
                }
            };
        let mut found = BTreeMap::new();
        for parameter in answer["Parameters"].as_array().into_iter().flatten() {
            let text = |member: &str| parameter[member].as_str().unwrap_or_default();
            for name in ["Name", "ARN"] {
                found.insert(format!("{}{}", text(name), text("Selector")), Secret::new(text("Value")));
            }
        }
        let missing = || format!("Parameter Store does not have in {}", self.region);
        Ok(names.iter().map(|name| ((*name).to_owned(), found.remove(*name).ok_or_else(missing))).collect())
    }

    /// The strings of secrets, as they are now. A name may be an ARN.
    ///
    /// # Errors
    /// What says nothing about the names: no connection, no valid credentials, throttling.
    pub async fn secrets_named(&self, names: &[&str]) -> Result<Values, CloudError> {
        Ok(try_join_all(names.iter().map(|name| self.secret(name))).await?.into_iter().collect())
    }

    async fn secret(&self, name: &str) -> Result<(String, Result<Secret, String>), CloudError> {
        let input = json!({ "SecretId": name });
        let value = match self.call(&SECRETS, "GetSecretValue", input, || format!("read secret `{name}`")).await {
            Ok(answer) => match &answer["SecretString"] {
                Value::String(text) if text.is_empty() => Err("is empty".to_owned()),
                Value::String(text) => Ok(Secret::new(text)),
                _ => Err("holds bytes, not a string".to_owned()),
            },
            Err(error) if error.is("ResourceNotFoundException") => {
                Err(format!("Secrets Manager does not have in {}", self.region))
            }
            Err(error) => Err(refusal(error)?),
        };
        Ok((name.to_owned(), value))
    }
}

/// Why the service refuses to show it, in its words.
///
/// # Errors
/// The error itself, where it says nothing about what was asked for.
fn refusal(error: CloudError) -> Result<String, CloudError> {
    if !is_lasting(&error) {
        return Err(error);
    }
    Ok(format!("cannot be read: {} ({})", error.message, error.code.unwrap_or_default()))
}
