//! An immutable published version: the code and configuration that serve.

use super::attachments::Attachments;
use super::field::{Fields, list};
use super::logging::Logging;
use super::secret::Secret;
use super::settings::Settings;
use packaging::Architecture;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A release is identified by its content alone. The number that Lambda gives it is an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Base64 of the zip's SHA-256, like AWS's `CodeSha256`; `None` while the package is not built yet.
    pub code: Option<String>,
    pub configuration: Configuration,
}

/// The settings that Lambda freezes in a version, in addition to the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    pub role_arn: String,
    pub architecture: Architecture,
    pub runtime: String,
    pub handler: String,
    pub settings: Settings,
    /// ARNs, in the order in which they are unpacked.
    pub layers: Vec<String>,
    pub environment: Environment,
    /// Where it could not be read, `environment` is empty, and nothing is known about it.
    pub undecryptable: Option<Undecryptable>,
    pub logging: Logging,
    pub log_group: String,
    pub attachments: Box<Attachments>,
}

/// An environment that the reader's credentials cannot decrypt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecryptable {
    /// The version that it belongs to: two of them may differ.
    pub version: String,
    /// In AWS's words.
    pub why: String,
}

impl fmt::Display for Undecryptable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Undecryptable { version, why } = self;
        write!(formatter, "the environment of version {version} cannot be decrypted with these credentials: {why}")
    }
}

impl Release {
    pub(super) fn compare(&self, to: &Release, fields: &mut Fields) {
        fields.shown("code", &short(self.code.as_deref()), &short(to.code.as_deref()));
        self.configuration.compare(&to.configuration, fields);
    }
}

/// Variables of Lambda Web Adapter, which say how it reaches the app. They are settings, and messages contain them.
const ADAPTER: [&str; 5] =
    ["PORT", "READINESS_CHECK_PATH", "AWS_LAMBDA_WEB_ADAPTER_PORT", "AWS_LAMBDA_EXEC_WRAPPER", "PYTHONPATH"];
/// How the names of its other variables start.
const ADAPTERS: &str = "AWS_LWA_";

/// The values in an environment that may be secret, with their secret parts.
pub fn secrets_of(environment: &Environment) -> impl Iterator<Item = Secret> {
    let is_setting = |name: &str| name.starts_with(ADAPTERS) || ADAPTER.contains(&name);
    environment.iter().filter(move |(name, _)| !is_setting(name)).flat_map(|(_, value)| value.with_parts())
}

impl Configuration {
    fn compare(&self, to: &Configuration, fields: &mut Fields) {
        // All fields are named, so that forgetting a new field here is a compile error.
        let Configuration {
            role_arn,
            architecture,
            runtime,
            handler,
            settings,
            layers,
            environment,
            undecryptable,
            logging,
            log_group,
            attachments,
        } = self;
        fields.shown("role", role_arn, &to.role_arn);
        fields.shown("architecture", architecture, &to.architecture);
        fields.shown("runtime", runtime, &to.runtime);
        fields.shown("handler", handler, &to.handler);
        settings.compare(&to.settings, fields);
        fields.shown("layers", &list(layers), &list(&to.layers));
        for name in environment.keys().chain(to.environment.keys()).collect::<BTreeSet<_>>() {
            let (was, will) = (environment.get(name), to.environment.get(name));
            fields.hidden(&format!("environment.{name}"), &was, &will);
        }
        fields.hidden("environment", undecryptable, &to.undecryptable);
        logging.compare(to.logging, fields);
        fields.shown("log.group", log_group, &to.log_group);
        attachments.compare(&to.attachments, fields);
    }
}

/// The start of a digest, long enough to tell two of them apart.
fn short(digest: Option<&str>) -> String {
    digest.map_or_else(|| "not built".to_owned(), |digest| digest.chars().take(8).collect())
}

impl Default for Configuration {
    /// AWS's defaults, without a role and a log group.
    fn default() -> Configuration {
        Configuration {
            role_arn: String::new(),
            architecture: Architecture::X86_64,
            runtime: String::new(),
            handler: String::new(),
            settings: Settings::default(),
            layers: Vec::new(),
            environment: Environment::new(),
            undecryptable: None,
            logging: Logging::default(),
            log_group: String::new(),
            attachments: Box::default(),
        }
    }
}

pub type Environment = BTreeMap<String, Secret>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_adapter_are_no_secrets() {
        let of = |name: &str| {
            let environment = Environment::from([(name.to_owned(), Secret::from("/todos"))]);
            secrets_of(&environment).count()
        };
        assert_eq!(["AWS_LWA_READINESS_CHECK_PATH", "PORT", "PYTHONPATH"].map(of), [0; 3]);
        assert_eq!(["PORTS", "TOKEN", "LWA_PATH"].map(of), [1; 3]);
    }
}
