//! Compiles a crate's binary for Lambda: checks first what can build it, then runs cargo.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::process::Command;

use super::binary::{Binary, choose};
use super::configuration::{Configuration, Environment, cargo_home, environment};
use super::findings::is_musl;
use super::preference::Preference;
use super::remap::Handover;
use super::target_dir::Held;
use super::toolchain::{Target, Toolchain, Version, triple};
use super::toolset::{self, Linking, Toolset};
use super::{detect, profile, remap, run, target_dir};
use crate::architecture::Architecture;
use crate::error::BuildError;
use crate::tool;

/// What to build, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// The directory of the package's `Cargo.toml`.
    pub crate_dir: PathBuf,
    /// The binary; `None` selects the only one, the one named `bootstrap`, or the package's `default-run`.
    pub bin: Option<String>,
    pub architecture: Architecture,
    /// The workspace gets a directory of its own in it; `None` is `lamstream` in the crate's own target directory, so
    /// that neither waits for nor invalidates the user's own builds.
    pub target_dir: Option<PathBuf>,
    /// What the user has configured.
    pub preference: Preference,
}

/// A build that can be run.
pub struct Prepared {
    pub toolset: Toolset,
    command: Command,
    binary: Binary,
    build_dir: PathBuf,
}

/// Who hears what happens while cargo builds.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Gets what cargo writes to stderr, line by line; without it cargo has the terminal, with its own progress bar.
    pub piped: Option<&'a (dyn Fn(&str) + Sync)>,
    /// Called with the directory when another lamstream is building in it and has to finish first, and with `None` as
    /// soon as this build starts.
    pub waits: &'a (dyn Fn(Option<&Path>) + Sync),
}

/// Checks what can be built and what can build it on this machine. Builds nothing.
///
/// # Errors
/// When the crate does not exist or its binary is ambiguous, and when cargo, the compiler, the target's standard library
/// or a linker is missing: the hints say how to install it. Independent problems are reported together.
pub async fn prepare(options: &BuildOptions) -> Result<Prepared, Vec<BuildError>> {
    let one = |error| vec![error];
    let crate_dir = real_dir(&options.crate_dir).map_err(one)?;
    let environment = environment();
    let cargo_home = cargo_home(&environment, &crate_dir);
    let configuration = Configuration::read(&crate_dir, &cargo_home).map_err(one)?;
    let toolchain = Toolchain::find(&crate_dir, &configuration, &environment, options.preference.rustc.as_deref());
    let users = (&configuration, &environment, cargo_home.as_path());
    let (binary, toolset) = tokio::join!(
        async { choose(&toolchain.metadata().await?, &crate_dir, options.bin.as_deref()) },
        toolset(&toolchain, options, users)
    );
    let (binary, toolset) = match (binary, toolset) {
        (Ok(binary), Ok(toolset)) => (binary, toolset),
        (binary, toolset) => return Err([binary.err(), toolset.err()].into_iter().flatten().collect()),
    };
    let toolchain = toolset.rustc.as_ref().map_or(toolchain.clone(), |rustc| toolchain.with_rustc(rustc));
    let (version, target) = tokio::try_join!(toolchain.version(), toolchain.target(&toolset.target)).map_err(one)?;
    let manifest = tool::read_table(&binary.workspace_root.join("Cargo.toml")).map_err(one)?;
    let paths = Paths::new(binary, options, &crate_dir, cargo_home.clone(), &target, &version, toolchain.told);
    let profile = profile::arguments(&manifest, &configuration, &environment);
    let flags = remap::handover(paths.remaps(), &configuration, &environment, &target.triple, &target.cfgs);
    let is_told = |name: &str| environment.contains_key(name) || configuration.values(&["env", name]).next().is_some();
    let mut command = command(toolchain.cargo(), &paths, &toolset.linking, profile, flags);
    command.envs(toolset.linking.variables(&toolset.target, is_told));
    Ok(Prepared { toolset, command, binary: paths.binary, build_dir: paths.build_dir })
}

