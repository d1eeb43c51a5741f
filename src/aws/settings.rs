//! A release's configuration in the SDK's types, and the settings of calls that carry code.

use super::patience;
use crate::apply::{CloudError, Reason};
use crate::stack::{self, Attachments, Configuration, FileSystem, Tracing, Vpc};
use aws_sdk_lambda::types::{
    Architecture, DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig, FunctionConfiguration,
    LoggingConfig, TracingConfig, TracingMode, VpcConfig,
};

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

/// What AWS says of a function's attachments; what is empty is none.
pub(super) fn attached(configuration: &FunctionConfiguration) -> Attachments {
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let active = configuration.tracing_config().and_then(|tracing| tracing.mode()) == Some(&TracingMode::Active);
    let vpc = configuration.vpc_config().filter(|vpc| !vpc.subnet_ids().is_empty()).map(|vpc| Vpc {
        subnets: vpc.subnet_ids().iter().cloned().collect(),
        security_groups: vpc.security_group_ids().iter().cloned().collect(),
        ipv6: vpc.ipv6_allowed_for_dual_stack().unwrap_or(false),
    });
    Attachments {
        tracing: if active { Tracing::Active } else { Tracing::PassThrough },
        vpc,
        dead_letter: some(configuration.dead_letter_config().and_then(|letters| letters.target_arn())),
        kms_key: some(configuration.kms_key_arn()),
        file_systems: configuration
            .file_system_configs()
            .iter()
            .map(|system| FileSystem { arn: system.arn().to_owned(), path: system.local_mount_path().to_owned() })
            .collect(),
    }
}

/// Attachments in the SDK's types; an empty one takes away what is there.
pub(super) struct Attached {
    pub tracing: TracingConfig,
    pub vpc: VpcConfig,
    pub dead_letter: DeadLetterConfig,
    pub kms_key: String,
    pub file_systems: Vec<FileSystemConfig>,
}

impl Attached {
    /// # Errors
    /// None in practice: the SDK asks for what is always there.
    pub fn of(attachments: &Attachments) -> Result<Attached, CloudError> {
        let mode = match attachments.tracing {
            Tracing::Active => TracingMode::Active,
            Tracing::PassThrough => TracingMode::PassThrough,
        };
        let vpc = attachments.vpc.clone().unwrap_or_default();
        let system =
            |system: &FileSystem| FileSystemConfig::builder().arn(&system.arn).local_mount_path(&system.path).build();
        let file_systems: Result<Vec<_>, _> = attachments.file_systems.iter().map(system).collect();
        Ok(Attached {
            tracing: TracingConfig::builder().mode(mode).build(),
            vpc: VpcConfig::builder()
                .set_subnet_ids(Some(vpc.subnets.into_iter().collect()))
                .set_security_group_ids(Some(vpc.security_groups.into_iter().collect()))
                .ipv6_allowed_for_dual_stack(vpc.ipv6)
                .build(),
            dead_letter: DeadLetterConfig::builder()
                .target_arn(attachments.dead_letter.clone().unwrap_or_default())
                .build(),
            kms_key: attachments.kms_key.clone().unwrap_or_default(),
            file_systems: file_systems
                .map_err(|error| CloudError::new("set the file systems", Reason::Refused, error.to_string()))?,
        })
    }
}
