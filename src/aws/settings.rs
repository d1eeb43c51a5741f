//! A release's configuration in the SDK's types: written to the two calls that set it, and read back.
//!
//! A setting has one line in [`configure`] and one in [`read`].

use super::patience;
use crate::apply::{CloudError, Reason};
use crate::stack::{self, Architecture, Attachments, Configuration, Logging, Names, Secret, Tracing, Vpc, Word};
use aws_sdk_lambda::error::BuildError;
use aws_sdk_lambda::types::{
    DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig, FunctionConfiguration, LogFormat, LoggingConfig,
    TracingConfig, TracingMode, VpcConfig,
};

/// Sets a configuration on `CreateFunction` or `UpdateFunctionConfiguration`, whose setters have the same names.
///
/// `$before` are the attachments that the function has now. One that it neither has nor gets is left out: some of them
/// require permissions that only their users have. One that it loses is set to the empty value, which removes it.
macro_rules! configure {
    ($call:expr, $configuration:expr, $before:expr) => {{
        use $crate::aws::settings;
        let before: &$crate::stack::Attachments = $before;
        // All fields are named, so that one that is added and forgotten here does not compile.
        let $crate::stack::Configuration {
            role_arn,
            // It belongs to the code: `CreateFunction` and `UpdateFunctionCode` get it beside the zip.
            architecture: _,
            runtime,
            handler,
            memory,
            timeout,
            ephemeral_storage,
            layers,
            environment,
            logging,
            log_group,
            attachments,
        } = $configuration;
        let $crate::stack::Attachments { tracing, vpc, dead_letter, kms_key, file_systems } = &**attachments;
        $call
            .role(role_arn)
            .runtime(aws_sdk_lambda::types::Runtime::from(runtime.as_str()))
            .handler(handler)
            .memory_size(*memory as i32)
            .timeout(*timeout as i32)
            .ephemeral_storage(settings::storage(*ephemeral_storage)?)
            .environment(settings::environment(environment))
            .logging_config(settings::logging(logging, log_group))
            .set_layers(Some(layers.clone()))
            .tracing_config(settings::tracing(*tracing))
            .set_vpc_config((vpc.is_some() || before.vpc.is_some()).then(|| settings::vpc(vpc.as_ref())))
            .set_dead_letter_config(
                (*dead_letter != before.dead_letter).then(|| settings::dead_letter(dead_letter.as_ref())),
            )
            .set_kms_key_arn((*kms_key != before.kms_key).then(|| kms_key.clone().unwrap_or_default()))
            .set_file_system_configs(if *file_systems != before.file_systems {
                Some(settings::file_systems(file_systems)?)
            } else {
                None
            })
    }};
}

pub(super) use configure;

/// The configuration of a version; what is empty is none.
pub(super) fn read(found: &FunctionConfiguration, names: &Names) -> Configuration {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let usual = Configuration::default();
    let logging = found.logging_config();
    let variables = found.environment().and_then(|environment| environment.variables()).into_iter().flatten();
    Configuration {
        role_arn: found.role().unwrap_or_default().to_owned(),
        architecture: found
            .architectures()
            .first()
            .and_then(|name| Architecture::parse(name.as_str()))
            .unwrap_or(usual.architecture),
        runtime: found.runtime().map(|runtime| runtime.as_str().to_owned()).unwrap_or_default(),
        handler: found.handler().unwrap_or_default().to_owned(),
        memory: number(found.memory_size()).unwrap_or(usual.memory),
        timeout: number(found.timeout()).unwrap_or(usual.timeout),
        ephemeral_storage: number(found.ephemeral_storage().map(|storage| storage.size()))
            .unwrap_or(usual.ephemeral_storage),
        layers: found.layers().iter().filter_map(|layer| layer.arn()).map(str::to_owned).collect(),
        environment: variables.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect(),
        logging: match logging.and_then(|logging| logging.log_format()) {
            Some(LogFormat::Json) => Logging::Json {
                level: word(logging.and_then(|logging| logging.application_log_level()).map(|level| level.as_str())),
                system_level: word(logging.and_then(|logging| logging.system_log_level()).map(|level| level.as_str())),
            },
            _ => Logging::Text,
        },
        log_group: logging.and_then(|logging| logging.log_group()).map_or_else(|| names.log_group(), str::to_owned),
        attachments: Box::new(read_attachments(found)),
    }
}

