//! The settings of CreateFunction and UpdateFunctionConfiguration: which values are valid, and what they change.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::check::check_description;
use super::{layer, runtimes};
use crate::services::call::Call;
use crate::wire::error::Fault;
use crate::world::configuration::{Configuration, Layer, Logging};

/// The members of both operations.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Settings {
    pub(super) role: Option<String>,
    runtime: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<i64>,
    memory_size: Option<i64>,
    environment: Option<Environment>,
    logging_config: Option<LoggingInput>,
    ephemeral_storage: Option<Storage>,
    layers: Option<Vec<String>>,
    /// The same layers, as [`Settings::read`] has found them.
    #[serde(skip)]
    found_layers: Option<Vec<Layer>>,
    snap_start: Option<SnapStart>,
    /// Whether the region has no SnapStart, as [`Settings::read`] has found out.
    #[serde(skip)]
    lacks_snap_start: bool,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
    /// The zip, which may be large and is read elsewhere.
    #[serde(rename = "Code")]
    _code: IgnoredAny,
    /// What the local cloud has no use for, and what is read elsewhere.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LoggingInput {
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Storage {
    size: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SnapStart {
    apply_on: Option<String>,
}

/// Members that are not part of a version's configuration. All others are kept and returned as they were sent.
const READ_ELSEWHERE: [&str; 9] = [
    "Architectures",
    "CodeSigningConfigArn",
    "FunctionName",
    "ImageConfig",
    "PackageType",
    "Publish",
    "PublishTo",
    "RevisionId",
    "Tags",
];

/// The regions without SnapStart.
const WITHOUT_SNAP_START: [&str; 2] = ["ap-east-2", "ap-southeast-6"];

/// The variables that only Lambda may set.
const RESERVED: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

impl Settings {
    /// The settings of a request, and the layers that it names.
    pub(super) fn read(call: &Call) -> Result<Self, Fault> {
        let mut settings: Self = call.input()?;
        settings.lacks_snap_start = call.options().url_regions && WITHOUT_SNAP_START.contains(&call.region.as_str());
        settings.found_layers = settings.layers.as_deref().map(|layers| layer::used(call, layers)).transpose()?;
        Ok(settings)
    }

    /// The configuration of a new function.
    pub(super) fn begin(self, name: &str) -> Result<Configuration, Fault> {
        let echoed = Map::from_iter([
            ("TracingConfig".to_owned(), json!({"Mode": "PassThrough"})),
            ("EphemeralStorage".to_owned(), json!({"Size": 512})),
            ("SnapStart".to_owned(), json!({"ApplyOn": "None", "OptimizationStatus": "Off"})),
        ]);
        let mut configuration = Configuration {
            role: String::new(),
            runtime: String::new(),
            handler: String::new(),
            description: String::new(),
            timeout: 3,
            memory: 128,
            environment: None,
            logging: Logging {
                log_format: "Text".into(),
                application_log_level: None,
                system_log_level: None,
                log_group: format!("/aws/lambda/{name}"),
            },
            layers: Vec::new(),
            echoed,
        };
        self.apply(name, &mut configuration)?;
        if configuration.runtime.is_empty() || configuration.handler.is_empty() {
            return Err(Fault::parameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        }
        Ok(configuration)
    }

    /// Changes a configuration, or leaves it as it is if a value is not valid.
    pub(super) fn apply(self, name: &str, configuration: &mut Configuration) -> Result<(), Fault> {
        let mut next = configuration.clone();
        self.run_settings(&mut next)?;
        if let Some(layers) = &self.found_layers {
            next.layers.clone_from(layers);
        }
        if let Some(logging) = &self.logging_config {
            next.logging = logging.apply(name, &next.logging)?;
        }
        self.echoed_settings(&mut next.echoed)?;
        self.check_snap_start(&next)?;
        *configuration = next;
        Ok(())
    }

    fn run_settings(&self, next: &mut Configuration) -> Result<(), Fault> {
        if let Some(role) = &self.role {
            if !role.starts_with("arn:") || !role.contains(":role/") {
                let pattern = "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
                return Err(Fault::validation(role, "role", pattern));
            }
            next.role.clone_from(role);
        }
        if let Some(runtime) = &self.runtime {
            runtimes::check(runtime)?;
            next.runtime.clone_from(runtime);
        }
        if let Some(handler) = &self.handler {
            if handler.is_empty() || handler.len() > 128 || handler.contains(char::is_whitespace) {
                return Err(Fault::validation(
                    handler,
                    "handler",
                    "Member must satisfy regular expression pattern: [^\\s]+",
                ));
            }
            next.handler.clone_from(handler);
        }
        if let Some(description) = &self.description {
            check_description(description)?;
            next.description.clone_from(description);
        }
        next.timeout = within(self.timeout, "timeout", 1, 1800)?.unwrap_or(next.timeout);
        next.memory = within(self.memory_size, "memorySize", 128, 10_240)?.unwrap_or(next.memory);
        if let Some(environment) = &self.environment {
            check_environment(&environment.variables)?;
            next.environment = Some(environment.variables.clone());
        }
        Ok(())
    }

    fn echoed_settings(&self, echoed: &mut Map<String, Value>) -> Result<(), Fault> {
        let storage = self.ephemeral_storage.as_ref().map(|storage| storage.size);
        if let Some(size) = within(storage, "ephemeralStorage.size", 512, 10_240)? {
            echoed.insert("EphemeralStorage".into(), json!({"Size": size}));
        }
        if let Some(SnapStart { apply_on: Some(apply_on) }) = &self.snap_start {
            if !matches!(apply_on.as_str(), "PublishedVersions" | "None") {
                let constraint = "Member must satisfy enum value set: [PublishedVersions, None]";
                return Err(Fault::validation(apply_on, "snapStart.applyOn", constraint));
            }
            echoed.insert("SnapStart".into(), json!({"ApplyOn": apply_on, "OptimizationStatus": "Off"}));
        }
        if let Some(arn) = &self.kms_key_arn {
            put(echoed, "KMSKeyArn", (!arn.is_empty()).then(|| json!(arn)));
        }
        let is_kept = |name: &str, value: &Value| !READ_ELSEWHERE.contains(&name) && !value.is_null();
        for (name, value) in self.others.iter().filter(|(name, value)| is_kept(name, value)) {
            put(echoed, name, Some(value.clone()).filter(|value| !is_empty(value)));
        }
        Ok(())
    }
}

impl Settings {
    /// Refuses what cannot start from a snapshot.
    fn check_snap_start(&self, configuration: &Configuration) -> Result<(), Fault> {
        if !configuration.snap_starts() {
            return Ok(());
        }
        let refused =
            |what: &str| Err(Fault::parameter(format!("{what} is not supported for SnapStart enabled functions.")));
        if self.lacks_snap_start || !runtimes::has_snap_start(&configuration.runtime) {
            return refused(&configuration.runtime);
        }
        let echoed = &configuration.echoed;
        if echoed.get("EphemeralStorage").is_some_and(|storage| storage["Size"].as_u64() > Some(512)) {
            return refused("Ephemeral storage greater than 512 MB");
        }
        if echoed.contains_key("FileSystemConfigs") {
            return refused("FileSystemConfig");
        }
        Ok(())
    }
}

impl LoggingInput {
    fn apply(&self, name: &str, now: &Logging) -> Result<Logging, Fault> {
        let format = self.log_format.clone().unwrap_or_else(|| now.log_format.clone());
        if !matches!(format.as_str(), "Text" | "JSON") {
            return Err(Fault::validation(
                &format,
                "loggingConfig.logFormat",
                "Member must satisfy enum value set: [JSON, Text]",
            ));
        }
        let json = format == "JSON";
        if !json && (self.application_log_level.is_some() || self.system_log_level.is_some()) {
            return Err(Fault::parameter(
                "To set an ApplicationLogLevel or SystemLogLevel, set the LogFormat to JSON.",
            ));
        }
        let level = |given: &Option<String>, now: &Option<String>| {
            json.then(|| given.clone().or_else(|| now.clone()).unwrap_or_else(|| "INFO".into()))
        };
        Ok(Logging {
            application_log_level: level(&self.application_log_level, &now.application_log_level),
            system_log_level: level(&self.system_log_level, &now.system_log_level),
            log_group: match &self.log_group {
                Some(group) if group.is_empty() => format!("/aws/lambda/{name}"),
                Some(group) => group.clone(),
                None => now.log_group.clone(),
            },
            log_format: format,
        })
    }
}

/// Whether an update removes a setting: its list, or its most important member, is empty.
fn is_empty(value: &Value) -> bool {
    let none = |member: &str| match &value[member] {
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    value.as_array().is_some_and(Vec::is_empty) || none("SubnetIds") || none("TargetArn")
}

fn put(echoed: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => echoed.insert(name.to_owned(), value),
        None => echoed.remove(name),
    };
}

fn within(value: Option<i64>, member: &'static str, least: i64, most: i64) -> Result<Option<u32>, Fault> {
    let Some(value) = value else { return Ok(None) };
    if value < least {
        let constraint = format!("Member must have value greater than or equal to {least}");
        return Err(Fault::validation(&value.to_string(), member, &constraint));
    }
    if value > most {
        let constraint = format!("Member must have value less than or equal to {most}");
        return Err(Fault::validation(&value.to_string(), member, &constraint));
    }
    Ok(u32::try_from(value).ok())
}

fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), Fault> {
    let named_well = |name: &str| {
        name.len() >= 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let reserved: Vec<&str> = RESERVED.into_iter().filter(|name| variables.contains_key(*name)).collect();
    if !reserved.is_empty() {
        return Err(Fault::parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    if let Some(name) = variables.keys().find(|name| !named_well(name)) {
        return Err(Fault::validation(
            name,
            "environment.variables",
            "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
        ));
    }
    // AWS measures the map as JSON. Its error contains every value, so clients have to redact it.
    let measured = json!(variables).to_string();
    if measured.len() > 4096 {
        return Err(Fault::parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

/// GetAccountSettings.
pub(super) fn account(call: &Call) -> Answer {
    let most = call.options().concurrency;
    let (count, size, reserved) = call.read(|world| {
        world
            .regions
            .get(&call.region)
            .map_or((0, 0, 0), |region| (region.functions.len(), region.code_size(), region.reserved()))
    });
    Ok((
        200,
        json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": most, "UnreservedConcurrentExecutions": most.saturating_sub(reserved),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
        }),
    ))
}
