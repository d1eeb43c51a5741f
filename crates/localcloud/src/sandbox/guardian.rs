//! A process that ends the remaining processes of a cloud that was killed.
//!
//! On Linux the kernel ends the processes that a cloud has started, but not those that they have started in turn. On other
//! systems, and without tags, the guardian gets the process groups of all instances, and ends these.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

use rustix::process::Pid;

use crate::platform::tags;
use crate::sync::lock;

/// Waits until the other end of its stdin is closed, for whatever reason.
const WAIT: &str = "trap '' HUP INT QUIT TERM\nread -r _\n";

/// The same. Each line is a process group that begins (`+`) or has ended (`-`).
const COLLECT: &str = r#"
trap '' HUP INT QUIT TERM
groups=
while read -r sign group; do
    others=
    for other in $groups; do
        [ "$other" = "$group" ] || others="$others $other"
    done
    groups=$others
    [ "$sign" = - ] || groups="$groups $group"
done
"#;

const KILL_GROUPS: &str = r#"
for group in $groups; do
    kill -s KILL -- "-$group" 2>/dev/null
done
"#;

/// The process, which is started with the first instance. It ends when this value is dropped.
pub(super) struct Guardian {
    run: u64,
    /// What ends the processes of the run; without it the guardian gets process groups.
    script: Option<&'static str>,
    process: Mutex<Option<Child>>,
}

impl Guardian {
    /// The guardian of a cloud's processes.
    pub(super) fn new(run: u64) -> Self {
        Self::with(run, tags::script())
    }

    fn with(run: u64, script: Option<&'static str>) -> Self {
        Self { run, script, process: Mutex::default() }
    }

    /// Starts it, unless it runs. Without a shell there is none: then the next cloud with the same data ends what is left.
    pub(super) fn start(&self) {
        use std::os::unix::process::CommandExt;
        let mut process = lock(&self.process);
        if process.is_some() {
            return;
        }
        let (before, kill) = self.script.map_or((COLLECT, KILL_GROUPS), |kill| (WAIT, kill));
        // Twice, since some of the processes may just be starting others.
        let script = [before, kill, kill].concat();
        let mut command = Command::new("/bin/sh");
        // In a process group of its own, so that Ctrl-C in the cloud's terminal does not end it.
        command.args(["-c", &script, "localcloud-guardian", &self.run.to_string()]).process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        *process = command.spawn().ok();
    }

    /// Ends the processes of a group with the cloud, if they have no tag.
    pub(super) fn watch(&self, group: Pid) {
        self.tell('+', group);
    }

    /// Forgets a group: another process may get its number.
    pub(super) fn forget(&self, group: Pid) {
        self.tell('-', group);
    }

    fn tell(&self, sign: char, group: Pid) {
        if self.script.is_some() {
            return;
        }
        let mut process = lock(&self.process);
        let told = |stdin: &mut ChildStdin| writeln!(stdin, "{sign} {}", group.as_raw_nonzero());
        // A guardian that was killed hears nothing.
        let _ = process.as_mut().and_then(|process| process.stdin.as_mut()).map(told);
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        if let Some(mut process) = lock(&self.process).take() {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::ExitStatus;
    use std::time::{Duration, Instant};

    use super::*;

    /// How a process ends that has been sent a signal.
    fn ending(child: &mut Child) -> ExitStatus {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match child.try_wait().expect("a status") {
                Some(status) => return status,
                None => assert!(Instant::now() < until, "it runs on"),
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn without_tags_it_ends_the_groups_that_it_watches_and_no_others() {
        let _turn = crate::sync::turn();
        let sleep = || Command::new("/bin/sleep").arg("1000").process_group(0).spawn().expect("a process");
        let (mut watched, mut forgotten, mut other) = (sleep(), sleep(), sleep());
        let group = |child: &Child| Pid::from_raw(child.id() as i32).expect("a process has a number");
        let guardian = Guardian::with(1, None);
        guardian.start();
        guardian.watch(group(&watched));
        guardian.watch(group(&forgotten));
        guardian.forget(group(&forgotten));
        drop(guardian);
        assert_eq!(ending(&mut watched).signal(), Some(9));
        for child in [&mut forgotten, &mut other] {
            assert_eq!(child.try_wait().expect("a status"), None);
            child.kill().expect("it runs");
            child.wait().expect("it has ended");
        }
    }
}
