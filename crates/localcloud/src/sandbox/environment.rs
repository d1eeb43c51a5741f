//! The environment of a function's processes.

use std::collections::BTreeMap;
use std::path::Path;

use super::credentials::Credentials;
use super::spec::{InstanceSpec, LogForm};

/// The directory of AWS's own runtimes. It does not exist here.
const RUNTIME_DIRECTORY: &str = "/var/runtime";

/// The directories that a function's environment names.
pub(super) struct Paths<'a> {
    pub(super) task_root: &'a Path,
    /// The instance's own directory.
    pub(super) own: &'a Path,
    /// Its layers, if it has any.
    pub(super) opt: Option<&'a Path>,
    /// Where Python keeps the modules that it compiles.
    pub(super) python_cache: Option<&'a Path>,
}

/// The variables that AWS documents, then the function's own.
pub(super) fn variables(
    spec: &InstanceSpec,
    runtime_api: &str,
    stream: &str,
    paths: &Paths<'_>,
    credentials: Credentials,
) -> BTreeMap<String, String> {
    let (root, own) = (paths.task_root.display(), paths.own);
    let opt = paths.opt.unwrap_or(Path::new("/opt")).display();
    let configuration = &spec.configuration;
    let set = |name: &str, value: String| (name.to_owned(), value);
    let mut variables = BTreeMap::from([
        set("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        set("AWS_LAMBDA_FUNCTION_NAME", spec.function.clone()),
        set("AWS_LAMBDA_FUNCTION_VERSION", spec.number.clone()),
        set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", configuration.memory.to_string()),
        set("AWS_LAMBDA_LOG_GROUP_NAME", configuration.logging.log_group.clone()),
        set("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        set("AWS_REGION", spec.region.clone()),
        set("AWS_DEFAULT_REGION", spec.region.clone()),
        set("LAMBDA_TASK_ROOT", root.to_string()),
        set("LAMBDA_RUNTIME_DIR", RUNTIME_DIRECTORY.to_owned()),
        set("_HANDLER", configuration.handler.clone()),
        set("TZ", ":UTC".to_owned()),
        set("LANG", "en_US.UTF-8".to_owned()),
        // The first has the interpreter of a language's runtime.
        set("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin:{opt}/bin", own.join("bin").display())),
        set("LD_LIBRARY_PATH", format!("/lib64:/usr/lib64:{root}:{root}/lib:{opt}/lib")),
        set("HOME", own.display().to_string()),
        set("TMPDIR", own.join("tmp").display().to_string()),
    ]);
    variables.extend(credentials.variables());
    if !configuration.runtime.starts_with("provided.") {
        variables.extend([set("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", configuration.runtime))]);
    }
    if configuration.runtime.starts_with("python") {
        // Python's own bootstrap would add the packages of layers, but the adapter runs instead of it.
        variables.extend([set("PYTHONPATH", RUNTIME_DIRECTORY.to_owned())]);
        // It could not write beside the code, which is read-only, and would compile every module at each start.
        variables.extend(paths.python_cache.map(|cache| set("PYTHONPYCACHEPREFIX", cache.display().to_string())));
    }
    if paths.opt.is_some() {
        variables.extend(node_path(&configuration.runtime, &opt.to_string()));
    }
    if matches!(spec.log_form(), LogForm::Json(_)) {
        variables.insert("AWS_LAMBDA_LOG_FORMAT".into(), "JSON".into());
        variables.extend(
            configuration.logging.application_log_level.clone().map(|level| set("AWS_LAMBDA_LOG_LEVEL", level)),
        );
    }
    variables.extend(configuration.variables().clone());
    variables
}

/// Where Node.js looks for the packages of layers, as AWS documents it.
fn node_path(runtime: &str, opt: &str) -> Option<(String, String)> {
    let version = runtime.strip_prefix("nodejs")?.strip_suffix(".x")?;
    let modules =
        format!("{opt}/nodejs/node{version}/node_modules:{opt}/nodejs/node_modules:{RUNTIME_DIRECTORY}/node_modules");
    Some(("NODE_PATH".into(), modules))
}
