//! Tags of processes. Every child inherits the kernel's resource limits, and the one on file locks has had no effect since
//! Linux 2.4.25, so its values are free to tag processes.

use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

/// Ends the processes of the run `$1`.
const KILL_RUN: &str = r#"
for limits in $(grep -ls "^Max file locks .* $1 " /proc/[0-9]*/limits); do
    process=${limits%/limits}
    kill -KILL "${process#/proc/}" 2>/dev/null
done
"#;

/// Whether this system supports tags.
pub(crate) fn are_supported() -> bool {
    static SUPPORTED: OnceLock<bool> = OnceLock::new();
    *SUPPORTED.get_or_init(|| setrlimit(Resource::Locks, getrlimit(Resource::Locks)).is_ok())
}

/// A shell script that ends the processes of the run `$1`, whatever they have left; `None` without tags.
pub(crate) fn script() -> Option<&'static str> {
    are_supported().then_some(KILL_RUN)
}

/// The largest number in a tag. A cloud that is run by a function of another cloud can only lower the limit.
pub(crate) fn largest() -> u64 {
    getrlimit(Resource::Locks).maximum.unwrap_or(1 << 62).max(4)
}

/// Tags this process, and thereby all that it will start. Called between fork and exec: it makes one system call. The soft
/// limit is the instance's number, the hard one the run's.
pub(crate) fn set(instance: u64, run: u64) {
    // Without it, a process is recognised by its environment and its group.
    let _ = setrlimit(Resource::Locks, Rlimit { current: Some(instance), maximum: Some(run) });
}

/// The numbers of the instance and of the run, if the process has a tag.
pub(crate) fn of(pid: Pid) -> Option<(u64, u64)> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero())).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file locks"))?;
    let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
