//! The variables a function finds, and no others.

use std::collections::BTreeMap;
use std::path::Path;

use super::Blueprint;

/// What AWS documents, then the function's own.
pub(super) fn variables(
    blueprint: &Blueprint,
    runtime_api: &str,
    stream: &str,
    task_root: &Path,
    own: &Path,
) -> BTreeMap<String, String> {
    let root = task_root.display();
    let configuration = &blueprint.configuration;
    let set = |name: &str, value: String| (name.to_owned(), value);
    let mut variables = BTreeMap::from([
        set("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        set("AWS_LAMBDA_FUNCTION_NAME", blueprint.function.clone()),
        set("AWS_LAMBDA_FUNCTION_VERSION", blueprint.number.clone()),
        set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", configuration.memory.to_string()),
        set("AWS_LAMBDA_LOG_GROUP_NAME", configuration.logging.log_group.clone()),
        set("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        set("AWS_REGION", blueprint.region.clone()),
        set("AWS_DEFAULT_REGION", blueprint.region.clone()),
        // A role's credentials, as far as anything can tell; they open nothing, here or elsewhere.
        set("AWS_ACCESS_KEY_ID", "ASIALOCALFUNCTION".to_owned()),
        set("AWS_SECRET_ACCESS_KEY", "local-function".to_owned()),
        set("AWS_SESSION_TOKEN", "local-function".to_owned()),
        set("LAMBDA_TASK_ROOT", root.to_string()),
        set("LAMBDA_RUNTIME_DIR", root.to_string()),
        set("_HANDLER", configuration.handler.clone()),
        set("TZ", ":UTC".to_owned()),
        set("LANG", "en_US.UTF-8".to_owned()),
        set("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        set("LD_LIBRARY_PATH", format!("/lib64:/usr/lib64:{root}:{root}/lib:/opt/lib")),
        set("HOME", own.display().to_string()),
        set("TMPDIR", own.join("tmp").display().to_string()),
    ]);
    if configuration.logging.log_format == "JSON" {
        variables.insert("AWS_LAMBDA_LOG_FORMAT".into(), "JSON".into());
        variables.extend(
            configuration.logging.application_log_level.clone().map(|level| set("AWS_LAMBDA_LOG_LEVEL", level)),
        );
    }
    variables.extend(configuration.environment.clone());
    variables
}
