//! How many files a process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A thousand instances need about five thousand file descriptors; the usual soft limit is 1,024.
pub(crate) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // If this fails, there can be fewer instances.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
