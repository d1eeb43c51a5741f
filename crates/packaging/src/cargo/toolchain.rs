//! The installed cargo and compiler: where they are, and what they can build for.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::sync::Arc;

use cargo_metadata::cargo_platform::Cfg;
use cargo_metadata::{Metadata, MetadataCommand};
use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};

use super::configuration::{Configuration, Environment};
use crate::error::BuildError;
use crate::machine::{Machine, OperatingSystem};

/// Cargo sets these for the programs that it runs. A lamstream started by cargo must not pass them on: they describe
/// another crate.
const OF_AN_OUTER_CARGO: [&str; 9] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_MANIFEST_LINKS",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "CARGO_RUSTC_CURRENT_DIR",
    "OUT_DIR",
];

const OF_AN_OUTER_CARGO_BEGIN: [&str; 2] = ["CARGO_PKG_", "CARGO_BIN_EXE_"];

/// The programs to run, always in the crate's directory, where rustup and cargo look for the crate's settings.
#[derive(Clone)]
pub(super) struct Toolchain {
    crate_dir: PathBuf,
    cargo: OsString,
    rustc: OsString,
    /// Whether the user has set the compiler.
    pub named: bool,
    /// Whether cargo needs `RUSTC` because it would use another compiler.
    pub told: bool,
    removed: Vec<String>,
    known: Arc<Known>,
}

/// What the compiler has answered. Each question costs a process.
#[derive(Default)]
struct Known {
    version: OnceCell<Version>,
    targets: Mutex<BTreeMap<String, Target>>,
}

/// The output of `rustc -vV`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub host: String,
    pub release: String,
    /// `None` if a distribution's build does not report it.
    pub commit: Option<String>,
}

/// What the compiler reports about one target.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub triple: String,
    pub sysroot: PathBuf,
    pub cfgs: Vec<Cfg>,
    /// Whether the target's standard library is installed.
    pub has_std: bool,
}

impl Toolchain {
    /// `wanted` is the manifest's compiler: the environment takes precedence over it, and it over cargo's configuration.
    pub(super) fn find(
        crate_dir: &Path,
        configuration: &Configuration,
        environment: &Environment,
        wanted: Option<&Path>,
    ) -> Toolchain {
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(OsString::from);
        let in_environment = set("RUSTC").or_else(|| set("CARGO_BUILD_RUSTC"));
        let told = in_environment.is_none() && wanted.is_some();
        let named = in_environment
            .or_else(|| wanted.map(OsString::from))
            .or_else(|| configuration.rustc().map(PathBuf::into_os_string));
        let foreign = |name: &&String| {
            OF_AN_OUTER_CARGO.contains(&name.as_str())
                || OF_AN_OUTER_CARGO_BEGIN.iter().any(|beginning| name.starts_with(beginning))
        };
        Toolchain {
            crate_dir: crate_dir.to_path_buf(),
            cargo: set("CARGO").unwrap_or_else(|| "cargo".into()),
            named: named.is_some(),
            told,
            rustc: named.unwrap_or_else(|| "rustc".into()),
            removed: environment.keys().filter(foreign).cloned().collect(),
            known: Arc::default(),
        }
    }

