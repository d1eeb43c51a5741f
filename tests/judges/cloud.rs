//! A local cloud in this process that ends with its test, and the foreign programs that are let loose on it.

use crate::support::bench::said;
use localcloud::{Credentials, Options};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) struct Cloud {
    pub endpoint: String,
    pub credentials: Credentials,
    pub data: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Cloud {
    pub(crate) fn start(change: impl FnOnce(&mut Options)) -> Cloud {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut options = Options::new(data.path());
        options.role_propagation = std::time::Duration::ZERO;
        change(&mut options);
        let credentials = localcloud::credentials(data.path()).expect("a key pair");
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
                tell.send(format!("http://{}", listener.local_addr().expect("an address"))).expect("a listener");
                let end = async { drop(stopped.await) };
                localcloud::serve(listener, options, end).await.expect("it serves");
            });
        });
        let endpoint = told.recv().expect("an address");
        Cloud { endpoint, credentials, data, stop: Some(stop), thread: Some(thread) }
    }

    /// The variables that point AWS's tools here.
    pub(crate) fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", self.credentials.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.credentials.secret_access_key.clone()),
            ("AWS_REGION", localcloud::REGION.into()),
            ("AWS_DEFAULT_REGION", localcloud::REGION.into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }

    /// A foreign program, with nothing of this machine's settings.
    pub(crate) fn foreign(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().stdin(Stdio::null()).envs(self.variables()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PATH", std::env::var_os("PATH").expect("a PATH")).env("HOME", self.data.path());
        command
    }

    /// One of the scripts that stand beside this file.
    pub(crate) fn script(&self, bin: &Path, name: &str) -> Command {
        let mut command = self.foreign(bin.join("python"));
        command.arg(judges().join(name));
        command
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the local cloud panicked");
        }
    }
}

pub(crate) fn judges() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges")
}

/// Runs it, and expects it to go well; gives stdout.
pub(crate) fn good(command: &mut Command) -> String {
    let output: Output = command.output().expect("the program runs");
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
