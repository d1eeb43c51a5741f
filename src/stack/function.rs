//! What belongs to a function as a whole, whichever release serves.

use super::tags::Tags;

/// A Lambda function without its code and configuration, which are a release's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Empty for none. Only `$LATEST` has it: a version has a description of its own.
    pub description: String,
    /// Reserved concurrency; also the only brake on a public URL (ten times as many requests a second).
    pub concurrency: Option<u32>,
    pub tags: Tags,
}
