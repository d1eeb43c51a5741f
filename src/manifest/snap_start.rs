//! Lambda SnapStart: instances start from a snapshot of one that was initialised when its version was published. Source:
//! docs/aws.md, "Control plane".

use super::section::{Entry, Section};
use crate::stack::{Family, Runtime};
use std::fmt::Display;

/// The largest `/tmp` that a snapshot may have, in MB.
const STORAGE_LIMIT: u32 = 512;

/// Whether a function has snapshots. Reports what excludes them.
pub(super) fn read(keys: &Section<'_>, runtime: &Runtime) -> bool {
    let Some(entry) = keys.entry("snap_start") else { return false };
    let is_wanted = entry.boolean().is_some_and(|wanted| wanted.into_inner());
    if is_wanted {
        refuse_exclusions(&entry, keys, runtime);
    }
    is_wanted
}

/// Whether AWS makes snapshots of functions with a runtime.
pub(super) fn has_snapshots(runtime: &Runtime) -> bool {
    let least = match runtime.family() {
        Family::Python => [3, 12],
        Family::Java => [11, 0],
        Family::Dotnet => [8, 0],
        Family::Provided | Family::Node | Family::Ruby => return false,
    };
    // Of `17.al2023`, the operating system counts as 0.
    let mut numbers = runtime.version().split('.').map(|part| part.parse().unwrap_or(0));
    [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)] >= least
}

fn refuse_exclusions(entry: &Entry<'_>, keys: &Section<'_>, runtime: &Runtime) {
    const SUPPORTED: &str = "expected Python 3.12, Java 11, .NET 8 or later";
    let refuse = |what: &dyn Display| entry.problem_with_name(format!("`snap_start` cannot be used {what}"));
    if !has_snapshots(runtime) {
        let written = if keys.has("runtime") { "" } else { ", the default" };
        refuse(&format!("with the runtime `{runtime}`{written}: AWS makes no snapshots of it, {SUPPORTED}"));
    }
    if keys.has("provisioned_concurrency") {
        refuse(&"with `provisioned_concurrency`: AWS keeps instances warm or restores them, but not both");
    }
    if keys.has("file_systems") {
        refuse(&"with `file_systems`: AWS makes no snapshots of functions that mount them");
    }
    if keys.number("ephemeral_storage") > STORAGE_LIMIT {
        refuse(&format!("with more than {STORAGE_LIMIT} MB of `ephemeral_storage`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_runtimes_and_those_without_a_language_have_no_snapshots() {
        let has = |name| has_snapshots(&Runtime::parse(name).expect("a runtime"));
        for name in ["python3.12", "python3.14", "java11", "java17.al2023", "java25", "dotnet8", "dotnet10"] {
            assert!(has(name), "{name}");
        }
        for name in ["python3.11", "python3.9", "java8.al2023", "dotnet6", "nodejs24.x", "ruby3.4", "provided.al2023"] {
            assert!(!has(name), "{name}");
        }
    }
}
