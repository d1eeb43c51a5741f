//! A place to try things out in: a directory of its own, a local cloud of its own, and the real binary.

use super::proxy::Proxy;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

pub(crate) const LAMSTREAM: &str = env!("CARGO_BIN_EXE_lamstream");

/// A crate with this name is there in every bench whose manifest names it: it is right, as far as can be known without
/// building it, and cannot be built.
const UNUSED: &str = "unused";

/// A process that ends with the test.
pub(crate) struct Server {
    child: Child,
    /// What it said first.
    pub address: String,
}

impl Server {
    /// Starts a program whose first line of stdout is its address.
    pub(crate) fn start(command: &mut Command) -> Server {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a first line");
        assert!(line.starts_with("http://"), "the first line is an address: {line:?}");
        Server { child, address: line.trim().to_owned() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).expect("a pid");
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A temporary directory with a manifest, and a local cloud's directory next to it.
pub(crate) struct Bench {
    pub directory: TempDir,
}

impl Bench {
    pub(crate) fn new(manifest: &str) -> Bench {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("deploy.toml"), manifest).expect("the manifest is written");
        let bench = Bench { directory };
        if manifest.contains(UNUSED) {
            bench.write_all("unused/Cargo.toml", "[workspace]\n[package]\nname = \"unused\"\nedition = \"2024\"\n");
            bench.write_all("unused/src/main.rs", "compile_error!(\"this must not be built\");\n");
        }
        bench
    }

    /// The same as `write`, with the directories around the file.
    pub(crate) fn write_all(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().expect("a directory")).expect("it is made");
        self.write(name, text);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("cloud")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the file is written");
    }

    /// The real binary, in the bench's directory, with nothing of this machine's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LAMSTREAM);
        command.args(arguments).current_dir(self.directory.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("LAMSTREAM_LOCAL_DIR", self.data());
        for name in ["PATH", "CARGO_HOME", "RUSTUP_HOME", "CARGO", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // Rustup finds its home through HOME unless RUSTUP_HOME is set.
        if let (Some(home), false) = (std::env::var_os("HOME"), std::env::var_os("RUSTUP_HOME").is_some()) {
            command.env("RUSTUP_HOME", Path::new(&home).join(".rustup"));
            command.env(
                "CARGO_HOME",
                std::env::var_os("CARGO_HOME").unwrap_or_else(|| Path::new(&home).join(".cargo").into()),
            );
        }
        command
    }

    /// The variables that point any AWS tool at the bench's local cloud, which is started if need be.
    pub(crate) fn aws_variables(&self) -> Vec<(String, String)> {
        self.good(&["local", "start"]);
        self.variables()
    }

    /// The same of a local cloud that is running.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let lines = self.good(&["local", "env"]);
        let pair = |line: &str| line.trim_start_matches("export ").split_once('=').map(|(n, v)| (n.into(), v.into()));
        lines.lines().map(|line| pair(line).expect("a variable")).collect()
    }

    /// A command that goes to the local cloud as it would to AWS: through `proxy`.
    pub(crate) fn through(&self, proxy: &Proxy, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.envs(self.aws_variables()).env("AWS_ENDPOINT_URL", &proxy.address);
        command
    }

    /// A proxy before the bench's local cloud.
    pub(crate) fn proxy(&self) -> Proxy {
        Proxy::to(self.good(&["local", "start"]).trim())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("lamstream runs")
    }

    /// Runs, and expects it to go well; gives stdout.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).expect("utf-8")
    }

    /// What `status` says about the functions, without its header.
    pub(crate) fn status(&self, arguments: &[&str]) -> String {
        let text = self.good(&[&["status"], arguments].concat());
        let (header, functions) = text.split_once('\n').expect("a header");
        assert!(header.starts_with("account "), "{text}");
        functions.to_owned()
    }

    /// Runs with `--output json`, and gives the document and the exit code.
    pub(crate) fn json(&self, arguments: &[&str]) -> (serde_json::Value, i32) {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        let document = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?} gave no document: {error}: {}", said(&output)));
        (document, output.status.code().expect("an exit code"))
    }
}

impl Drop for Bench {
    /// No local cloud outlives its bench.
    fn drop(&mut self) {
        let _ = self.command(&["local", "stop"]).output();
    }
}

pub(crate) fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("exit {:?}\n--- stdout\n{out}--- stderr\n{err}", output.status.code())
}

/// The package of this repository's function, built once for this test binary by the real `lamstream build`.
pub(crate) fn function_zip() -> &'static Path {
    static ZIP: OnceLock<PathBuf> = OnceLock::new();
    ZIP.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("packages-{}", std::process::id()));
        let bench = Bench::new("");
        let manifest = root.join("deploy.toml");
        let arguments = ["build", "--local", "--manifest", manifest.to_str().unwrap(), "--out", out.to_str().unwrap()];
        PathBuf::from(bench.good(&arguments).trim())
    })
}

/// The package of a function that behaves as its environment says: tests/fixtures/moody.py.
pub(crate) fn moody_zip() -> &'static Path {
    static ZIP: OnceLock<PathBuf> = OnceLock::new();
    ZIP.get_or_init(|| zip_of("moody", include_bytes!("../fixtures/moody.py")))
}

/// A package with this code as its `bootstrap`.
pub(crate) fn zip_of(name: &str, code: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.zip", std::process::id()));
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&path).expect("the zip is made"));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    writer.start_file("bootstrap", options).expect("the zip is written");
    std::io::Write::write_all(&mut writer, code).expect("the zip is written");
    writer.finish().expect("the zip is written");
    path
}
