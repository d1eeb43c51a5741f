//! Who we are, where, and the clients with which to talk to it.

use super::clock::Clock;
use super::endpoint::Endpoints;
use super::environment::Environment;
use super::error::Doing;
use super::identity::Identity;
use super::patience::{self, retries, timeouts};
use super::profile::Profiles;
use super::region;
use crate::apply::{CloudError, Reason};
use crate::stack::Secret;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::sdk_config::SharedHttpClient;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

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
    /// The secret parts of the credentials.
    pub secrets: Vec<Secret>,
    /// By which requests to Function URLs are signed.
    pub(super) clock: Clock,
    pub(super) config: SdkConfig,
    /// Where each service is called.
    pub(super) endpoints: Endpoints,
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
    /// No region, no credentials, an unknown profile, variables that are malformed, endpoints that may not be used.
    pub async fn open(access: Access) -> Result<Account, CloudError> {
        patience::set().map_err(|message| CloudError::new("connect to AWS", Reason::Settings, message))?;
        match access {
            Access::Aws { profile, region, manifest_region } => {
                let environment = Environment::of_process();
                let settled = Wish { profile, region, manifest_region }.settle(&environment).await?;
                aws(settled, &environment).await
            }
            Access::Local { endpoint, access_key_id, secret_access_key, region } => {
                let region = region::checked(&region, "`--region`")?;
                let secrets = vec![Secret::new(secret_access_key.as_str())];
                let config = local(&endpoint, access_key_id, secret_access_key, region.clone());
                Ok(Account::with(config, region, Endpoints::all_at(&endpoint), Some(endpoint), secrets))
            }
        }
    }

    fn with(
        config: SdkConfig,
        region: String,
        endpoints: Endpoints,
        endpoint: Option<String>,
        secrets: Vec<Secret>,
    ) -> Account {
        let clock = Clock::default();
        Account {
            region,
            endpoint,
            secrets,
            lambda: client!(aws_sdk_lambda, &config, clock),
            iam: client!(aws_sdk_iam, &config, clock),
            logs: client!(aws_sdk_cloudwatchlogs, &config, clock),
            sts: client!(aws_sdk_sts, &config, clock),
            clock,
            endpoints,
            config,
        }
    }

    /// The account's twelve digits, by `GetCallerIdentity`.
    pub async fn id(&self) -> Result<String, CloudError> {
        let identity = self.sts.get_caller_identity().send().await.doing(|| "find out the AWS account".into())?;
        Ok(identity.account.unwrap_or_default())
    }
}

/// What was said of where to go on AWS.
struct Wish {
    profile: Option<String>,
    region: Option<String>,
    manifest_region: Option<String>,
}

/// What follows from it and from the environment, with everything checked that can be without a call.
#[derive(Debug)]
struct Settled {
    profiles: Profiles,
    identity: Identity,
    region: Option<String>,
}

impl Wish {
    async fn settle(self, environment: &Environment) -> Result<Settled, CloudError> {
        environment.check()?;
        let profiles = Profiles::load(self.profile.as_deref(), environment).await?;
        profiles.check()?;
        let identity = Identity::choose(self.profile.is_some(), environment, &profiles)?;
        let region = region::chosen(self.region.as_deref(), environment, self.manifest_region.as_deref(), &profiles)?;
        Ok(Settled { profiles, identity, region })
    }
}

