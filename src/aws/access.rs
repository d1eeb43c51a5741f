//! Opens access to AWS: credentials, region and clients.

use super::clock::Clock;
use super::endpoint::Endpoints;
use super::environment::Environment;
use super::error::Doing;
use super::identity::{FirstSource, Identity};
use super::patience::{self, retries, timeouts};
use super::profile::Profiles;
use super::rate::Rates;
use super::region;
use super::turn::{self, WaitsForTurns};
use crate::apply::{CloudError, Reason};
use crate::stack::{Caller, Names, Secret};
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::sdk_config::SharedHttpClient;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many bytes of zips may be on their way in calls at once: a call is more than twice as large as its zip.
pub(super) const INLINE_AT_ONCE: usize = 16 * 1024 * 1024;

/// The account of every local cloud.
const LOCAL_ACCOUNT: &str = "000000000000";

/// The target of all calls.
#[derive(Clone, Debug)]
pub enum Access {
    /// AWS, with the settings that every AWS tool reads.
    Aws {
        profile: Option<String>,
        /// From the command line. It takes precedence over every other source.
        region: Option<String>,
        /// From the manifest. Precedence: the environment, the manifest, the profile.
        manifest_region: Option<String>,
    },
    /// A local cloud. No profile and no `AWS_*` variable is read.
    Local { endpoint: String, access_key_id: String, secret_access_key: String, region: String },
}

/// The clients of one account in one region.
#[derive(Clone, Debug)]
pub struct Account {
    pub region: String,
    /// The endpoint in use, if it is not AWS's own.
    pub endpoint: Option<String>,
    /// The secret parts of the credentials.
    pub secrets: Vec<Secret>,
    /// The account that the credentials name. Only AWS knows whether they are right.
    pub named: Option<String>,
    /// Where the credentials come from.
    pub(super) source: String,
    /// The clock for signing requests to Function URLs.
    pub(super) clock: Clock,
    pub(super) rates: Rates,
    /// The bytes of zips that may still be sent in calls.
    pub(super) inline: Arc<Semaphore>,
    pub(super) config: SdkConfig,
    /// The ARN of the caller, once it is known.
    pub(super) arn: Arc<OnceLock<String>>,
    /// The endpoint of each service.
    pub(super) endpoints: Endpoints,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    sts: aws_sdk_sts::Client,
}

/// Builds a client whose responses set the clock, and whose calls wait for their turn. The SDK's shared configuration has
/// no settings for these.
macro_rules! client {
    ($sdk:ident, $config:expr, $clock:expr, $rates:expr) => {
        $sdk::Client::from_conf(
            $sdk::config::Builder::from($config)
                .interceptor($clock.clone())
                .interceptor($rates.clone())
                .retry_classifier(WaitsForTurns)
                .retry_partition(turn::partition())
                .build(),
        )
    };
}

impl Account {
    /// How far this machine's clock is off, according to AWS's responses, phrased to follow "is".
    pub fn wrong_clock(&self) -> Option<String> {
        self.clock.wrong()
    }

