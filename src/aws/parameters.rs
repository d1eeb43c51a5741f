//! Stores, lists and deletes the parameters of `secret`: SecureStrings in Parameter Store.

use super::access::Account;
use super::values::SSM;
use crate::apply::{CloudError, Reason};
use crate::stack::Secret;
use serde_json::{Value, json};

/// The most parameters that one answer of `DescribeParameters` has.
const PAGE: usize = 50;

/// A parameter without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredParameter {
    /// The whole name, which is a path: `/shop/TOKEN`.
    pub name: String,
    pub version: u64,
    /// When this version was stored, in milliseconds since 1970.
    pub changed_at: Option<i64>,
    /// The ARN of the caller that stored it.
    pub changed_by: Option<String>,
}

impl Account {
    /// Stores a value as a SecureString, which AWS encrypts with its own key for Parameter Store. Replaces an older value,
    /// and returns the number of the new version.
    ///
    /// # Errors
    /// If AWS refuses it, or does not answer.
    pub async fn store_parameter(&self, name: &str, value: &Secret) -> Result<u64, CloudError> {
        let input = json!({ "Name": name, "Value": value.reveal(), "Type": "SecureString", "Overwrite": true });
        let answer = self.call(&SSM, "PutParameter", input, || format!("store parameter `{name}`")).await?;
        Ok(answer["Version"].as_u64().unwrap_or_default())
    }

    /// Deletes a parameter with all its versions. Returns whether it existed.
    ///
    /// # Errors
    /// If AWS refuses it, or does not answer.
    pub async fn delete_parameter(&self, name: &str) -> Result<bool, CloudError> {
        match self.call(&SSM, "DeleteParameter", json!({ "Name": name }), || format!("delete parameter `{name}`")).await
        {
            Ok(_) => Ok(true),
            Err(error) if error.reason == Reason::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The SecureStrings directly below a path such as `/shop`, sorted by name. Their values are not asked for.
    ///
    /// # Errors
    /// If AWS refuses it, or does not answer.
    pub async fn stored_parameters(&self, path: &str) -> Result<Vec<StoredParameter>, CloudError> {
        let filters = json!([
            { "Key": "Path", "Option": "OneLevel", "Values": [path] },
            { "Key": "Type", "Values": ["SecureString"] },
        ]);
        let (mut found, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut input = json!({ "ParameterFilters": filters, "MaxResults": PAGE });
            if !next.is_null() {
                input["NextToken"] = next;
            }
            let answer =
                self.call(&SSM, "DescribeParameters", input, || format!("list the parameters below `{path}`")).await?;
            found.extend(answer["Parameters"].as_array().into_iter().flatten().filter_map(read));
            next = answer["NextToken"].clone();
            if next.as_str().is_none_or(str::is_empty) {
                break;
            }
        }
        found.sort_by(|one: &StoredParameter, other| one.name.cmp(&other.name));
        Ok(found)
    }
}

fn read(parameter: &Value) -> Option<StoredParameter> {
    Some(StoredParameter {
        name: parameter["Name"].as_str()?.to_owned(),
        version: parameter["Version"].as_u64().unwrap_or_default(),
        // Seconds with a fraction.
        changed_at: parameter["LastModifiedDate"].as_f64().map(|seconds| (seconds * 1000.0) as i64),
        changed_by: parameter["LastModifiedUser"].as_str().map(str::to_owned),
    })
}
