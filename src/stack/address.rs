//! Where people reach a function.

use super::word::words;

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

words! {
    /// Who may call the URL.
    Auth {
        /// Everyone.
        None = "none",
        /// Callers that sign the request with AWS credentials that have permission.
        AwsIam = "aws-iam",
    }
}
