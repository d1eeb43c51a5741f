//! The processes of this machine, from libproc and `sysctl`.

use libproc::bsd_info::BSDInfo;
use libproc::pid_rusage::{RUsageInfoV4, pidrusage};
use libproc::proc_pid::{name, pidinfo};
use libproc::processes::{ProcFilter, pids_by_type};
use rustix::io::Errno;
use rustix::process::{Pid, getpgid, test_kill_process};

use super::super::procargs;

/// The state of a process that has not been waited for (`SZOMB`).
const ZOMBIE: u32 = 5;

/// The most bytes that arguments and environment may have (`ARG_MAX`).
const LARGEST_ARGUMENTS: usize = 1024 * 1024;

/// Every process on this machine, the latest first, as far as their numbers show it.
pub(crate) fn all() -> Vec<Pid> {
    let ids = pids_by_type(ProcFilter::All).unwrap_or_default();
    let mut all: Vec<Pid> = ids.into_iter().filter_map(|id| Pid::from_raw(id.try_into().ok()?)).collect();
    all.sort_unstable_by_key(|pid| std::cmp::Reverse(pid.as_raw_nonzero()));
    all
}

/// Whether one of the variables that a process was started with is one of these. macOS does not show the variables of
/// another user's processes and of its own programs, such as `/bin/sh`.
pub(crate) fn has_variable(pid: Pid, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    procargs::variables(&arguments(pid)).any(is_wanted)
}

/// The answer of `KERN_PROCARGS2`; empty if there is none.
#[expect(unsafe_code, reason = "the standard library has no `sysctl`")]
fn arguments(pid: Pid) -> Vec<u8> {
    let mut question = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid.as_raw_nonzero().get()];
    let mut bytes = vec![0_u8; LARGEST_ARGUMENTS];
    let mut length = bytes.len();
    // SAFETY: the kernel reads three numbers, and writes at most `length` bytes and their number.
    let result = unsafe {
        libc::sysctl(question.as_mut_ptr(), 3, bytes.as_mut_ptr().cast(), &raw mut length, std::ptr::null_mut(), 0)
    };
    bytes.truncate(if result == 0 { length } else { 0 });
    bytes
}

/// Details of a process; `None` if it has ended and was waited for, or is another user's.
pub(super) fn info(pid: Pid) -> Option<BSDInfo> {
    pidinfo(pid.as_raw_nonzero().get(), 0).ok()
}

/// Whether a process has ended, whether it has been waited for or not.
pub(crate) fn has_ended(pid: Pid) -> bool {
    // There are no details about a zombie, either; those of another user's process are not shown.
    let is_hidden = || test_kill_process(pid) == Err(Errno::PERM);
    info(pid).map_or_else(|| !is_hidden(), |info| info.pbi_status == ZOMBIE)
}

/// The process that started a process, or that it was left to.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    Pid::from_raw(info(pid)?.pbi_ppid.try_into().ok()?)
}

/// The process group of a process.
pub(crate) fn group(pid: Pid) -> Option<Pid> {
    getpgid(Some(pid)).ok()
}

/// A process, for messages.
pub(crate) fn describe(pid: Pid) -> String {
    let name = name(pid.as_raw_nonzero().get()).unwrap_or_default();
    format!("process {} (`{}`)", pid.as_raw_nonzero(), name.trim().escape_debug())
}

/// A process's peak memory so far, in MB.
pub(crate) fn peak_memory(pid: Pid) -> u64 {
    const MB: u64 = 1024 * 1024;
    let usage = pidrusage::<RUsageInfoV4>(pid.as_raw_nonzero().get());
    usage.map_or(0, |usage| usage.ri_lifetime_max_phys_footprint.div_ceil(MB))
}