    /// A cargo that is killed when the future that waits for it is dropped.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = self.prepare(Command::new(&self.cargo));
        if self.told {
            cargo.env("RUSTC", &self.rustc);
        }
        cargo
    }

    pub(super) fn rustc(&self) -> &OsStr {
        &self.rustc
    }

    /// The same with another compiler, which cargo gets as `RUSTC`.
    pub(super) fn with_rustc(&self, program: &Path) -> Toolchain {
        Toolchain { rustc: program.into(), told: true, known: Arc::default(), ..self.clone() }
    }

    /// What cargo knows about the package in `directory` and its workspace, without their dependencies.
    pub(super) async fn metadata(&self, directory: &Path) -> Result<Metadata, BuildError> {
        let mut request = MetadataCommand::new();
        request.cargo_path(&self.cargo).manifest_path(directory.join("Cargo.toml")).no_deps();
        let what = format!("cannot read the crate `{}`", directory.display());
        let text = answer(self.prepare(request.cargo_command().into()), &what, "cargo", &self.cargo).await?;
        MetadataCommand::parse(text).map_err(|error| BuildError::new(what).because(error))
    }

    /// What cargo writes if it refuses such a command in the crate's directory; `None` if it does not.
    pub(super) async fn refusal(&self, arguments: &[&str]) -> Option<String> {
        let output = self.cargo().args(arguments).output().await.ok()?;
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The instruction sets that the compiler uses for a target with these flags, whether they are stable or not.
    pub(super) async fn features(&self, triple: &str, flags: &[String]) -> Result<BTreeSet<String>, BuildError> {
        let mut command = self.prepare(Command::new(&self.rustc));
        command.args(["--print", "cfg", "--target", triple]).args(flags).env("RUSTC_BOOTSTRAP", "1");
        let what = format!("cannot find out what the compiler's flags mean for the target `{triple}`");
        let text = answer(command, &what, "rustc", &self.rustc).await?;
        let feature = |line: &str| Some(line.strip_prefix("target_feature=\"")?.strip_suffix('"')?.to_owned());
        Ok(text.lines().filter_map(feature).collect())
    }

    pub(super) async fn version(&self) -> Result<Version, BuildError> {
        self.known.version.get_or_try_init(|| self.ask_version()).await.cloned()
    }

    async fn ask_version(&self) -> Result<Version, BuildError> {
        let mut command = self.prepare(Command::new(&self.rustc));
        command.arg("-vV");
        let what = "cannot find out the version of the compiler";
        let text = answer(command, what, "rustc", &self.rustc).await?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let host =
            field("host:").ok_or_else(|| BuildError::new(what).because("`rustc -vV` does not report its host"))?;
        let commit = field("commit-hash:").filter(|commit| *commit != "unknown");
        let release = field("release:").unwrap_or("unknown");
        Ok(Version { host: host.into(), release: release.into(), commit: commit.map(String::from) })
    }

    pub(super) async fn target(&self, triple: &str) -> Result<Target, BuildError> {
        let mut targets = self.known.targets.lock().await;
        if let Some(target) = targets.get(triple) {
            return Ok(target.clone());
        }
        let target = self.ask_target(triple).await?;
        targets.insert(triple.to_owned(), target.clone());
        Ok(target)
    }

    async fn ask_target(&self, triple: &str) -> Result<Target, BuildError> {
        let mut command = self.prepare(Command::new(&self.rustc));
        command.args(["--print", "sysroot", "--print", "target-libdir", "--print", "cfg", "--target", triple]);
        let what = format!("cannot find out what the compiler has for the target `{triple}`");
        let text = answer(command, &what, "rustc", &self.rustc).await?;
        let mut lines = text.lines();
        let (Some(sysroot), Some(libraries)) = (lines.next(), lines.next()) else {
            return Err(BuildError::new(what).because("its output has an unknown format"));
        };
        Ok(Target {
            triple: triple.into(),
            sysroot: sysroot.into(),
            cfgs: lines.filter_map(|line| Cfg::from_str(line).ok()).collect(),
            has_std: has_std(Path::new(libraries)),
        })
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.current_dir(&self.crate_dir).stdin(Stdio::null()).kill_on_drop(true);
        for name in &self.removed {
            command.env_remove(name);
        }
        command
    }
}

/// The compiler reports the directory of a target's libraries even if nothing is installed in it.
fn has_std(libraries: &Path) -> bool {
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    std::fs::read_dir(libraries)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_std)))
}

/// The target to build for on this host: the host's own if the processor matches, so that a host with musl
/// keeps musl; otherwise the one with glibc. Another system builds for Lambda with musl, for which rustup's compilers
/// include a linker and a C library.
pub(super) fn triple(host: &str, machine: Machine) -> Result<String, BuildError> {
    let cpu = machine.architecture.cpu();
    match (machine.system, OperatingSystem::of_triple(host)) {
        (OperatingSystem::Macos, Some(OperatingSystem::Macos)) => return Ok(format!("{cpu}-apple-darwin")),
        (OperatingSystem::Linux, Some(OperatingSystem::Macos)) => return Ok(format!("{cpu}-unknown-linux-musl")),
        (OperatingSystem::Linux, Some(OperatingSystem::Linux)) => {}
        _ => return Err(not_from(host)),
    }
    let same = host.starts_with(&format!("{cpu}-")) && (host.ends_with("-gnu") || host.ends_with("-musl"));
    Ok(if same { host.into() } else { format!("{cpu}-unknown-linux-gnu") })
}

fn not_from(host: &str) -> BuildError {
    BuildError::new(format!("cannot build for Lambda on `{host}`: cross-compiling from this host is not supported yet"))
        .hint("build on Linux (a container works) and deploy the zip with `--package`")
}

