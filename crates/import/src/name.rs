//! Names on AWS.

/// Replaces every character that a name on AWS may not have with a dash.
pub(crate) fn clean(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect()
}
