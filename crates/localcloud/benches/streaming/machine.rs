//! The machine, and the processes of this benchmark.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process that ends with its value.
pub(crate) struct Process {
    pub url: String,
    pub child: Child,
}

/// Resident memory in KB.
#[derive(Clone, Copy)]
pub(crate) struct Memory(pub u64);

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.1} MB", self.0 as f64 / 1024.0))
    }
}

/// Starts another part of this program; it prints its address first.
pub(crate) fn own(arguments: &[&str]) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    Process { url: url.trim().to_owned(), child }
}

impl Process {
    pub(crate) fn memory(&self, field: &str) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok());
        Memory(value.unwrap_or_default())
    }

    /// The processes that it has started and that have not ended.
    pub(crate) fn children(&self) -> Vec<u32> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().flatten();
        let lists = threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        lists.flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<u32>>()).collect()
    }

    /// Resets the highest memory. A kernel that refuses keeps the old one.
    pub(crate) fn forget_peak(&self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that a process has used so far, of all its threads, to the nanosecond; zero if it has ended.
pub(crate) fn processor_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let used = threads.filter_map(|thread| {
        let times = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        times.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(used.sum())
}

/// A thousand connections need more descriptors than the usual limit.
pub(crate) fn ask_for_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// One line about where and when.
pub(crate) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read("/proc/meminfo");
    let memory: u64 = memory.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or_default();
    let now = time::OffsetDateTime::now_utc();
    format!(
        "{} · {cores} cores · {} GB · Linux {}",
        now.date(),
        memory / 1024 / 1024,
        read("/proc/sys/kernel/osrelease").trim(),
    )
}

/// What else the machine does: its load of the last minute, of five, of fifteen.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
