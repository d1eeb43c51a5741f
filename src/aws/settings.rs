//! Converts a release's configuration to the SDK's types, for the two calls that set it, and back.
//!
//! Each setting has one line in [`configure`] and one in [`read`].

use super::patience;
use crate::apply::{CloudError, Reason};
use crate::stack::{
    self, Architecture, Attachments, Configuration, Logging, Secret, Settings, Tracing, Undecryptable,
    UnmanagedSetting, Vpc, Word,
};
use aws_sdk_lambda::error::BuildError;
use aws_sdk_lambda::types::{
    DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig, FunctionConfiguration, LogFormat, LoggingConfig,
    PackageType, SnapStart, SnapStartApplyOn, TracingConfig, TracingMode, VpcConfig,
};
use std::collections::BTreeSet;

/// Sets a configuration on `CreateFunction` or `UpdateFunctionConfiguration`, whose setters have the same names.
///
/// `$before` is the function's current configuration. An attachment that the function neither has nor gets is left out,
/// because some attachments require permissions that only their users have; so is SnapStart, which some regions lack. An
/// attachment that the function loses is set to the empty value, which removes it.
macro_rules! configure {
    ($call:expr, $configuration:expr, $before:expr) => {{
        use $crate::aws::settings;
        let was: &$crate::stack::Configuration = $before;
        let before = &was.attachments;
        // All fields are named, so that forgetting a new field here is a compile error.
        let $crate::stack::Configuration {
            role_arn,
            // The architecture belongs to the code: `CreateFunction` and `UpdateFunctionCode` receive it with the zip.
            architecture: _,
            runtime,
            handler,
            settings,
            layers,
            environment,
            // Only what was read has it.
            undecryptable: _,
            logging,
            log_group,
            attachments,
        } = $configuration;
        let $crate::stack::Settings { memory, timeout, ephemeral_storage, snap_start } = settings;
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
            .set_snap_start((*snap_start || was.settings.snap_start).then(|| settings::snap_start(*snap_start)))
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

/// Reads the configuration of a version. Empty values count as missing. `own_group` is the log group if AWS returns none.
pub(super) fn read(found: &FunctionConfiguration, own_group: &str) -> Configuration {
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
        settings: read_settings(found),
        layers: found.layers().iter().filter_map(|layer| layer.arn()).map(str::to_owned).collect(),
        environment: variables.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect(),
        undecryptable: found.environment().and_then(|environment| environment.error()).map(|error| Undecryptable {
            version: found.version().unwrap_or_default().to_owned(),
            why: match (error.message(), error.error_code()) {
                (Some(words), Some(code)) => format!("{} ({code})", words.trim_end_matches('.')),
                (words, code) => words.or(code).unwrap_or("AWS gave no reason").to_owned(),
            },
        }),
        logging: match logging.and_then(|logging| logging.log_format()) {
            Some(LogFormat::Json) => Logging::Json {
                level: word(logging.and_then(|logging| logging.application_log_level()).map(|level| level.as_str())),
                system_level: word(logging.and_then(|logging| logging.system_log_level()).map(|level| level.as_str())),
            },
            _ => Logging::Text,
        },
        log_group: logging.and_then(|logging| logging.log_group()).unwrap_or(own_group).to_owned(),
        attachments: Box::new(read_attachments(found)),
    }
}

/// Settings of a version that no manifest has a key for, and that differ from AWS's defaults.
pub(super) fn outside(found: &FunctionConfiguration) -> BTreeSet<UnmanagedSetting> {
    let layers = found.layers().iter();
    let is_signed = found.signing_job_arn().is_some() || found.signing_profile_version_arn().is_some();
    let settings = [
        (UnmanagedSetting::CodeSigning, is_signed || layers.into_iter().any(|layer| layer.signing_job_arn().is_some())),
        (UnmanagedSetting::ContainerImage, found.package_type().is_some_and(|package| *package != PackageType::Zip)),
        (UnmanagedSetting::ImageConfiguration, found.image_config_response().is_some()),
        (UnmanagedSetting::TenantIsolation, found.tenancy_config().is_some()),
        (UnmanagedSetting::CapacityProvider, found.capacity_provider_config().is_some()),
        (UnmanagedSetting::DurableExecution, found.durable_config().is_some()),
    ];
    settings.into_iter().filter_map(|(setting, is_set)| is_set.then_some(setting)).collect()
}

/// Parses one of AWS's words, which are upper case; ours are lower case.
fn word<T: Word + Default>(found: Option<&str>) -> T {
    found.and_then(|word| T::parse(&word.to_lowercase())).unwrap_or_default()
}

fn read_settings(found: &FunctionConfiguration) -> Settings {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let usual = Settings::default();
    let applied_on = found.snap_start().and_then(|found| found.apply_on());
    Settings {
        memory: number(found.memory_size()).unwrap_or(usual.memory),
        timeout: number(found.timeout()).unwrap_or(usual.timeout),
        ephemeral_storage: number(found.ephemeral_storage().map(|storage| storage.size()))
            .unwrap_or(usual.ephemeral_storage),
        snap_start: applied_on == Some(&SnapStartApplyOn::PublishedVersions),
    }
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

pub(super) fn snap_start(is_wanted: bool) -> SnapStart {
    let apply_on = if is_wanted { SnapStartApplyOn::PublishedVersions } else { SnapStartApplyOn::None };
    SnapStart::builder().apply_on(apply_on).build()
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
/// None in practice: all fields that the SDK requires are set. The same applies to [`storage`].
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

/// The settings of a call that uploads code, which may take longer than other calls.
pub(super) fn uploading() -> aws_sdk_lambda::config::Builder {
    aws_sdk_lambda::config::Builder::new().timeout_config(patience::uploads())
}
