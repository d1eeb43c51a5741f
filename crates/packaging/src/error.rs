//! Why a package could not be built, in the words that a person gets to read.

use std::fmt;

/// One message, what lay beneath it, and what to do about it. All are lowercase and without a full stop, except
/// where another program's own words are passed on in `caused_by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    pub message: String,
    /// From the nearest cause to the farthest, one line each.
    pub caused_by: Vec<String>,
    /// Commands or changes that would help, most likely first.
    pub hints: Vec<String>,
    /// The keys of a function in the manifest that are to blame, the likeliest first; empty where none is.
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

    /// Blames the first of these keys that the manifest has.
    pub fn at(mut self, keys: &'static [&'static str]) -> Self {
        self.keys = keys;
        self
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

/// `` `a`, `b` and `c` ``, for messages that list what there is to choose from.
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
