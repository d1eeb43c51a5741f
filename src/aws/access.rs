//! Who we are, where, and the clients with which to talk to it.

use super::clock::Clock;
use super::endpoint;
use super::error::{Doing, trouble};
use super::patience::{self, retries, timeouts};
use crate::apply::{CloudError, Reason};
use crate::stack::Secret;
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

/// Where the calls go.
#[derive(Clone, Debug)]
pub enum Access {
    /// AWS, as every AWS tool finds it.
    Aws {
        profile: Option<String>,
        /// From the command line: before everything else.
        region: Option<String>,
        /// From the manifest: after the environment, before the profile.
        manifest_region: Option<String>,
    },
    /// A local cloud. No profile and no `AWS_*` variable is read.
    Local { endpoint: String, access_key_id: String, secret_access_key: String, region: String },
}

/// The clients of one account in one region.
#[derive(Clone, Debug)]
pub struct Account {
    pub region: String,
    /// The endpoint in force, where it is not AWS's own.
    pub endpoint: Option<String>,
    /// What the credentials hold that nobody may see.
    pub secrets: Vec<Secret>,
    /// By which requests to Function URLs are signed.
    pub(super) clock: Clock,
    pub(super) config: SdkConfig,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    sts: aws_sdk_sts::Client,
}

/// A client whose answers set the clock. The SDK's configuration of all clients has no place for it.
macro_rules! client {
    ($sdk:ident, $config:expr, $clock:expr) => {
        $sdk::Client::from_conf($sdk::config::Builder::from($config).interceptor($clock.clone()).build())
    };
}

impl Account {
    /// By how much this machine's clock is wrong, as far as AWS's answers tell; in words that follow "is".
    pub fn wrong_clock(&self) -> Option<String> {
        self.clock.wrong()
    }

    /// Finds region and credentials; the only calls are those that credentials themselves may need (SSO and the like).
    ///
    /// # Errors
    /// No region, no credentials, or endpoints that may not be used together.
    pub async fn open(access: Access) -> Result<Account, CloudError> {
        patience::set().map_err(|message| CloudError::new("connect to AWS", Reason::Settings, message))?;
        let config = match access {
            Access::Aws { profile, region, manifest_region } => aws(profile, region, manifest_region).load().await,
            Access::Local { endpoint, access_key_id, secret_access_key, region } => {
                local(&endpoint, access_key_id, secret_access_key, region)
            }
        };
        let region = config
            .region()
            .map(ToString::to_string)
            .ok_or_else(|| CloudError::new("connect to AWS", Reason::Settings, "no region is set"))?;
        let endpoint = endpoint::in_force(&config)?;
        let mut secrets = Vec::new();
        if let Some(provider) = config.credentials_provider() {
            let credentials = provider
                .provide_credentials()
                .await
                .map_err(|error| CloudError::new("find AWS credentials", Reason::Credentials, trouble(&error)))?;
            secrets.push(Secret::new(credentials.secret_access_key()));
            secrets.extend(credentials.session_token().map(Secret::from));
        }
        let clock = Clock::default();
        Ok(Account {
            region,
            endpoint,
            secrets,
            lambda: client!(aws_sdk_lambda, &config, clock),
            iam: client!(aws_sdk_iam, &config, clock),
            logs: client!(aws_sdk_cloudwatchlogs, &config, clock),
            sts: client!(aws_sdk_sts, &config, clock),
            clock,
            config,
        })
    }

    /// The account's twelve digits, by `GetCallerIdentity`.
    pub async fn id(&self) -> Result<String, CloudError> {
        let identity = self.sts.get_caller_identity().send().await.doing(|| "find out the AWS account".into())?;
        Ok(identity.account.unwrap_or_default())
    }
}

fn aws(profile: Option<String>, region: Option<String>, manifest_region: Option<String>) -> ConfigLoader {
    let mut last = DefaultRegionChain::builder();
    if let Some(profile) = &profile {
        last = last.profile_name(profile);
    }
    let region = RegionProviderChain::first_try(region.map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(manifest_region.map(Region::new))
        .or_else(last.build());
    let mut loader = common(aws_config::defaults(BehaviorVersion::latest())).region(region);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader
}

fn common(loader: ConfigLoader) -> ConfigLoader {
    let loader = loader.retry_config(retries()).timeout_config(timeouts());
    match AppName::new("lamstream") {
        Ok(name) => loader.app_name(name),
        Err(_) => loader,
    }
}

fn local(endpoint: &str, access_key_id: String, secret_access_key: String, region: String) -> SdkConfig {
    let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "the local cloud");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .region(Region::new(region))
        .retry_config(retries())
        .timeout_config(timeouts())
        // The SDK's own client would go through a proxy that the environment names, even to this machine.
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
