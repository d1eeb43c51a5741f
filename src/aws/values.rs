//! Reads values that are stored on AWS: parameters in Parameter Store and secrets in Secrets Manager.

use super::access::Account;
use super::api;
use super::call::JsonApi;
use super::error::is_lasting;
use crate::apply::{CloudError, Reason};
use crate::stack::{NoValue, Secret};
use crate::text::list;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) static SSM: JsonApi = JsonApi { api: &api::SSM, target: "AmazonSSM" };
static SECRETS: JsonApi = JsonApi { api: &api::SECRETS, target: "secretsmanager" };

/// How many names `GetParameters` accepts in one call.
const PARAMETERS: usize = 10;

/// The value of each name, or why the name has none.
type Values = BTreeMap<String, Result<Secret, NoValue>>;

impl Account {
    /// The values of parameters, decrypted. A name may be an ARN, and may end in `:VERSION` or `:LABEL`.
    ///
    /// # Errors
    /// If the failure is not about the names: no connection, no valid credentials, throttling.
    pub async fn parameters(&self, names: &[&str]) -> Result<Values, CloudError> {
        let found = try_join_all(names.chunks(PARAMETERS).map(|names| self.some_parameters(names))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn some_parameters(&self, names: &[&str]) -> Result<Values, CloudError> {
        let input = json!({ "Names": names, "WithDecryption": true });
        let answer = match self
            .call(&SSM, "GetParameters", input, || format!("read parameter {}", list::quoted_and(names)))
            .await
        {
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
        let missing = || NoValue::Missing(format!("Parameter Store does not have in {}", self.region));
        Ok(names.iter().map(|name| ((*name).to_owned(), found.remove(*name).ok_or_else(missing))).collect())
    }

    /// The current strings of secrets. A name may be an ARN.
    ///
    /// # Errors
    /// If the failure is not about the names: no connection, no valid credentials, throttling.
    pub async fn secrets_named(&self, names: &[&str]) -> Result<Values, CloudError> {
        Ok(try_join_all(names.iter().map(|name| self.secret(name))).await?.into_iter().collect())
    }

    async fn secret(&self, name: &str) -> Result<(String, Result<Secret, NoValue>), CloudError> {
        let input = json!({ "SecretId": name });
        let value = match self.call(&SECRETS, "GetSecretValue", input, || format!("read secret `{name}`")).await {
            Ok(answer) => match &answer["SecretString"] {
                Value::String(text) if text.is_empty() => Err(NoValue::Missing("is empty".to_owned())),
                Value::String(text) => Ok(Secret::new(text)),
                _ => Err(NoValue::Unfit("is binary, not a string".to_owned())),
            },
            Err(error) if error.reason == Reason::Missing => {
                Err(NoValue::Missing(format!("Secrets Manager does not have in {}", self.region)))
            }
            Err(error) => Err(refusal(error)?),
        };
        Ok((name.to_owned(), value))
    }
}

/// Why the service refuses to return a value, in its own words.
///
/// # Errors
/// The error itself, if it is not about the requested name.
fn refusal(error: CloudError) -> Result<NoValue, CloudError> {
    if !is_lasting(&error) {
        return Err(error);
    }
    let why = format!("cannot be read: {} ({})", error.message, error.code.unwrap_or_default());
    Ok(NoValue::Unreadable(why))
}
