//! Values that must not be shown.

use crate::text;
use std::fmt;

/// A value that may be secret. The type prevents it from being shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value itself, for calls to AWS or for the function.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// This value and the secret parts of it: a message may repeat a password without the URL that contains it.
    pub fn with_parts(&self) -> impl Iterator<Item = Secret> + use<> {
        std::iter::once(self.clone()).chain(text::parts(&self.0).into_iter().map(Secret))
    }

    /// Hides these values in `text`, as [`text::hide`] does.
    pub fn hide<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
        text::hide(text, secrets)
    }
}

/// Why a source has no value that can be used, in words that follow "which".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// It does not exist, or is empty.
    Missing(String),
    /// It holds something other than a short text.
    Unfit(String),
    /// It may exist, but lamstream may not read it.
    Unreadable(String),
}

impl fmt::Display for NoValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (NoValue::Missing(why) | NoValue::Unfit(why) | NoValue::Unreadable(why)) = self;
        formatter.write_str(why)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Secret {
        Secret::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(text::HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_no_words_of_its_own() {
        assert_eq!(format!("{:?}", Secret::new("planted")), "[hidden]");
    }
}