impl Prepared {
    /// Builds the crate's binary and returns its bytes. A concurrent build does not affect them.
    /// Dropping the future kills cargo, or ends the wait.
    ///
    /// # Errors
    /// When the build fails: cargo has reported why on stderr.
    pub async fn compile(self, progress: Progress<'_>) -> Result<Vec<u8>, BuildError> {
        let Prepared { mut command, binary, build_dir, .. } = self;
        let waited = AtomicBool::new(false);
        let waits = || {
            waited.store(true, Ordering::Relaxed);
            (progress.waits)(Some(&build_dir));
        };
        // Held until the bytes are read.
        let held = Held::take(&build_dir, &waits).await?;
        if waited.load(Ordering::Relaxed) {
            (progress.waits)(None);
        }
        command.args(held.arguments(binary.splits));
        let executable = run::build(command, &binary, progress.piped).await?;
        tokio::fs::read(&executable).await.map_err(|error| {
            BuildError::new(format!("cannot read the binary that cargo built, `{}`", executable.display()))
                .because(error)
        })
    }
}

async fn toolset(
    toolchain: &Toolchain,
    options: &BuildOptions,
    users: (&Configuration, &Environment, &Path),
) -> Result<Toolset, BuildError> {
    refuse_missing_compiler(toolchain)?;
    let host = toolchain.version().await?.host;
    let target = match &options.preference.target {
        Some(target) => target.clone(),
        None => triple(&host, options.architecture)?,
    };
    let found = detect::find(toolchain, &host, &target, &options.preference, users).await?;
    toolset::choose(&target, &options.preference, &found)
}

/// The directories of one build.
struct Paths {
    binary: Binary,
    crate_dir: PathBuf,
    build_dir: PathBuf,
    cargo_home: PathBuf,
    triple: String,
    /// The sources of the standard library if they are installed, and the path that it uses for them if they are not.
    std_sources: (PathBuf, String),
}

impl Paths {
    fn new(
        binary: Binary,
        options: &BuildOptions,
        crate_dir: &Path,
        cargo_home: PathBuf,
        target: &Target,
        version: &Version,
        another_compiler: bool,
    ) -> Paths {
        let linker = options.preference.linker.as_ref();
        let mut build_dir = target_dir::of_workspace(&target_dir(options, &binary), &binary.workspace_root, linker);
        if another_compiler {
            // Artifacts of two compilers do not mix, and cargo would rebuild everything at each switch.
            build_dir.push(format!("rustc-{}", version.release));
        }
        let std_name = format!("/rustc/{}", version.commit.as_deref().unwrap_or("unknown"));
        Paths {
            binary,
            crate_dir: crate_dir.to_path_buf(),
            build_dir,
            cargo_home,
            triple: target.triple.clone(),
            std_sources: (target.sysroot.join("lib/rustlib/src/rust"), std_name),
        }
    }

    /// Flags that make the binary independent of the checkout, the user and the target directory.
    fn remaps(&self) -> Vec<String> {
        let (std_sources, std_name) = &self.std_sources;
        remap::flags(&[
            (&self.binary.workspace_root, "/workspace".into()),
            (&self.cargo_home, "/cargo".into()),
            (&self.build_dir, "/target".into()),
            (std_sources, std_name.clone()),
        ])
    }
}

fn target_dir(options: &BuildOptions, binary: &Binary) -> PathBuf {
    match &options.target_dir {
        // Cargo runs in the crate's directory, but the path is relative to the caller's.
        Some(dir) => tool::absolute(dir),
        None => binary.target_dir.join("lamstream"),
    }
}

fn command(mut cargo: Command, paths: &Paths, linking: &Linking, profile: Vec<String>, flags: Handover) -> Command {
    let (build, target) = match linking {
        Linking::Left | Linking::With { .. } => ("build", paths.triple.clone()),
        Linking::Zig if is_musl(&paths.triple) => ("zigbuild", paths.triple.clone()),
        Linking::Zig => ("zigbuild", format!("{}.2.34", paths.triple)),
    };
    cargo.args([build, "--message-format=json-render-diagnostics"]);
    cargo.arg("--manifest-path").arg(paths.crate_dir.join("Cargo.toml"));
    cargo.args(["--package", &paths.binary.package_id, "--bin", &paths.binary.bin, "--target", &target]);
    cargo.args(profile);
    match flags {
        Handover::Arguments(arguments) => cargo.args(arguments),
        Handover::Encoded(flags) => cargo.env("CARGO_ENCODED_RUSTFLAGS", flags),
    };
    cargo
}

