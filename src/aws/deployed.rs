//! A function that something else may have deployed, with what belongs to it.

use super::access::Account;
use super::cloud::{self, DeployedUrl};
use super::error::{Doing, trouble};
use super::round;
use super::settings;
use crate::apply::{CloudError, Reason};
use crate::stack::{Configuration, Tags, UnmanagedSetting, log_group};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// `$LATEST` of a function, and what refers to it.
pub struct Deployed {
    pub configuration: Configuration,
    pub description: String,
    pub tags: Tags,
    /// The CloudFormation stack that it belongs to.
    pub stack: Option<String>,
    pub concurrency: Option<u32>,
    /// The retention of its log group in days; `None` if it has no group.
    pub retention: Option<Option<u32>>,
    pub urls: Vec<DeployedUrl>,
    /// Services that may invoke it, and the ARNs of queues and streams that it reads.
    pub callers: BTreeSet<String>,
    /// See [`settings::outside`].
    pub outside: BTreeSet<UnmanagedSetting>,
    pub code_sha256: String,
    /// Where its zip is; signed, so it is not shown. `None` for a container image.
    location: Option<String>,
}

impl Account {
    /// The function of this name on AWS, if it exists.
    ///
    /// # Errors
    /// If a call fails. Callers that may not be read are left out.
    pub async fn deployed(&self, name: &str) -> Result<Option<Deployed>, CloudError> {
        let action = || format!("read function `{name}`");
        let Some(found) = self.lambda.get_function().function_name(name).send().await.if_found(action)? else {
            return Ok(None);
        };
        let Some(configuration) = found.configuration() else { return Ok(None) };
        let outside = settings::outside(configuration);
        let configuration = settings::read(configuration, &log_group(name));
        let group = [configuration.log_group.as_str()];
        let (urls, groups, callers) = tokio::try_join!(cloud::urls(self, name), round::list(self, &group), async {
            Ok(self.callers(name).await)
        })?;
        let tags = found.tags();
        Ok(Some(Deployed {
            retention: groups.get(&configuration.log_group).copied(),
            description: found.configuration().and_then(|found| found.description()).unwrap_or_default().to_owned(),
            stack: tags.and_then(|tags| tags.get("aws:cloudformation:stack-name")).cloned(),
            tags: tags.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            concurrency: reserved(&found),
            code_sha256: found.configuration().and_then(|found| found.code_sha256()).unwrap_or_default().to_owned(),
            location: found.code().and_then(|code| code.location()).map(str::to_owned),
            configuration,
            urls,
            callers,
            outside,
        }))
    }

    /// What invokes a function besides its URLs, as far as it can be read.
    async fn callers(&self, name: &str) -> BTreeSet<String> {
        let policy = self.lambda.get_policy().function_name(name).send().await.ok().and_then(|found| found.policy);
        let policy: Value = policy.and_then(|policy| serde_json::from_str(&policy).ok()).unwrap_or_default();
        let statements = policy["Statement"].as_array().into_iter().flatten();
        let services = statements.filter_map(|statement| statement["Principal"]["Service"].as_str());
        let mut callers: BTreeSet<String> = services.map(str::to_owned).collect();
        let sources = self.lambda.list_event_source_mappings().function_name(name).send().await.ok();
        let sources = sources.and_then(|found| found.event_source_mappings).unwrap_or_default();
        callers.extend(sources.into_iter().filter_map(|source| source.event_source_arn));
        callers
    }

    /// Downloads the function's zip; `None` if it is a container image.
    ///
    /// # Errors
    /// If the download fails, or does not match the digest that AWS reports.
    pub async fn code_of(&self, name: &str, deployed: &Deployed) -> Result<Option<Bytes>, CloudError> {
        let is_image = deployed.outside.contains(&UnmanagedSetting::ContainerImage);
        let Some(location) = deployed.location.as_ref().filter(|_| !is_image) else {
            return Ok(None);
        };
        let action = || format!("download the code of function `{name}`");
        download(location, &deployed.code_sha256, action).await.map(Some)
    }
}

fn reserved(found: &GetFunctionOutput) -> Option<u32> {
    let reserved = found.concurrency()?.reserved_concurrent_executions()?;
    u32::try_from(reserved).ok()
}

/// Downloads a zip of Lambda. `sha256` is its digest, as Lambda reports it.
///
/// # Errors
/// If the download fails, or has another digest.
pub(super) async fn download(location: &str, sha256: &str, action: impl Fn() -> String) -> Result<Bytes, CloudError> {
    let unreachable = |error: reqwest::Error| {
        // The URL is left out because it is signed: anyone who has it can download the zip.
        CloudError::new(action(), Reason::Unreachable, trouble(&error.without_url()))
    };
    let answer = reqwest::get(location).await.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
    let zip = answer.bytes().await.map_err(unreachable)?;
    if STANDARD.encode(Sha256::digest(&zip)) != sha256 {
        let why = "the download does not match the digest that Lambda reports";
        return Err(CloudError::new(action(), Reason::Unreachable, why));
    }
    Ok(zip)
}
