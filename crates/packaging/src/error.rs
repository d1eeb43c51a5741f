//! Why a package could not be built, as users read it.

use std::fmt;

/// One message, its causes, and what to do about it. All are lower case and without a full stop, except
/// another program's own words in `caused_by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    pub message: String,
    /// From the nearest cause to the root cause, one line each.
    pub caused_by: Vec<String>,
    /// Commands or changes that would help, most likely first.
    pub hints: Vec<String>,
    /// The keys of the function in the manifest that may be at fault, the likeliest first; empty if none is.
    pub keys: &'static [&'static str],
}

impl BuildError {
    pub fn new(message: impl Into<String>) -> Self {
        BuildError { message: message.into(), caused_by: Vec::new(), hints: Vec::new(), keys: &[] }
    }

    pub(super) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.caused_by.push(cause.to_string());
        self
    }

    /// Points to the first of these keys that the manifest has.
    pub fn at(mut self, keys: &'static [&'static str]) -> Self {
        self.keys = keys;
        self
    }

    /// The same, unless it points to others already.
    pub fn or_at(self, keys: &'static [&'static str]) -> Self {
        if self.keys.is_empty() { self.at(keys) } else { self }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for BuildError {}

/// `` `a`, `b` and `c` ``, for messages that list the choices.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".into(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_one_would_say_them() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
