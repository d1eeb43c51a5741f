//! Why an instance cannot be started.

/// The kind of an error for which the package is at fault, in AWS's words.
pub(super) const INVALID_ENTRYPOINT: &str = "Runtime.InvalidEntrypoint";

/// The kind of an error for which this machine is at fault. AWS has no such errors.
pub(super) const CANNOT_START: &str = "LocalCloud.CannotStart";

/// The kind of an error for a handler of a language's runtime, which only AWS has.
pub(super) const NO_RUNTIME: &str = "LocalCloud.NoRuntime";

/// Why an instance cannot be started, in words for its clients.
#[derive(Debug)]
pub(super) struct StartError {
    /// The kind of the error, as clients see it.
    pub(super) kind: &'static str,
    pub(super) why: String,
}

impl StartError {
    pub(super) fn new(kind: &'static str, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.why)
    }
}

impl std::error::Error for StartError {}