async fn answer(mut command: Command, what: &str, name: &str, program: &OsString) -> Result<String, BuildError> {
    // rustup, which may stand for either program, would add a backtrace of its own to an error.
    command.env("RUST_BACKTRACE", "0").env_remove("RUST_LIB_BACKTRACE");
    let output = command.output().await.map_err(|error| not_started(what, name, program, &error))?;
    if !output.status.success() {
        let mut error = BuildError::new(what);
        let words = String::from_utf8_lossy(&output.stderr);
        for line in words.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_prefix("help: ") {
                Some(help) => error.hints.push(help.to_owned()),
                None => error.caused_by.push(own_words(line)),
            }
        }
        return Err(error);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Another program's line, without the prefix that lamstream's errors have anyway.
fn own_words(line: &str) -> String {
    let line = line.trim();
    line.strip_prefix("error: ").unwrap_or(line).to_string()
}

pub(super) fn not_started(what: &str, name: &str, program: &OsString, error: &std::io::Error) -> BuildError {
    let failed = BuildError::new(format!("{what}: `{}` cannot be started", program.display())).because(error);
    if error.kind() == std::io::ErrorKind::NotFound {
        let variable = name.to_uppercase();
        return failed
            .hint("install Rust from https://rustup.rs")
            .hint(format!("if {name} is not in `PATH`, set `{variable}` to its path"));
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;

    #[test]
    fn the_hosts_own_target_is_kept_where_the_processor_fits() {
        let on = |host: &str| triple(host, Architecture::X86_64.into()).unwrap();
        assert_eq!(on("x86_64-unknown-linux-gnu"), "x86_64-unknown-linux-gnu");
        assert_eq!(on("x86_64-unknown-linux-musl"), "x86_64-unknown-linux-musl");
        assert_eq!(on("aarch64-unknown-linux-gnu"), "x86_64-unknown-linux-gnu");
        assert_eq!(on("x86_64-linux-android"), "x86_64-unknown-linux-gnu");
        let arm = triple("x86_64-unknown-linux-musl", Architecture::Arm64.into()).unwrap();
        assert_eq!(arm, "aarch64-unknown-linux-gnu");
    }

    #[test]
    fn other_systems_get_a_hint_what_to_do() {
        let error = triple("x86_64-unknown-freebsd", Architecture::X86_64.into()).unwrap_err();
        assert!(error.message.contains("`x86_64-unknown-freebsd`"), "{error:?}");
        assert!(error.hints[0].contains("--package"), "{error:?}");
    }

    #[test]
    fn what_an_outer_cargo_set_is_not_handed_on() {
        let environment = ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "RUSTUP_TOOLCHAIN", "CARGO_HOME", "OUT_DIR"];
        let environment = environment.map(|name| (name.to_string(), "x".to_string())).into();
        let toolchain = Toolchain::find(Path::new("/"), &Configuration::default(), &environment, None);
        assert_eq!(toolchain.removed, ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "OUT_DIR"]);
    }

    #[test]
    fn cargo_gets_the_manifests_compiler_and_not_the_environments() {
        let told = |environment: Environment, wanted: Option<&str>| {
            Toolchain::find(Path::new("/"), &Configuration::default(), &environment, wanted.map(Path::new)).told
        };
        let rustc = || Environment::from([("RUSTC".into(), "/usr/bin/rustc".into())]);
        assert!(told(Environment::new(), Some("/opt/rustc")));
        assert!(!told(rustc(), Some("/opt/rustc")));
        assert!(!told(Environment::new(), None));
    }

    #[tokio::test]
    async fn a_missing_cargo_is_named_with_a_way_to_get_it() {
        let environment = Environment::from([("CARGO".into(), "/nowhere/cargo".into())]);
        let toolchain = Toolchain::find(Path::new("/"), &Configuration::default(), &environment, None);
        let error = toolchain.metadata(Path::new("/")).await.unwrap_err();
        assert_eq!(error.message, "cannot read the crate `/`: `/nowhere/cargo` cannot be started");
        assert_eq!(error.hints[0], "install Rust from https://rustup.rs");
    }

    #[tokio::test]
    async fn a_toolchain_that_rustup_does_not_have_is_named_with_its_help_and_without_a_backtrace() {
        let rustup = "exec >&2; echo \"error: toolchain '1.96' is not installed\"; \
                      echo 'help: run `rustup toolchain install` to install it'; \
                      [ \"$RUST_LIB_BACKTRACE${RUST_BACKTRACE:-0}\" = 0 ] || echo 'Stack backtrace:'; exit 1";
        for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
            let mut command = Command::new("sh");
            command.args(["-c", rustup]).env(variable, "1");
            let error = answer(command, "cannot read the crate `chat`", "cargo", &"cargo".into()).await.unwrap_err();
            assert_eq!(error.caused_by, ["toolchain '1.96' is not installed"]);
            assert_eq!(error.hints, ["run `rustup toolchain install` to install it"]);
        }
    }

    #[test]
    fn an_empty_directory_holds_no_standard_library() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!has_std(dir.path()));
        assert!(!has_std(&dir.path().join("nowhere")));
        std::fs::write(dir.path().join("libstd-0123.rlib"), "").unwrap();
        assert!(has_std(dir.path()));
    }
}