    /// From now on, calls `listener` with a service's name and a duration whenever a call has to wait for that long, because
    /// of AWS's rate limit of the service.
    pub fn report_rate_limits(&self, listener: impl Fn(&'static str, Duration) + Send + Sync + 'static) {
        self.rates.report_to(Arc::new(listener));
    }

    /// Determines the region and the credentials. The only calls are those that these require (SSO, instance metadata
    /// and the like).
    ///
    /// # Errors
    /// If the region or the credentials cannot be found, the profile is unknown, a variable is malformed, or an endpoint
    /// is not allowed.
    pub async fn open(access: Access) -> Result<Account, CloudError> {
        patience::set().map_err(|message| CloudError::new("connect to AWS", Reason::Settings, message))?;
        match access {
            Access::Aws { profile, region, manifest_region } => {
                let environment = Environment::of_process();
                let resolved = Requested { profile, region, manifest_region }.resolve(&environment).await?;
                aws(resolved, &environment).await
            }
            Access::Local { endpoint, access_key_id, secret_access_key, region } => {
                let region = region::checked(&region, "`--region`")?;
                let secrets = vec![Secret::new(secret_access_key.as_str())];
                let config = local(&endpoint, access_key_id, secret_access_key, region.clone());
                let (source, named) = ("the local cloud".to_owned(), Some(LOCAL_ACCOUNT.to_owned()));
                let endpoints = Endpoints::all_at(&endpoint);
                Ok(Account::with(config, region, endpoints, Some(endpoint), (source, secrets, named)))
            }
        }
    }

    /// The region alone, without credentials and without a call.
    ///
    /// # Errors
    /// If the region is not set or invalid, or another setting is.
    pub async fn region_of(access: Access) -> Result<String, CloudError> {
        let resolved = match access {
            Access::Aws { profile, region, manifest_region } => {
                Requested { profile, region, manifest_region }.resolve(&Environment::of_process()).await?.region
            }
            Access::Local { region, .. } => Some(region),
        };
        resolved.ok_or_else(no_region)
    }

    fn with(
        config: SdkConfig,
        region: String,
        endpoints: Endpoints,
        endpoint: Option<String>,
        (source, secrets, named): (String, Vec<Secret>, Option<String>),
    ) -> Account {
        let (clock, rates) = (Clock::default(), Rates::default());
        Account {
            region,
            endpoint,
            secrets,
            named,
            source,
            lambda: client!(aws_sdk_lambda, &config, clock, rates),
            iam: client!(aws_sdk_iam, &config, clock, rates),
            logs: client!(aws_sdk_cloudwatchlogs, &config, clock, rates),
            sts: client!(aws_sdk_sts, &config, clock, rates),
            clock,
            rates,
            inline: Arc::new(Semaphore::new(INLINE_AT_ONCE)),
            arn: Arc::default(),
            endpoints,
            config,
        }
    }

    /// The account's twelve-digit number, from `GetCallerIdentity`. Remembers the caller.
    pub async fn id(&self) -> Result<String, CloudError> {
        let identity = self.sts.get_caller_identity().send().await.doing(|| "find out the AWS account".into())?;
        let unknown = || CloudError::new("find out the AWS account", Reason::Refused, "AWS did not return its number");
        if let Some(arn) = identity.arn {
            let _ = self.arn.set(arn);
        }
        identity.account.ok_or_else(unknown)
    }

    /// The caller, if [`Account::id`] has found it out.
    pub(super) fn caller(&self, names: &Names) -> Option<Caller> {
        Caller::of_arn(self.arn.get()?, names)
    }
}

/// The account and region that the flags and the manifest ask for.
struct Requested {
    profile: Option<String>,
    region: Option<String>,
    manifest_region: Option<String>,
}

/// What was requested resolved with the environment and the profiles. Everything that needs no call has been checked.
#[derive(Debug)]
struct Resolved {
    profiles: Profiles,
    identity: Identity,
    region: Option<String>,
    /// Whether an option names the profile.
    by_flag: bool,
}

impl Requested {
    async fn resolve(self, environment: &Environment) -> Result<Resolved, CloudError> {
        environment.check()?;
        let profiles = Profiles::load(self.profile.as_deref(), environment).await?;
        profiles.check()?;
        let identity = Identity::choose(self.profile.is_some(), environment, &profiles)?;
        let region = region::chosen(self.region.as_deref(), environment, self.manifest_region.as_deref(), &profiles)?;
        Ok(Resolved { profiles, identity, region, by_flag: self.profile.is_some() })
    }
}

fn no_region() -> CloudError {
    CloudError::new("connect to AWS", Reason::NoRegion, "no region is set")
}

async fn aws(resolved: Resolved, environment: &Environment) -> Result<Account, CloudError> {
    let Resolved { profiles, identity, region, by_flag } = resolved;
    let region = match region {
        Some(region) => Some(region),
        // If the user named a profile, the region of this instance is not used.
        None if profiles.named.is_none() => region::of_this_instance().await?,
        None => None,
    };
    let region = region.ok_or_else(no_region)?;
    let config = load(&region, &profiles).await;
    let endpoints = Endpoints::of(&config, environment, &profiles)?;
    let endpoint = endpoints.in_force()?.map(str::to_owned);
    let first = FirstSource::default();
    let provider = identity.provider(&config, &profiles, &first).await;
    let credentials = provider.provide_credentials().await.map_err(|error| identity.failed(&error, &profiles))?;
    let named = credentials.account_id().map(|account| account.as_str().to_owned());
    let source = identity.described(&profiles, by_flag, &first);
    let mut secrets = vec![Secret::new(credentials.secret_access_key())];
    secrets.extend(credentials.session_token().map(Secret::from));
    let mut builder = config.into_builder().credentials_provider(provider);
    builder.set_endpoint_url(endpoint.clone());
    // Every client uses the checked endpoint. Otherwise each would look up the endpoint of its own service again.
    builder.set_service_config(Some(Nothing));
    if endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http:")) {
        builder.set_http_client(Some(direct()));
    }
    Ok(Account::with(builder.build(), region, endpoints, endpoint, (source, secrets, named)))
}

/// The credentials of a profile, for a use other than lamstream's own calls.
///
/// # Errors
/// If the profile does not exist, or has no valid credentials.
pub(super) async fn credentials(profile: &str, region: &str) -> Result<Credentials, CloudError> {
    patience::set().map_err(|message| CloudError::new("connect to AWS", Reason::Settings, message))?;
    let environment = Environment::of_process();
    let requested =
        Requested { profile: Some(profile.to_owned()), region: Some(region.to_owned()), manifest_region: None };
    let Resolved { profiles, identity, .. } = requested.resolve(&environment).await?;
    let provider = identity.provider(&load(region, &profiles).await, &profiles, &FirstSource::default()).await;
    provider.provide_credentials().await.map_err(|error| identity.failed(&error, &profiles))
}

/// Loads all settings of the SDK except the credentials.
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

/// Provides no service-specific settings.
#[derive(Debug)]
struct Nothing;

impl LoadServiceConfig for Nothing {
    fn load_config(&self, _key: ServiceConfigKey<'_>) -> Option<String> {
        None
    }
}

/// Connects directly, for endpoints on this machine. The SDK's own client would use a proxy from the environment.
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

        /// Accepted settings are usable, and refused ones are reported on one line.
        #[test]
        fn every_environment_is_usable_or_refused_in_words(
            variables in prop::collection::vec((name(), value()), 0..7),
            region in prop::option::of("[ -~]{0,12}"),
        ) {
            let environment: Environment = variables.into_iter().collect();
            let requested = Requested { profile: None, region, manifest_region: None };
            match requested.resolve(&environment).now_or_never() {
                Some(Ok(resolved)) => {
                    prop_assert!(resolved.region.is_none_or(|region| region::is_region(&region)));
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
