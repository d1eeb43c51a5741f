//! The form of a request in the Query protocol.

use crate::wire::error::Fault;

/// Fields by their names.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field that may be absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A required field.
    ///
    /// # Errors
    /// AWS's own if it is absent or empty.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Fault::new(400, "ValidationError", format!("1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"))
        })
    }

    /// `NAME.member.1`, `NAME.member.2` and so on, each with a suffix.
    pub(crate) fn members(&self, name: &str, suffix: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}{suffix}")).map(str::to_owned)).collect()
    }
}