async fn aws(settled: Settled, environment: &Environment) -> Result<Account, CloudError> {
    let Settled { profiles, identity, region } = settled;
    let region = match region {
        Some(region) => Some(region),
        // A profile that was named says all, and this machine's role nothing.
        None if profiles.named.is_none() => region::of_this_instance().await?,
        None => None,
    };
    let region = region.ok_or_else(|| CloudError::new("connect to AWS", Reason::NoRegion, "no region is set"))?;
    let config = load(&region, &profiles).await;
    let endpoints = Endpoints::of(&config, environment, &profiles)?;
    let endpoint = endpoints.in_force()?.map(str::to_owned);
    let provider = identity.provider(&config, &profiles).await;
    let credentials = provider.provide_credentials().await.map_err(|error| identity.failed(&error, &profiles))?;
    let mut secrets = vec![Secret::new(credentials.secret_access_key())];
    secrets.extend(credentials.session_token().map(Secret::from));
    let mut builder = config.into_builder().credentials_provider(provider);
    builder.set_endpoint_url(endpoint.clone());
    // The endpoint as it was checked, for every client: they would look it up again, each by its own service.
    builder.set_service_config(Some(Nothing));
    if endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http:")) {
        builder.set_http_client(Some(direct()));
    }
    Ok(Account::with(builder.build(), region, endpoints, endpoint, secrets))
}

/// All settings of the SDK but the credentials.
async fn load(region: &str, profiles: &Profiles) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .no_credentials()
        .retry_config(retries())
        .timeout_config(timeouts());
    if let Some(profile) = &profiles.named {
        loader = loader.profile_name(profile);
    }
    if let Ok(name) = AppName::new("lamstream") {
        loader = loader.app_name(name);
    }
    loader.load().await
}

/// Settings of single services: there are none.
#[derive(Debug)]
struct Nothing;

impl LoadServiceConfig for Nothing {
    fn load_config(&self, _key: ServiceConfigKey<'_>) -> Option<String> {
        None
    }
}

/// Goes to this machine itself. The SDK's own client would go through a proxy that the environment names.
fn direct() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
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
        .http_client(direct())
        .build()
}

#[cfg(test)]
mod tests {
    use super::super::endpoint;
    use super::*;
    use futures_util::FutureExt;
    use proptest::prelude::*;
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    fn value() -> impl Strategy<Value = OsString> {
        let text = "(|[ -~]{1,12}|https?://[0-9a-z.:@/\\[\\]-]{0,14}|[a-z]{2}-[a-z]{4,9}-[0-9]|true|\\PC{1,8})";
        let bytes = prop::collection::vec(1_u8.., 0..9).prop_map(|bytes| OsStr::from_bytes(&bytes).to_owned());
        prop_oneof![text.prop_map(OsString::from), bytes]
    }

    fn name() -> impl Strategy<Value = OsString> {
        let names = "AWS_(REGION|DEFAULT_REGION|PROFILE|DEFAULT_PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|\
                     ENDPOINT_URL(_LAMBDA|_S3)?|CONFIG_FILE|MAX_ATTEMPTS|RETRY_MODE|USE_FIPS_ENDPOINT|ROLE_ARN|\
                     WEB_IDENTITY_TOKEN_FILE|CONTAINER_CREDENTIALS_(RELATIVE|FULL)_URI)";
        names.prop_map(OsString::from)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

        /// What is settled can be used, and what is refused is named in one line.
        #[test]
        fn every_environment_is_usable_or_refused_in_words(
            variables in prop::collection::vec((name(), value()), 0..7),
            region in prop::option::of("[ -~]{0,12}"),
        ) {
            let environment: Environment = variables.into_iter().collect();
            let wish = Wish { profile: None, region, manifest_region: None };
            match wish.settle(&environment).now_or_never() {
                Some(Ok(settled)) => {
                    prop_assert!(settled.region.is_none_or(|region| region::is_region(&region)));
                    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
                        let usable = |text: &str| endpoint::parse(text).is_ok_and(|url| url.as_str().parse::<http::Uri>().is_ok());
                        prop_assert!(environment.get(name).is_none_or(usable));
                    }
                }
                Some(Err(error)) => {
                    let error = error.to_string();
                    prop_assert!(error.starts_with("cannot use ") && !error.contains(char::is_control), "{error}");
                }
                None => prop_assert!(false, "it waits"),
            }
        }
    }
}
