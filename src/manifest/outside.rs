//! Values that come from outside the manifest, and their sources.

use super::name::is_path;
use super::problem::Problem;
use super::section::{Entry, Section};
use crate::stack::reserved_prefix;
use crate::text::list;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A variable in lamstream's own environment.
    Env(String),
    /// A file, relative to the manifest.
    File(PathBuf),
    /// A file of variables, relative to the manifest.
    EnvFile(PathBuf),
    /// A parameter of Systems Manager's Parameter Store: a name or an ARN, optionally with `:VERSION`.
    Ssm(String),
    /// A secret of AWS Secrets Manager: a name or an ARN.
    Secret(String),
}

const KEYS: [&str; 4] = ["env", "file", "ssm", "secret"];

impl Origin {
    /// Whether it can be resolved without AWS.
    pub fn is_near(&self) -> bool {
        matches!(self, Origin::Env(_) | Origin::File(_) | Origin::EnvFile(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Env(name) => write!(formatter, "the environment variable `{name}`"),
            Origin::File(path) | Origin::EnvFile(path) => write!(formatter, "the file `{}`", path.display()),
            Origin::Ssm(name) => write!(formatter, "the parameter `{name}`"),
            Origin::Secret(name) => write!(formatter, "the secret `{name}`"),
        }
    }
}

/// One value from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The variable or header that receives the value.
    pub name: String,
    pub origin: Origin,
    /// Where the manifest refers to it.
    pub(super) place: Range<usize>,
}

impl Outside {
    pub(super) fn problem(&self, why: &str) -> Problem {
        let message = match &self.origin {
            Origin::EnvFile(_) => format!("`{}` names {}, which {why}", self.name, self.origin),
            origin => format!("`{}` comes from {origin}, which {why}", self.name),
        };
        Problem::new(Some(self.place.clone()), message)
    }
}

/// The key's string. A table names the value's source instead, and is added to `outside`.
pub(super) fn read_value<'a>(entry: &Entry<'a>, outside: &mut Vec<Outside>) -> Option<&'a str> {
    if !entry.is_table() {
        let string = entry.string("a string, or a table that says where its value comes from")?;
        return Some(string.into_inner());
    }
    let keys = entry.section(format!("`{}`", entry.name))?;
    let origin = read_origin(&keys, entry);
    outside.extend(origin.map(|origin| Outside { name: entry.name.to_owned(), origin, place: entry.place.clone() }));
    None
}

fn read_origin(keys: &Section<'_>, entry: &Entry<'_>) -> Option<Origin> {
    let name = entry.name;
    // Users may have written the value itself instead of its name, so no message shows it.
    let named = |key, is_one: fn(&str) -> bool, expected: &str| {
        let entry = keys.entry(key)?;
        let text = entry.string(format!("a string in quotes: {expected}"))?.into_inner();
        if !is_one(text) {
            let found = if text.is_empty() { "empty" } else { "something else" };
            entry.problem(format!("`{key}` of `{name}` is {found}, expected {expected}"));
        }
        Some(text.to_owned())
    };
    let env = named("env", is_variable, "the name of an environment variable");
    let file = named("file", is_path, "the path of a file");
    let ssm = named("ssm", is_parameter, "the name of a parameter in Parameter Store, such as `/app/token`");
    if let Some((parameter, entry)) = ssm.as_deref().zip(keys.entry("ssm"))
        && let Some(prefix) = reserved(parameter)
    {
        entry.problem(format!("`ssm` of `{name}` begins with `{prefix}`, which AWS reserves, expected another name"));
    }
    let secret = named("secret", is_secret, "the name of a secret in Secrets Manager");
    let given: Vec<&str> = KEYS.into_iter().filter(|key| keys.has(key)).collect();
    match given[..] {
        [_] => {}
        [] if keys.table().is_empty() => entry.problem_with_name(format!(
            "`{name}` does not say where its value comes from, expected one of {}",
            list::quoted(KEYS)
        )),
        // Unknown keys were already reported.
        [] => {}
        _ => {
            entry.problem_with_name(format!("`{name}` has several sources: {}, expected one", list::quoted_and(&given)))
        }
    }
    let origins = [
        env.map(Origin::Env),
        file.map(|path| Origin::File(path.into())),
        ssm.map(Origin::Ssm),
        secret.map(Origin::Secret),
    ];
    origins.into_iter().flatten().next()
}

fn is_variable(text: &str) -> bool {
    !text.is_empty() && !text.contains(['=', '\0'])
}

fn is_parameter(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte));
    // Hierarchical names start with a slash.
    !text.is_empty() && letters && (text.starts_with(['/']) || text.starts_with("arn:") || !text.contains('/'))
}

/// What a parameter's name begins with that no parameter's may. AWS's own, such as `/aws/service/…`, can be read.
fn reserved(parameter: &str) -> Option<&'static str> {
    let is_readable = parameter.starts_with("/aws/") || parameter.starts_with("arn:");
    reserved_prefix(parameter).filter(|_| !is_readable)
}

fn is_secret(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte))
}
