//! What belongs to a function as a whole, whichever release serves.

use super::Tags;

/// A Lambda function without its code and configuration, which are a release's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Empty for none. It stands on `$LATEST` alone: a version has a description of its own.
    pub description: String,
    /// Reserved concurrency; also the only brake on a public URL (ten times as many requests a second).
    pub concurrency: Option<u32>,
    pub tags: Tags,
}
