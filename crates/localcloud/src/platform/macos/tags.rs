//! macOS has no tags: no limit that a child inherits is free for them.

use rustix::process::Pid;

/// Whether this system supports tags.
pub(crate) fn are_supported() -> bool {
    false
}

/// The script that ends the processes of a run by their tag, which macOS does not have.
pub(crate) fn script() -> Option<&'static str> {
    None
}

/// The largest number in a tag.
pub(crate) fn largest() -> u64 {
    1 << 62
}

/// Does nothing.
pub(crate) fn set(_instance: u64, _run: u64) {}

/// No process has a tag.
pub(crate) fn of(_pid: Pid) -> Option<(u64, u64)> {
    None
}
