//! The processes of an instance's external extensions: programs from its layers that run next to the runtime.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::child::Child;
use super::message::RuntimeMessage;
use crate::disk::files::leads_into;

/// One process, and the task that watches it.
struct ExtensionProcess {
    name: String,
    process: Option<u32>,
    stop: oneshot::Sender<()>,
    watched: JoinHandle<()>,
}

/// All extension processes of an instance.
#[derive(Default)]
pub(super) struct ExtensionProcesses(Vec<ExtensionProcess>);

/// The programs in the `extensions` directory below `/opt`, in the order of their names. Links are followed as long as they
/// stay below it.
pub(super) fn programs(opt: &Path) -> Vec<(String, PathBuf)> {
    use std::os::unix::fs::PermissionsExt;
    let is_below = |path: &Path| leads_into(path, &[opt]);
    let entries = std::fs::read_dir(opt.join("extensions")).into_iter().flatten().flatten();
    let mut programs: Vec<(String, PathBuf)> = entries
        .filter(|entry| is_below(&entry.path()))
        .filter(|entry| {
            entry.path().metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    programs.sort();
    programs
}

impl ExtensionProcesses {
    /// Watches a process, and reports its end to the instance.
    pub(super) fn add(&mut self, name: String, mut child: Child, messages: mpsc::UnboundedSender<RuntimeMessage>) {
        let (stop, mut stopped) = oneshot::channel();
        let (of, process) = (name.clone(), child.id());
        let watched = tokio::spawn(async move {
            tokio::select! {
                status = child.wait() => {
                    let how = ended(status.unwrap_or_default());
                    let _ = messages.send(RuntimeMessage::ExtensionFailed { name: of, kind: "Extension.Crash".into(), how });
                }
                _ = &mut stopped => {}
            }
            child.kill_group();
            let _ = child.wait().await;
        });
        self.0.push(ExtensionProcess { name, process, stop, watched });
    }

    /// Their process ids.
    pub(super) fn processes(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter_map(|extension| extension.process)
    }

    /// Waits until the extensions of these names have ended, up to a limit.
    pub(super) async fn ended(&mut self, names: &[String], limit: Duration) {
        let told = self.0.iter_mut().filter(|extension| names.contains(&extension.name));
        let all = futures_util::future::join_all(told.map(|extension| &mut extension.watched));
        let _ = tokio::time::timeout(limit, all).await;
    }

    /// Ends all of them, and waits for that.
    pub(super) async fn kill(&mut self) {
        for ExtensionProcess { stop, watched, .. } in self.0.drain(..) {
            drop(stop);
            if !watched.is_finished() {
                let _ = watched.await;
            }
        }
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_that_leads_out_of_the_layers_is_no_extension() {
        let outer = tempfile::tempdir().expect("a directory");
        let opt = outer.path().join("opt");
        std::fs::create_dir_all(opt.join("extensions")).expect("directories");
        for path in [opt.join("program"), outer.path().join("outside")] {
            std::fs::write(&path, "#!/bin/sh\n").expect("a program");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        }
        symlink("../program", opt.join("extensions/inside")).expect("a link");
        symlink("../../outside", opt.join("extensions/outside")).expect("a link");
        let names: Vec<String> = programs(&opt).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["inside"]);
        std::fs::rename(opt.join("extensions"), outer.path().join("extensions")).expect("moved");
        symlink("../extensions", opt.join("extensions")).expect("a link");
        assert!(programs(&opt).is_empty(), "the whole directory leads out");
    }
}
