//! Compiles a crate's binary for Lambda: what is found out first, and the cargo command that follows from it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::process::Command;
use toml::Table;

use super::choice::{Choice, choose};
use super::configuration::{Configuration, Environment, cargo_home, environment};
use super::error::BuildError;
use super::preference::Preference;
use super::remap::Handover;
use super::route::{Linking, Route};
use super::target_dir::Held;
use super::toolchain::{Target, Toolchain, Version, triple};
use super::{cargo, findings, profile, remap, route, target_dir};
use crate::Architecture;

/// What is to be built, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The directory of the package's `Cargo.toml`.
    pub crate_dir: PathBuf,
    /// The binary; `None` takes the only one, the one named `bootstrap`, or the package's `default-run`.
    pub bin: Option<String>,
    pub architecture: Architecture,
    /// In which the workspace gets a directory of its own; `None` is `lamstream` in the crate's own target directory, so
    /// that neither waits for nor invalidates the user's own builds.
    pub target_dir: Option<PathBuf>,
    /// What the user wants instead of what would be chosen.
    pub preference: Preference,
}

/// A build that is decided and not yet run.
pub struct Prepared {
    pub route: Route,
    command: Command,
    choice: Choice,
    build_dir: PathBuf,
}

/// What is told while cargo builds.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Gets what cargo writes to stderr, line by line; without it cargo has the terminal, with its own progress bar.
    pub piped: Option<&'a (dyn Fn(&str) + Sync)>,
    /// Called when another lamstream builds in the same directory, and has to end first: with that directory, and with
    /// `None` as soon as it is this one's turn.
    pub waits: &'a (dyn Fn(Option<&Path>) + Sync),
}

/// Finds out what there is to build, and what can build it here. Builds nothing.
///
/// # Errors
/// When there is no such crate or no clear binary, and when cargo, the compiler, the target's standard library or a
/// linker is missing: the hints say how to get it. All that can be found out at once is.
pub async fn prepare(order: &Order) -> Result<Prepared, Vec<BuildError>> {
    let one = |error| vec![error];
    let crate_dir = real_dir(&order.crate_dir).map_err(one)?;
    let environment = environment();
    let cargo_home = cargo_home(&environment, &crate_dir);
    let configuration = Configuration::read(&crate_dir, &cargo_home).map_err(one)?;
    let toolchain = Toolchain::find(&crate_dir, &configuration, &environment, order.preference.rustc.as_deref());
    let users = (&configuration, &environment, cargo_home.as_path());
    let (choice, route) = tokio::join!(
        async { choose(&toolchain.metadata().await?, &crate_dir, order.bin.as_deref()) },
        route(&toolchain, order, users)
    );
    let (choice, route) = match (choice, route) {
        (Ok(choice), Ok(route)) => (choice, route),
        (choice, route) => return Err([choice.err(), route.err()].into_iter().flatten().collect()),
    };
    let toolchain = route.rustc.as_ref().map_or(toolchain.clone(), |rustc| toolchain.with_rustc(rustc));
    let (version, target) = tokio::try_join!(toolchain.version(), toolchain.target(&route.target)).map_err(one)?;
    let manifest = root_manifest(&choice.workspace_root).map_err(one)?;
    let site = Site::new(choice, order, &crate_dir, cargo_home.clone(), &target, &version, toolchain.told);
    let profile = profile::arguments(&manifest, &configuration, &environment);
    let flags = remap::handover(site.remaps(), &configuration, &environment, &target.triple, &target.cfgs);
    let is_told = |name: &str| environment.contains_key(name) || configuration.values(&["env", name]).next().is_some();
    let mut command = command(toolchain.cargo(), &site, &route.linking, profile, flags);
    command.envs(route.linking.variables(&route.target, is_told));
    Ok(Prepared { route, command, choice: site.choice, build_dir: site.build_dir })
}

impl Prepared {
    /// Builds the crate's binary and returns its bytes, which are from this build whoever else builds at the same time.
    /// Dropping the future kills cargo, or ends the wait.
    ///
    /// # Errors
    /// When the build fails: cargo has then said why on stderr.
    pub async fn compile(self, progress: Progress<'_>) -> Result<Vec<u8>, BuildError> {
        let Prepared { mut command, choice, build_dir, .. } = self;
        let waited = AtomicBool::new(false);
        let waits = || {
            waited.store(true, Ordering::Relaxed);
            (progress.waits)(Some(&build_dir));
        };
        // Until the bytes are read.
        let held = Held::take(&build_dir, &waits).await?;
        if waited.load(Ordering::Relaxed) {
            (progress.waits)(None);
        }
        command.args(held.arguments(choice.splits));
        let executable = cargo::build(command, &choice, progress.piped).await?;
        tokio::fs::read(&executable).await.map_err(|error| {
            BuildError::new(format!("cannot read the binary that cargo built, `{}`", executable.display()))
                .because(error)
        })
    }
}

