//! What a policy is for.

use crate::manifest::Function;
use crate::stack::Names;

/// The functions that commands work on.
pub struct Scope<'a> {
    /// The functions of the manifest. With `all_stages`, those of all its stages.
    pub functions: &'a [(Names, &'a Function)],
    /// Whether functions, roles and log groups are named by a pattern that fits every stage of the app.
    pub all_stages: bool,
    /// The bucket for large packages; `None` if lamstream creates one.
    pub artifact_bucket: Option<&'a str>,
    /// Whether packages may be too large for Lambda's own calls.
    pub large_packages: bool,
}
