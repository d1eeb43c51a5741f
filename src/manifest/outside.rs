//! Values that do not stand in the manifest: where it takes them from, and how they get to their places.

use super::check::{Check, may_be_sent};
use super::environment;
use super::function::Function;
use super::problem::{Problem, Problems};
use super::secrets;
use super::section::{Entry, Section, list};
use crate::stack::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use toml::de::DeTable;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A variable of the environment in which lamstream runs.
    Env(String),
    /// A file, relative to the manifest.
    File(PathBuf),
    /// A parameter of AWS Systems Manager's Parameter Store: a name or an ARN, perhaps with `:VERSION`.
    Ssm(String),
    /// A secret of AWS Secrets Manager: a name or an ARN.
    Secret(String),
}

const KEYS: [&str; 4] = ["env", "file", "ssm", "secret"];

impl Origin {
    /// The manifest's key for it.
    pub fn key(&self) -> &'static str {
        match self {
            Origin::Env(_) => "env",
            Origin::File(_) => "file",
            Origin::Ssm(_) => "ssm",
            Origin::Secret(_) => "secret",
        }
    }

    /// Whether it is found without AWS.
    pub fn is_near(&self) -> bool {
        matches!(self, Origin::Env(_) | Origin::File(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Env(name) => write!(formatter, "the environment variable `{name}`"),
            Origin::File(path) => write!(formatter, "the file `{}`", path.display()),
            Origin::Ssm(name) => write!(formatter, "the parameter `{name}`"),
            Origin::Secret(name) => write!(formatter, "the secret `{name}`"),
        }
    }
}

/// One value that comes from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The variable, or the header, that gets it.
    pub name: String,
    pub origin: Origin,
    /// Where the manifest asks for it.
    place: Range<usize>,
}

/// What each origin has; or why it has nothing, in words that follow "which".
pub type Found = BTreeMap<Origin, Result<Secret, String>>;

/// The string that stands here; a table says where the value comes from, and goes to `outside`.
pub(super) fn read_value<'a>(entry: &Entry<'a>, outside: &mut Vec<Outside>) -> Option<&'a str> {
    if !entry.is_table() {
        let string = entry.string("a string, or a table that says where its value comes from")?;
        return Some(string.into_inner());
    }
    let mut keys = entry.section(format!("`{}`", entry.name))?;
    let origin = read_origin(&mut keys, entry);
    keys.finish();
    outside.extend(origin.map(|origin| Outside { name: entry.name.to_owned(), origin, place: entry.place.clone() }));
    None
}

fn read_origin(keys: &mut Section<'_>, entry: &Entry<'_>) -> Option<Origin> {
    let name = entry.name;
    // Somebody may have put the value itself where its name belongs, so that no message shows what is wrong.
    let mut named = |key, is_one: fn(&str) -> bool, expected: &str| {
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
    let secret = named("secret", is_secret, "the name of a secret in Secrets Manager");
    let given: Vec<&str> = KEYS.into_iter().filter(|key| keys.has(key)).collect();
    match given[..] {
        [_] => {}
        [] if keys.table().is_empty() => entry.problem_with_name(format!(
            "`{name}` does not say where its value comes from, expected one of {}",
            list(&KEYS)
        )),
        // Its unknown keys are told.
        [] => {}
        _ => entry.problem_with_name(format!("`{name}` is taken from {} at once, expected one of them", list(&given))),
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

fn is_path(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('\0')
}

fn is_parameter(text: &str) -> bool {
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte));
    // A hierarchy begins at its root.
    !text.is_empty() && letters && (text.starts_with(['/']) || text.starts_with("arn:") || !text.contains('/'))
}

fn is_secret(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte))
}

impl Function {
    /// All of its values that come from outside and are not filled in yet.
    pub fn outside(&self) -> impl Iterator<Item = &Outside> {
        self.outside.iter().chain(self.checks.iter().flat_map(|check| &check.outside))
    }

    /// All of its values that nobody may see.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.environment.values().chain(self.checks.iter().flat_map(Check::secrets))
    }

    fn fill(&mut self, found: &Found, problems: &mut Vec<Problem>) {
        let asked = self.outside.first().map(|first| first.place.clone());
        for (outside, value) in taken(&mut self.outside, found, problems) {
            if value.reveal().contains('\0') {
                problems.push(outside.problem("holds a NUL character, which no variable can"));
            }
            self.environment.insert(outside.name, value);
        }
        if let (Some(place), Some(message)) = (asked, environment::too_large(self.all_variables(&self.runtime).iter()))
        {
            problems.push(Problem::new(Some(place), format!("with what comes from outside {message}")));
        }
        for check in self.checks.iter_mut() {
            for (outside, value) in taken(&mut check.outside, found, problems) {
                if !may_be_sent(value.reveal()) {
                    problems.push(outside.problem("holds a control character, which no header can"));
                }
                check.headers.push((outside.name, value));
            }
        }
    }
}

impl Check {
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.headers.iter().map(|(_, value)| value).chain(&self.body)
    }
}

impl Outside {
    fn problem(&self, why: &str) -> Problem {
        Problem::new(Some(self.place.clone()), format!("`{}` comes from {}, which {why}", self.name, self.origin))
    }
}

/// Those of `outside` whose value was found. What was looked for in vain is a problem, and what was not looked for stays.
fn taken(outside: &mut Vec<Outside>, found: &Found, problems: &mut Vec<Problem>) -> Vec<(Outside, Secret)> {
    let mut taken = Vec::new();
    for one in std::mem::take(outside) {
        match found.get(&one.origin) {
            Some(Ok(value)) => taken.push((one, value.clone())),
            Some(Err(why)) => problems.push(one.problem(why)),
            None => outside.push(one),
        }
    }
    taken
}

/// Puts what was found into its places. May be called again with more. `text` is the manifest that was parsed.
///
/// # Errors
/// All that was looked for in vain, or cannot be what it should become.
pub fn fill(functions: &mut [Function], found: &Found, text: &str) -> Result<(), Problems> {
    let mut problems = Vec::new();
    for function in functions {
        function.fill(found, &mut problems);
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Problems::new(problems, secrets::known(DeTable::parse_recoverable(text).0.get_ref())))
}