/// Both in one. `piped` as in [`Progress`].
///
/// # Errors
/// The first of [`prepare`], and that of [`Prepared::compile`].
pub async fn compile(order: &Order, piped: Option<&(dyn Fn(&str) + Sync)>) -> Result<Vec<u8>, BuildError> {
    let prepared = prepare(order).await.map_err(|errors| {
        errors.into_iter().next().unwrap_or_else(|| BuildError::new("cannot build for a reason that is not known"))
    })?;
    prepared.compile(Progress { piped, waits: &|_| {} }).await
}

async fn route(
    toolchain: &Toolchain,
    order: &Order,
    users: (&Configuration, &Environment, &Path),
) -> Result<Route, BuildError> {
    refuse_missing_compiler(toolchain)?;
    let host = toolchain.version().await?.host;
    let target = match &order.preference.target {
        Some(target) => target.clone(),
        None => triple(&host, order.architecture)?,
    };
    let found = findings::find(toolchain, &host, &target, &order.preference, users).await?;
    route::choose(&target, &order.preference, &found)
}

/// The places that one build touches.
struct Site {
    choice: Choice,
    crate_dir: PathBuf,
    build_dir: PathBuf,
    cargo_home: PathBuf,
    triple: String,
    /// The standard library's sources, where they are installed, and the name that it gives them when they are not.
    std_sources: (PathBuf, String),
}

impl Site {
    fn new(
        choice: Choice,
        order: &Order,
        crate_dir: &Path,
        cargo_home: PathBuf,
        target: &Target,
        version: &Version,
        another_compiler: bool,
    ) -> Site {
        let linker = order.preference.linker.as_ref();
        let mut build_dir = target_dir::of_workspace(&target_dir(order, &choice), &choice.workspace_root, linker);
        if another_compiler {
            // What two compilers make does not go together, and each would have cargo forget what it knows of the other.
            build_dir.push(format!("rustc-{}", version.release));
        }
        let std_name = format!("/rustc/{}", version.commit.as_deref().unwrap_or("unknown"));
        Site {
            choice,
            crate_dir: crate_dir.to_path_buf(),
            build_dir,
            cargo_home,
            triple: target.triple.clone(),
            std_sources: (target.sysroot.join("lib/rustlib/src/rust"), std_name),
        }
    }

    /// Flags under which another checkout, user or target directory makes no difference to the binary.
    fn remaps(&self) -> Vec<String> {
        let (std_sources, std_name) = &self.std_sources;
        remap::flags(&[
            (&self.choice.workspace_root, "/workspace".into()),
            (&self.cargo_home, "/cargo".into()),
            (&self.build_dir, "/target".into()),
            (std_sources, std_name.clone()),
        ])
    }
}

fn target_dir(order: &Order, choice: &Choice) -> PathBuf {
    match &order.target_dir {
        // Cargo runs in the crate's directory, but the caller's path is relative to the caller's.
        Some(dir) => std::path::absolute(dir).unwrap_or_else(|_| dir.clone()),
        None => choice.target_dir.join("lamstream"),
    }
}

fn command(mut cargo: Command, site: &Site, linking: &Linking, profile: Vec<String>, flags: Handover) -> Command {
    let (build, target) = match linking {
        Linking::Left | Linking::With { .. } => ("build", site.triple.clone()),
        Linking::Zig if route::is_musl(&site.triple) => ("zigbuild", site.triple.clone()),
        Linking::Zig => ("zigbuild", format!("{}.2.34", site.triple)),
    };
    cargo.args([build, "--message-format=json-render-diagnostics"]);
    cargo.arg("--manifest-path").arg(site.crate_dir.join("Cargo.toml"));
    cargo.args(["--package", &site.choice.package_id, "--bin", &site.choice.bin, "--target", &target]);
    cargo.args(profile);
    match flags {
        Handover::Arguments(arguments) => cargo.args(arguments),
        Handover::Encoded(flags) => cargo.env("CARGO_ENCODED_RUSTFLAGS", flags),
    };
    cargo
}

/// The directory without links, as cargo will name it, if a crate can be there.
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

/// The manifest's compiler is a path.
fn refuse_missing_compiler(toolchain: &Toolchain) -> Result<(), BuildError> {
    if !toolchain.told || Path::new(toolchain.rustc()).is_file() {
        return Ok(());
    }
    let rustc = toolchain.rustc().display();
    Err(BuildError::new(format!("cannot build with `{rustc}`: there is no such file")).at(&["build.rustc"]))
}

fn root_manifest(workspace_root: &Path) -> Result<Table, BuildError> {
    let path = workspace_root.join("Cargo.toml");
    let failed = || BuildError::new(format!("cannot read `{}`", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| failed().because(error))?;
    text.parse().map_err(|error: toml::de::Error| failed().because(error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            choice: Choice {
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
            site().remaps(),
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
            let command = command(Command::new("cargo"), &site(), &linking, vec!["--release".into()], flags.clone());
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
        let mut order = Order {
            crate_dir: "chat".into(),
            bin: None,
            architecture: Architecture::Arm64,
            target_dir: None,
            preference: Preference::default(),
        };
        assert_eq!(target_dir(&order, &site().choice), Path::new("/w/target/lamstream"));
        order.target_dir = Some("there".into());
        assert_eq!(target_dir(&order, &site().choice), std::env::current_dir().unwrap().join("there"));
    }
}
