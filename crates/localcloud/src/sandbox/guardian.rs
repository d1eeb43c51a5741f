//! A process that outlives a cloud which is killed, just long enough to end what that one has left.
//!
//! The kernel ends the processes that a cloud has started, but not what those have started in turn.

use std::process::{Child, Command, Stdio};

/// Waits until the other end of its stdin is closed, whatever closes it; then ends all that carries the number, twice,
/// since some may be starting others.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
read -r _
for round in 1 2; do
    for limits in $(grep -ls "^Max file locks .* $1 " /proc/[0-9]*/limits); do
        process=${limits%/limits}
        kill -KILL "${process#/proc/}" 2>/dev/null
    done
done
"#;

/// It runs for as long as this value lives.
pub(super) struct Guardian(Child);

impl Guardian {
    /// Watches over the processes of a cloud. A system that has no shell has no guardian either: there the next cloud on
    /// the same data ends what is left.
    pub(super) fn start(run: u64) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("/bin/sh");
        // In a group of its own: what ends the cloud from a terminal does not end it.
        command.args(["-c", SCRIPT, "localcloud-guardian", &run.to_string()]).process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok().map(Self)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
