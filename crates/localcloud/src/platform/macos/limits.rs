//! How many files a process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The largest limit that `setrlimit` accepts, whatever `getrlimit` says (`OPEN_MAX`).
const OPEN_MAX: u64 = 10_240;

/// A thousand instances need about five thousand file descriptors; the usual soft limit is 256.
pub(crate) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(OPEN_MAX, |maximum| maximum.min(OPEN_MAX));
    if limit.current.is_some_and(|current| current < most) {
        // If this fails, there can be fewer instances.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit });
    }
}
