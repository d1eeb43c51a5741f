//! macOS has no mount namespaces.

use std::convert::Infallible;
use std::io;
use std::path::Path;

/// A mount namespace, of which there is none.
pub(crate) struct MountNamespace(Infallible);

impl MountNamespace {
    /// # Errors
    /// Always.
    pub(crate) fn new(_code: &Path, _task: &Path, _layers: Option<&Path>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// There is nothing to enter.
    pub(crate) fn enter(&self) -> io::Result<()> {
        match self.0 {}
    }
}

/// Why this machine does not support it.
pub(crate) fn refusal() -> Option<&'static str> {
    Some("macOS has no mount namespaces")
}

/// Why layers cannot be mounted at `/opt`.
pub(crate) fn refusal_of_layers() -> Option<&'static str> {
    refusal()
}
