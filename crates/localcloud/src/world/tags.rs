//! Tags, as every service has them.

use std::collections::BTreeMap;

/// Keys and their values.
pub(crate) type Tags = BTreeMap<String, String>;
