//! The processes of this machine, read from `/proc`.

use std::fs::{read, read_to_string};

use rustix::process::Pid;

/// Every process on this machine, the latest first.
pub(crate) fn all() -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pid = |entry: std::fs::DirEntry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
    let mut all: Vec<Pid> = entries.filter_map(pid).collect();
    all.sort_unstable_by_key(|pid| std::cmp::Reverse(pid.as_raw_nonzero()));
    all
}

fn path(pid: Pid, file: &str) -> String {
    format!("/proc/{}/{file}", pid.as_raw_nonzero())
}

/// Whether one of the variables that a process was started with is one of these.
pub(crate) fn has_variable(pid: Pid, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    read(path(pid, "environ")).unwrap_or_default().split(|byte| *byte == 0).any(is_wanted)
}

/// The fields of `/proc/PID/stat` behind the process's name, which may contain anything.
fn fields(pid: Pid) -> Vec<String> {
    let stat = read_to_string(path(pid, "stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether a process has ended, whether it has been waited for or not.
pub(crate) fn has_ended(pid: Pid) -> bool {
    fields(pid).first().is_none_or(|state| state.starts_with(['Z', 'X']))
}

/// The process that started a process, or that it was left to.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    Pid::from_raw(fields(pid).get(1)?.parse().ok().filter(|parent| *parent > 0)?)
}

/// The process group of a process.
pub(crate) fn group(pid: Pid) -> Option<Pid> {
    Pid::from_raw(fields(pid).get(2)?.parse().ok().filter(|group| *group > 0)?)
}

/// A process, for messages.
pub(crate) fn describe(pid: Pid) -> String {
    let name = read_to_string(path(pid, "comm")).unwrap_or_default();
    format!("process {} (`{}`)", pid.as_raw_nonzero(), name.trim().escape_debug())
}

/// A process's peak memory so far, in MB.
pub(crate) fn peak_memory(pid: Pid) -> u64 {
    let status = read_to_string(path(pid, "status")).unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    peak.unwrap_or_default().div_ceil(1024)
}
