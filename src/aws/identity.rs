//! Chooses the credentials that sign calls. The source that the user named is used or refused, and never replaced.

use super::environment::Environment;
use super::error::{quoted, trouble, unusable};
use super::patience::{retries, timeouts};
use super::profile::Profiles;
use crate::apply::{CloudError, Reason};
use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::sync::{Arc, OnceLock};

/// A source of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// A profile that the user named.
    Profile(String),
    /// `AWS_ACCESS_KEY_ID` and the variables that belong to it.
    Keys,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebToken,
    /// No source is named: the profile `default`, then the container's role, then the instance's role.
    Ambient,
}

impl Identity {
    /// The first source that is set: `--profile`, the environment's keys, `AWS_PROFILE`, the environment's web
    /// identity.
    ///
    /// # Errors
    /// If only half of a pair is set, or a configuration file that may be needed cannot be read.
    pub(super) fn choose(flag: bool, environment: &Environment, profiles: &Profiles) -> Result<Identity, CloudError> {
        if !flag && keys(environment)? {
            return Ok(Identity::Keys);
        }
        profiles.readable()?;
        if let Some(name) = &profiles.named {
            return Ok(Identity::Profile(name.clone()));
        }
        let (file, role) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN");
        match (environment.has(file), environment.has(role)) {
            (true, true) => Ok(Identity::WebToken),
            (true, false) => Err(unusable(&format!("`{file}`"), &format!("`{role}` is not set, but both are needed"))),
            (false, _) => Ok(Identity::Ambient),
        }
    }

    /// The provider of these credentials, with the settings of `config` for its calls.
    /// `first` learns which of several sources had them.
    pub(super) async fn provider(
        &self,
        config: &SdkConfig,
        profiles: &Profiles,
        first: &FirstSource,
    ) -> SharedCredentialsProvider {
        let settings = ProviderConfig::without_region()
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack())
            .with_behavior_version(config.behavior_version())
            .with_retry_config(retries())
            .with_timeout_config(timeouts());
        let of_profile =
            |name: &str| ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(name).build();
        match self {
            Identity::Keys => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
            Identity::Profile(name) => SharedCredentialsProvider::new(of_profile(name)),
            Identity::WebToken => SharedCredentialsProvider::new(
                WebIdentityTokenCredentialsProvider::builder().configure(&settings).build(),
            ),
            Identity::Ambient => {
                let container = EcsCredentialsProvider::builder().configure(&settings).build();
                let instance = ImdsCredentialsProvider::builder().configure(&settings).build();
                let machine = if profiles.has_default() {
                    let profile = of_profile(profiles.selected());
                    CredentialsProviderChain::first_try("profile", first.watching("the profile `default`", profile))
                        .or_else("container", first.watching(CONTAINER, container))
                } else {
                    CredentialsProviderChain::first_try("container", first.watching(CONTAINER, container))
                };
                let instance = first.watching("the role of this EC2 instance", instance);
                SharedCredentialsProvider::new(machine.or_else("instance", instance))
            }
        }
    }

    /// Where the credentials come from, after the provider has returned them.
    pub(super) fn described(&self, profiles: &Profiles, by_flag: bool, first: &FirstSource) -> String {
        match self {
            Identity::Profile(name) => {
                let named = if by_flag { "`--profile`" } else { "`AWS_PROFILE`" };
                format!("profile {} ({}), named by {named}", quoted(name), profiles.kind())
            }
            Identity::Keys => "the environment's `AWS_ACCESS_KEY_ID`".to_owned(),
            Identity::WebToken => "`AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`".to_owned(),
            Identity::Ambient => first.0.get().copied().unwrap_or("this machine").to_owned(),
        }
    }

    /// Explains why there are no credentials.
    pub(super) fn failed(&self, error: &CredentialsError, profiles: &Profiles) -> CloudError {
        let not_loaded = matches!(error, CredentialsError::CredentialsNotLoaded(_));
        let mut reason = Reason::Credentials;
        let (action, why) = match self {
            // If the profile has a role, the missing part is elsewhere, and the error names it.
            Identity::Profile(name) if not_loaded && profiles.get("role_arn").is_none() => {
                (format!("use profile {}", quoted(name)), profiles.without_credentials())
            }
            Identity::Profile(name) => {
                let login = profiles.login();
                if login.is_some() {
                    reason = Reason::LoggedOut;
                }
                let login = login.map(|command| format!("; log in with `{command}`"));
                (format!("use profile {}", quoted(name)), format!("{}{}", trouble(error), login.unwrap_or_default()))
            }
            Identity::WebToken => ("use `AWS_WEB_IDENTITY_TOKEN_FILE`".to_owned(), trouble(error)),
            Identity::Ambient if not_loaded => (
                "find AWS credentials".to_owned(),
                "none found in the environment, in a profile `default`, or in this machine's role".to_owned(),
            ),
            Identity::Keys | Identity::Ambient => ("find AWS credentials".to_owned(), trouble(error)),
        };
        CloudError::new(action, reason, why.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

const CONTAINER: &str = "the role of this container";

/// The first of several sources that had credentials.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstSource(Arc<OnceLock<&'static str>>);

impl FirstSource {
    fn watching<P>(&self, name: &'static str, source: P) -> Watched<P> {
        Watched { source, name, first: self.clone() }
    }
}

/// A source that notes when it has credentials.
#[derive(Debug)]
struct Watched<P> {
    source: P,
    name: &'static str,
    first: FirstSource,
}

impl<P: ProvideCredentials> ProvideCredentials for Watched<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found = self.source.provide_credentials().await?;
            let _ = self.first.0.set(self.name);
            Ok(found)
        })
    }
}

/// Whether the environment has keys.
///
/// # Errors
/// If one key is set without the other: another source would silently replace them.
fn keys(environment: &Environment) -> Result<bool, CloudError> {
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let alone = |one: &str, other: &str| {
        Err(unusable(&format!("`{one}`"), &format!("`{other}` is not set; set both, or neither")))
    };
    match (environment.has(id), environment.has(secret)) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (true, false) => alone(id, secret),
        (false, true) => alone(secret, id),
    }
}
