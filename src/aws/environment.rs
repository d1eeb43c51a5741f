//! The environment variables that AWS tools read.

use super::error::quoted;
use aws_types::os_shim_internal::Env;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A copy of the variables that AWS tools read. Empty variables count as unset.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(pub(super) BTreeMap<String, OsString>);

impl Environment {
    /// The variables of this process.
    pub(super) fn of_process() -> Environment {
        std::env::vars_os().collect()
    }

    /// The value, if it is valid UTF-8. [`check`](super::variable) refuses all other values.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The variables for the parts of the SDK that accept an environment.
    pub(super) fn as_sdk(&self) -> Env {
        let text = self.0.iter().filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned())));
        Env::from(text.collect::<std::collections::HashMap<_, _>>())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Environment {
        let read = |name: &str| name.starts_with("AWS_") || ["HOME", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains(&name);
        let named = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Environment(named.filter(|(name, value)| read(name) && !is_blank(value)).collect())
    }
}

/// The names of this process's `AWS_*`, `LAMSTREAM_*` and `SSL_CERT_*` variables that are set to nothing. The SDK, the
/// argument parser and the HTTP client treat some of them as values, so the program unsets them first.
pub fn blank_variables() -> Vec<OsString> {
    let blank = |(name, value): &(OsString, OsString)| match name.as_bytes() {
        name if name.starts_with(b"AWS_") || name.starts_with(b"SSL_CERT_") => is_blank(value),
        name => name.starts_with(b"LAMSTREAM_") && value.is_empty(),
    };
    std::env::vars_os().filter(blank).map(|(name, _)| name).collect()
}

fn is_blank(value: &OsStr) -> bool {
    value.as_bytes().trim_ascii().is_empty()
}

/// # Errors
/// If the text is neither `true` nor `false`.
pub(super) fn switch(text: &str) -> Result<(), String> {
    match ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(text)) {
        true => Ok(()),
        false => Err(format!("{} is not `true` or `false`", quoted(text))),
    }
}
