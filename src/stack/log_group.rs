//! Where a function's output is kept.

use super::tags::Tags;

/// A CloudWatch Logs group, called `/aws/lambda/FUNCTION_NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// `None` keeps logs forever.
    pub retention_days: Option<u32>,
    pub tags: Tags,
}
