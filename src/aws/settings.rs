//! A release's configuration in the SDK's types, and the settings of calls that carry code.

use super::patience;
use crate::apply::{CloudError, Reason};
use crate::stack::{self, Configuration};
use aws_sdk_lambda::types::{Architecture, Environment, EphemeralStorage, LoggingConfig};

pub(super) fn architecture(architecture: stack::Architecture) -> Architecture {
    Architecture::from(architecture.as_str())
}

pub(super) fn environment(environment: &stack::Environment) -> Environment {
    let variables = environment.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    Environment::builder().set_variables(Some(variables)).build()
}

pub(super) fn logging(configuration: &Configuration) -> LoggingConfig {
    let format = match configuration.log_format {
        stack::LogFormat::Text => aws_sdk_lambda::types::LogFormat::Text,
        stack::LogFormat::Json => aws_sdk_lambda::types::LogFormat::Json,
    };
    LoggingConfig::builder().log_format(format).log_group(&configuration.log_group).build()
}

pub(super) fn storage(megabytes: u32) -> Result<EphemeralStorage, CloudError> {
    EphemeralStorage::builder()
        .size(megabytes as i32)
        .build()
        .map_err(|error| CloudError::new("set the ephemeral storage", Reason::Refused, error.to_string()))
}

/// A call that carries code may take longer than the others.
pub(super) fn uploading() -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::config::Builder::new().timeout_config(patience::uploads())
}
