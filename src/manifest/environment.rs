//! A function's environment variables. No message in this file may contain a value.

use super::name::is_path;
use super::outside::{Origin, Outside, read_value};
use super::section::{Entry, Section};
use crate::stack::{Environment, Secret};
use std::collections::BTreeMap;

/// AWS measures the JSON of names and values.
const LIMIT: usize = 4096;

/// Lambda sets these itself and refuses functions that set them. Other names that start with `AWS_LAMBDA_`, such as
/// `AWS_LAMBDA_EXEC_WRAPPER`, may be set.
const RESERVED: [&str; 21] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// The key that names a file of variables.
pub const ENV_FILE: &str = "env_file";

/// The variables with their values, and those whose values come from outside. `ours` are the ones that lamstream adds. A
/// file of variables comes first, so that others override it.
pub(super) fn read(keys: &Section<'_>, ours: &Environment) -> (Environment, Vec<Outside>) {
    let (mut environment, mut outside) = (Environment::new(), Vec::new());
    if let Some(entry) = keys.entry(ENV_FILE)
        && let Some(path) = entry.matching(is_path, "the path of a file, such as `.env`")
    {
        let origin = Origin::EnvFile(path.into_inner().into());
        outside.push(Outside { name: ENV_FILE.to_owned(), origin, place: entry.place.clone() });
    }
    let Some(entry) = keys.entry("environment") else { return (environment, outside) };
    if let Some(path) = entry.text().filter(|text| is_env_file(text)) {
        entry.problem_with_name(format!(
            "`environment` names a file, expected `{ENV_FILE} = \"{path}\"` for the variables of a file"
        ));
        return (environment, outside);
    }
    let Some(variables) = entry.section("`environment`".into()) else { return (environment, outside) };
    for variable in variables.all() {
        let value = read_variable(&variable, &mut outside);
        environment.extend(value.map(|value| (variable.name.to_owned(), Secret::new(value))));
    }
    // Where a value comes from is written one level below.
    let alone = environment.iter().next().filter(|_| environment.len() == 1 && outside.is_empty());
    if let Some((name, path)) =
        alone.filter(|(name, path)| MEANS_A_FILE.contains(&name.as_str()) && is_env_file(path.reveal()))
    {
        let path = path.reveal();
        entry.problem_with_name(format!(
            "`environment` has only a variable named `{name}`, expected `{ENV_FILE} = \"{path}\"` for the variables of a file"
        ));
    }
    if let Some(problem) = too_large(environment.iter().chain(ours)) {
        entry.problem_with_name(problem);
    }
    (environment, outside)
}

/// Variables whose value is the path of a file of variables, if they are alone: the key was meant to be another one.
const MEANS_A_FILE: [&str; 3] = ["file", "path", ENV_FILE];

/// Whether a text is the path of a file of variables, such as `.env`, `config/prod.env` or `.env.local`. A path can be shown: it is not secret.
fn is_env_file(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    is_path(text) && !text.contains(char::is_whitespace) && (name.ends_with(".env") || name.starts_with(".env."))
}

/// The problem of an environment that is too large.
pub(super) fn too_large<'a>(environment: impl Iterator<Item = (&'a String, &'a Secret)>) -> Option<String> {
    let variables: BTreeMap<&str, &str> = environment.map(|(name, value)| (name.as_str(), value.reveal())).collect();
    let size = serde_json::to_string(&variables).map_or(0, |json| json.len());
    (size > LIMIT).then(|| format!("`environment` takes {size} bytes as JSON, expected at most {LIMIT}"))
}

fn read_variable<'a>(variable: &Entry<'a>, outside: &mut Vec<Outside>) -> Option<&'a str> {
    let name = variable.name;
    if !accepts_variable(name) {
        variable.problem_with_name(why_not(name));
    }
    let value = read_value(variable, outside)?;
    if value.contains('\0') {
        variable
            .problem_with_name(format!("the value of `{name}` contains a NUL character, expected a value without one"));
    }
    Some(value)
}

/// Whether a variable may have this name.
pub fn accepts_variable(name: &str) -> bool {
    is_variable(name) && !RESERVED.contains(&name)
}

/// Why no variable may have this name.
pub(super) fn why_not(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("`{name}` is reserved: Lambda sets it itself, expected another name");
    }
    format!(
        "`{name}` is not a valid name for an environment variable, expected a letter, then letters, digits or `_`, at least \
         two characters"
    )
}

fn is_variable(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
