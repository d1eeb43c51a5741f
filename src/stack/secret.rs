//! Values that must not be shown.

use crate::text;
use std::fmt;

/// A value that may be secret, so that it cannot be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value itself, for AWS's eyes or the function's.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// This, and what is secret within it: others may repeat a password without the URL that contains it.
    pub fn with_parts(&self) -> impl Iterator<Item = Secret> + use<> {
        std::iter::once(self.clone()).chain(text::parts(&self.0).into_iter().map(Secret))
    }

    /// `text` without these values, as [`text::hide`] hides them.
    pub fn hide<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
        text::hide(text, secrets)
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