/// One of AWS's words in capitals, which are ours in small letters.
fn word<T: Word + Default>(found: Option<&str>) -> T {
    found.and_then(|word| T::parse(&word.to_lowercase())).unwrap_or_default()
}

fn read_attachments(found: &FunctionConfiguration) -> Attachments {
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let active = found.tracing_config().and_then(|tracing| tracing.mode()) == Some(&TracingMode::Active);
    let system = |system: &FileSystemConfig| stack::FileSystem {
        arn: system.arn().to_owned(),
        path: system.local_mount_path().to_owned(),
    };
    Attachments {
        tracing: if active { Tracing::Active } else { Tracing::PassThrough },
        vpc: found.vpc_config().filter(|vpc| !vpc.subnet_ids().is_empty()).map(|vpc| Vpc {
            subnets: vpc.subnet_ids().iter().cloned().collect(),
            security_groups: vpc.security_group_ids().iter().cloned().collect(),
            ipv6: vpc.ipv6_allowed_for_dual_stack().unwrap_or(false),
        }),
        dead_letter: some(found.dead_letter_config().and_then(|letters| letters.target_arn())),
        kms_key: some(found.kms_key_arn()),
        file_systems: found.file_system_configs().iter().map(system).collect(),
    }
}

pub(super) fn architecture(architecture: Architecture) -> aws_sdk_lambda::types::Architecture {
    architecture.as_str().into()
}

pub(super) fn environment(environment: &stack::Environment) -> Environment {
    let variables = environment.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    Environment::builder().set_variables(Some(variables)).build()
}

pub(super) fn logging(logging: &Logging, log_group: &str) -> LoggingConfig {
    let config = LoggingConfig::builder().log_group(log_group);
    match logging {
        Logging::Text => config.log_format(LogFormat::Text).build(),
        Logging::Json { level, system_level } => config
            .log_format(LogFormat::Json)
            .application_log_level(level.as_str().to_uppercase().as_str().into())
            .system_log_level(system_level.as_str().to_uppercase().as_str().into())
            .build(),
    }
}

pub(super) fn tracing(tracing: Tracing) -> TracingConfig {
    let mode = match tracing {
        Tracing::Active => TracingMode::Active,
        Tracing::PassThrough => TracingMode::PassThrough,
    };
    TracingConfig::builder().mode(mode).build()
}

pub(super) fn vpc(vpc: Option<&Vpc>) -> VpcConfig {
    let vpc = vpc.cloned().unwrap_or_default();
    VpcConfig::builder()
        .set_subnet_ids(Some(vpc.subnets.into_iter().collect()))
        .set_security_group_ids(Some(vpc.security_groups.into_iter().collect()))
        .ipv6_allowed_for_dual_stack(vpc.ipv6)
        .build()
}

pub(super) fn dead_letter(target: Option<&String>) -> DeadLetterConfig {
    DeadLetterConfig::builder().target_arn(target.cloned().unwrap_or_default()).build()
}

/// # Errors
/// None in practice: the SDK asks for what is always there. The same holds for [`storage`].
pub(super) fn file_systems(systems: &[stack::FileSystem]) -> Result<Vec<FileSystemConfig>, CloudError> {
    let system = |system: &stack::FileSystem| {
        FileSystemConfig::builder().arn(&system.arn).local_mount_path(&system.path).build().map_err(incomplete)
    };
    systems.iter().map(system).collect()
}

pub(super) fn storage(megabytes: u32) -> Result<EphemeralStorage, CloudError> {
    EphemeralStorage::builder().size(megabytes as i32).build().map_err(incomplete)
}

fn incomplete(error: BuildError) -> CloudError {
    CloudError::new("write the function's configuration", Reason::Refused, error.to_string())
}

/// A call that carries code may take longer than the others.
pub(super) fn uploading() -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::config::Builder::new().timeout_config(patience::uploads())
}
