//! The processes that a run has started, and those that they have started: compilers, installers, credential helpers.

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process};
use std::fs;

/// Asks all of them to end, except those with a process group of their own: a local cloud outlives the run that started
/// it. Where there is no `/proc`, nothing is found, and only the direct children end, with what they belong to.
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
        // One that has just ended by itself is as good.
        let _ = kill_process(process.id, Signal::TERM);
    }
}

struct Process {
    id: Pid,
    parent: Option<Pid>,
    group: Option<Pid>,
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?)).collect()
}

fn process(id: &str) -> Option<Process> {
    let id = Pid::from_raw(id.parse().ok()?)?;
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?;
    let (parent, group) = parent_and_group(&stat)?;
    Some(Process { id, parent: Pid::from_raw(parent), group: Pid::from_raw(group) })
}

/// From the fields of `/proc/PID/stat`, of which the second, a name in brackets, may hold anything.
fn parent_and_group(stat: &str) -> Option<(i32, i32)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_mislead() {
        assert_eq!(parent_and_group("42 (a) 7 8) S 1 40 40 0 -1"), Some((1, 40)));
        assert_eq!(parent_and_group("42 (a"), None);
    }
}
