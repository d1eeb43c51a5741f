//! A process that ends the remaining processes of a cloud that was killed.
//!
//! The kernel ends the processes that a cloud has started, but not those that they have started in turn.

use std::process::{Child, Command, Stdio};

/// Waits until the other end of its stdin is closed, for whatever reason. Then it ends all processes with the number:
/// twice, since some of them may just be starting others.
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

/// The process; it ends when this value is dropped.
pub(super) struct Guardian(Child);

impl Guardian {
    /// Starts a guardian for the processes of a cloud. Without a shell there is none: then the next cloud with the same
    /// data ends what is left.
    pub(super) fn start(run: u64) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("/bin/sh");
        // In a process group of its own, so that Ctrl-C in the cloud's terminal does not end it.
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
