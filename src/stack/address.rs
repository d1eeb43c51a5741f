//! Where people reach a function.

use super::url::Auth;

/// An address on the internet at which a function answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What it belongs to, in words: `URL`.
    pub what: &'static str,
    /// Ends with a slash.
    pub url: String,
    pub auth: Auth,
    /// What people should know about it: `auth none, response-stream`.
    pub about: String,
}