/// The canonical directory, as cargo reports it, if it contains a crate.
fn real_dir(crate_dir: &Path) -> Result<PathBuf, BuildError> {
    let what = || format!("cannot build `{}`", crate_dir.display());
    let real = crate_dir.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => BuildError::new(format!("{}: there is no such directory", what())),
        _ => BuildError::new(what()).because(error),
    });
    let real = real.map_err(|error| error.at(&["crate"]))?;
    if real.join("Cargo.toml").is_file() {
        return Ok(real);
    }
    let error = BuildError::new(format!("{}: there is no `Cargo.toml` in it", what())).at(&["crate"]);
    Err(match real.is_file() {
        true => error.hint("name the crate's directory, not a file in it"),
        false => error,
    })
}

/// The manifest names the compiler by its path.
fn refuse_missing_compiler(toolchain: &Toolchain) -> Result<(), BuildError> {
    if !toolchain.told || Path::new(toolchain.rustc()).is_file() {
        return Ok(());
    }
    let rustc = toolchain.rustc().display();
    Err(BuildError::new(format!("cannot build with `{rustc}`: there is no such file")).at(&["build.rustc"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Paths {
        Paths {
            binary: Binary {
                package: "chat".into(),
                package_id: "path+file:///w/chat#0.1.0".into(),
                bin: "bootstrap".into(),
                workspace_root: "/w".into(),
                target_dir: "/w/target".into(),
                splits: true,
            },
            crate_dir: "/w/chat".into(),
            build_dir: "/w/target/lamstream".into(),
            cargo_home: "/home/me/.cargo".into(),
            triple: "x86_64-unknown-linux-gnu".into(),
            std_sources: ("/rust/lib/rustlib/src/rust".into(), "/rustc/0123".into()),
        }
    }

    #[test]
    fn every_place_that_differs_between_checkouts_is_renamed() {
        assert_eq!(
            paths().remaps(),
            [
                "--remap-path-prefix=/w=/workspace",
                "--remap-path-prefix=/home/me/.cargo=/cargo",
                "--remap-path-prefix=/w/target/lamstream=/target",
                "--remap-path-prefix=/rust/lib/rustlib/src/rust=/rustc/0123",
            ]
        );
    }

    #[test]
    fn cargo_is_told_what_to_build_and_where() {
        let flags = Handover::Arguments(vec!["--config".into(), "build.rustflags=[]".into()]);
        let arguments = |linking: Linking| {
            let command = command(Command::new("cargo"), &paths(), &linking, vec!["--release".into()], flags.clone());
            let arguments: Vec<_> = command.as_std().get_args().map(|argument| argument.to_string_lossy()).collect();
            arguments.join(" ")
        };
        assert_eq!(
            arguments(Linking::Left),
            "build --message-format=json-render-diagnostics --manifest-path /w/chat/Cargo.toml \
             --package path+file:///w/chat#0.1.0 --bin bootstrap --target x86_64-unknown-linux-gnu --release \
             --config build.rustflags=[]"
        );
        let with_zig = arguments(Linking::Zig);
        assert!(with_zig.starts_with("zigbuild --message-format"), "{with_zig}");
        assert!(with_zig.contains(" --target x86_64-unknown-linux-gnu.2.34 "), "{with_zig}");
    }

    #[test]
    fn the_target_directory_is_ours_within_cargos_or_the_callers() {
        let mut options = BuildOptions {
            crate_dir: "chat".into(),
            bin: None,
            architecture: Architecture::Arm64,
            target_dir: None,
            preference: Preference::default(),
        };
        assert_eq!(target_dir(&options, &paths().binary), Path::new("/w/target/lamstream"));
        options.target_dir = Some("there".into());
        assert_eq!(target_dir(&options, &paths().binary), std::env::current_dir().unwrap().join("there"));
    }
}
