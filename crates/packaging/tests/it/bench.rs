//! A temporary copy of a fixture crate, and what tests do with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use packaging::{BuildError, BuildOptions, Machine, Order, Preference, Progress, prepare};
use tempfile::TempDir;

pub(crate) struct Bench {
    dir: TempDir,
    name: String,
}

impl Bench {
    /// Copies `tests/fixtures/NAME` to a directory of its own.
    pub(crate) fn of(name: &str) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        copy(&fixture, &dir.path().join(name));
        Bench { dir, name: name.into() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// Writes a file of the copy, or adds to it.
    pub(crate) fn append(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + text).unwrap();
    }

    /// What to build in the member at `path`, for this machine. The target directory is the copy's own even where
    /// `CARGO_TARGET_DIR` says otherwise, since tests run beside each other.
    pub(crate) fn options(&self, path: &str) -> BuildOptions {
        let machine = Machine::host().expect("Lambda has this machine's processor");
        let target_dir = Some(self.path().join("target/lamstream"));
        let preference = Preference::default();
        let order = Order::default();
        BuildOptions { crate_dir: self.path().join(path), bin: None, machine, target_dir, preference, order }
    }

    /// Builds the crate at the copy's root.
    pub(crate) async fn build(&self) -> Vec<u8> {
        built(&self.options("")).await.unwrap()
    }

    /// Runs a binary and returns what it prints.
    pub(crate) fn run(&self, binary: &[u8]) -> String {
        use std::os::unix::fs::PermissionsExt;
        let file = self.dir.path().join("run-me");
        fs::write(&file, binary).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        // A child that another test forks meanwhile may hold the file open for writing until it execs. So the copy that
        // runs is made by a shell, from which no other test forks.
        let output = Command::new("sh").args(["-c", "cp \"$0\" \"$0.own\" && exec \"$0.own\""]).arg(&file).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }
}

/// Builds with cargo's lines kept, so that a failing test shows them.
pub(crate) async fn built(options: &BuildOptions) -> Result<Vec<u8>, BuildError> {
    let lines = Mutex::new(String::new());
    let result = compile(options, &|line: &str| *lines.lock().unwrap() += &format!("{line}\n")).await;
    if result.is_err() {
        eprintln!("{}", lines.lock().unwrap());
    }
    result
}

/// Builds, and hands cargo's lines on. Of several errors the first counts.
pub(crate) async fn compile(options: &BuildOptions, on_line: &(dyn Fn(&str) + Sync)) -> Result<Vec<u8>, BuildError> {
    match prepare(options).await {
        Ok(prepared) => {
            let progress = Progress { piped: Some(on_line), waits: &|_| {}, compiles: &|| {} };
            prepared.compile(progress).await.map(|built| built.bytes)
        }
        Err(errors) => Err(errors.into_iter().next().unwrap()),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
