//! The processes that a run has started, and their own children: compilers, installers, credential helpers.

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process};
use std::fs;
use std::process::{Command, Stdio};

/// Sends SIGTERM to all of them, except those with a process group of their own: a local cloud outlives the run that
/// started it. If neither `/proc` nor `ps` shows processes, only the direct children end, with the work that started them.
pub(super) fn end_descendants() {
    let (own, group) = (getpid(), getpgrp());
    let all: Vec<Process> = processes();
    let mut found = vec![own];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|process| process.parent == Some(parent)).map(|process| process.id));
        next += 1;
    }
    for process in all.iter().filter(|process| process.group == Some(group) && found[1..].contains(&process.id)) {
        // A process that has ended in the meantime is not an error.
        let _ = kill_process(process.id, Signal::TERM);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: Pid,
    parent: Option<Pid>,
    group: Option<Pid>,
}

/// Linux shows processes in `/proc`. macOS has no such directory, but always `ps`.
fn processes() -> Vec<Process> {
    match fs::read_dir("/proc") {
        Ok(entries) => entries.flatten().filter_map(|entry| process(entry.file_name().to_str()?)).collect(),
        Err(_) => listed(),
    }
}

/// What `ps` lists. The options are those of POSIX.
fn listed() -> Vec<Process> {
    let mut command = Command::new("ps");
    command.args(["-A", "-o", "pid=,ppid=,pgid="]).stdin(Stdio::null()).stderr(Stdio::null());
    let text = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Process> {
    let mut numbers = line.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok().map(positive);
    Some(Process { id: next()??, parent: next()?, group: next()? })
}

fn positive(number: i32) -> Option<Pid> {
    if number > 0 { Pid::from_raw(number) } else { None }
}

fn process(id: &str) -> Option<Process> {
    let id = Pid::from_raw(id.parse().ok()?)?;
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?;
    let (parent, group) = parent_and_group(&stat)?;
    Some(Process { id, parent, group })
}

/// Reads the fields of `/proc/PID/stat`. The second field is a name in brackets, which may contain anything. A process that
/// is exiting has the group -1.
fn parent_and_group(stat: &str) -> Option<(Option<Pid>, Option<Pid>)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1).map(str::parse);
    Some((positive(fields.next()?.ok()?), positive(fields.next()?.ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getppid;

    #[test]
    fn a_name_with_brackets_does_not_mislead() {
        assert_eq!(parent_and_group("42 (a) 7 8) S 1 40 40 0 -1"), Some((Pid::from_raw(1), Pid::from_raw(40))));
        assert_eq!(parent_and_group("42 (a) X 0 -1 -1 0 -1"), Some((None, None)));
        assert_eq!(parent_and_group("42 (a"), None);
    }

    #[test]
    fn ps_lists_this_process_with_its_parent_and_group() {
        let own = Process { id: getpid(), parent: getppid(), group: Some(getpgrp()) };
        assert!(processes().contains(&own));
        assert!(listed().contains(&own));
        assert_eq!(line("  1     0     1"), Some(Process { id: Pid::INIT, parent: None, group: Some(Pid::INIT) }));
        assert_eq!((line("1 0"), line("PID PPID PGID")), (None, None));
    }
}
