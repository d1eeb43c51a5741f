//! Compiles a crate's binary for Lambda: checks first what can build it, then runs cargo.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::process::Command;

use super::binary::{Binary, choose};
use super::findings::is_musl;
use super::lock::Lock;
use super::preference::{Order, Preference, Profile};
use super::target_dir::Held;
use super::toolchain::{Target, Toolchain, Version};
use super::toolset::{self, Linking, Toolset};
use super::users::Users;
use super::{baseline, detect, flags, identity, profile, programs, remap, run, target, target_dir};
use crate::error::BuildError;
use crate::machine::Machine;
use crate::tool;

/// What to build, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// The directory of the package's `Cargo.toml`.
    pub crate_dir: PathBuf,
    /// The binary; `None` selects the only one, the one named `bootstrap`, or the package's `default-run`.
    pub bin: Option<String>,
    /// What runs the binary.
    pub machine: Machine,
    /// The workspace gets a directory of its own in it; `None` is `lamstream` in the crate's own target directory, so
    /// that neither waits for nor invalidates the user's own builds.
    pub target_dir: Option<PathBuf>,
    /// What the user has configured.
    pub preference: Preference,
    pub order: Order,
}

/// A build that can be run.
pub struct Prepared {
    pub toolset: Toolset,
    /// Settings of the user that are not heeded.
    pub notes: Vec<String>,
    command: Command,
    /// What gives path dependencies outside the workspace the same identity everywhere.
    identities: Option<identity::Script>,
    lock: Lock,
    is_quick: bool,
    binary: Binary,
    build_dir: PathBuf,
}

/// A binary that was built.
pub struct Built {
    /// As cargo names it.
    pub name: String,
    pub bytes: Vec<u8>,
    /// Whether it was built for this machine only.
    pub is_quick: bool,
    /// What else the build has changed.
    pub note: Option<String>,
}

/// Who hears what happens while cargo builds.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// Gets what cargo writes to stderr, line by line; without it cargo has the terminal, with its own progress bar.
    pub piped: Option<&'a (dyn Fn(&str) + Sync)>,
    /// Called with the directory when another lamstream is building in it and has to finish first, and with `None` as
    /// soon as this build starts.
    pub waits: &'a (dyn Fn(Option<&Path>) + Sync),
    /// Called once, when the first unit is compiled: until then cargo may refuse the crate as a whole, such as for its lock
    /// file or for a version that no registry has.
    pub compiles: &'a (dyn Fn() + Sync),
}

/// Checks what can be built and what can build it on this machine. Builds nothing.
///
/// # Errors
/// When the crate does not exist, its binary is ambiguous or has no source, and when the compiler is older than the crate
/// requires; when a feature or profile does not exist, or a lock file that must not be changed does not fit; when cargo, the
/// compiler, the target's standard library, a linker or a program that the user's settings name is missing: the hints say
/// how to install it. Independent problems are reported together.
pub async fn prepare(options: &BuildOptions) -> Result<Prepared, Vec<BuildError>> {
    let one = |error| vec![error];
    let users = Users::read(real_dir(&options.crate_dir).map_err(one)?).map_err(one)?;
    let wanted = options.preference.rustc.as_deref();
    let toolchain = Toolchain::find(&users.crate_dir, &users.configuration, &users.environment, wanted);
    let (chosen, tools) = tokio::join!(
        async {
            let metadata = toolchain.metadata(&users.crate_dir).await?;
            choose(&metadata, &users.crate_dir, options.bin.as_deref(), &options.order).map(|binary| (binary, metadata))
        },
        tools(&toolchain, options, &users)
    );
    let ((binary, metadata), (toolset, note)) = match (chosen, tools) {
        (Ok(chosen), Ok(tools)) => (chosen, tools),
        (chosen, tools) => return Err(different(chosen.err(), tools.err())),
    };
    let toolchain = toolset.rustc.as_ref().map_or(toolchain.clone(), |rustc| toolchain.with_rustc(rustc));
    let (version, target) = tokio::try_join!(toolchain.version(), toolchain.target(&toolset.target)).map_err(one)?;
    let manifest = tool::read_table(&binary.workspace_root.join("Cargo.toml")).map_err(one)?;
    let theirs = flags::in_force(&users.configuration, &users.environment, &target.triple, &target.cfgs);
    let settings = programs::Settings {
        configuration: &users.configuration,
        environment: &users.environment,
        crate_dir: &users.crate_dir,
        cargo_home: &users.cargo_home,
        target: &target,
        flags: &theirs,
        host: &version.host,
    };
    let lock = Lock::of(&binary.workspace_root, options.order.locked, &users.environment);
    let profile = profile::arguments(&options.order.profile, &manifest, &users.configuration, &users.environment);
    let (stale, limit, outside) = tokio::join!(
        lock.refuse_stale(&toolchain, &binary.package),
        baseline::limit(&toolchain, &target.triple, options.machine, &theirs),
        identity::outside(&toolchain, &users.crate_dir, &metadata, &manifest, &users.configuration)
    );
    let wrong = [binary.refused(&version.release), settings.missing(), stale.err().into_iter().collect()].concat();
    let (profile, limit) = match (profile, limit) {
        (Ok(profile), Ok(limit)) if wrong.is_empty() => (profile, limit),
        (profile, limit) => return Err(wrong.into_iter().chain(profile.err()).chain(limit.err()).collect()),
    };
    let paths = Paths::new(binary, options, &users, &target, &version, toolchain.told);
    let names = paths.names(&outside);
    let identities = (!outside.is_empty()).then(|| identity::script(&names, settings.wrapper_of_compiler().as_deref()));
    let limits = limit.iter().flat_map(|limit| &limit.flags).cloned();
    let flags = flags::encoded(theirs.iter().cloned().chain(limits).chain(remap::flags(&names)));
    let variables = users.variables();
    let mut command = command(toolchain.cargo(), &paths, &toolset.linking, &profile, &options.order);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    command.args(lock.is_sealed.then_some("--locked"));
    command.envs(toolset.linking.variables(&toolset.target, |name| variables.contains_key(name)));
    let (of_c, note_of_c) = baseline::limit_c(&variables, options.machine);
    command.envs(of_c);
    let notes = note.into_iter().chain(limit.map(|limit| limit.note)).chain(note_of_c).collect();
    let is_quick = options.order.profile == Profile::Quick;
    let Paths { binary, build_dir, .. } = paths;
    Ok(Prepared { toolset, notes, command, identities, lock, is_quick, binary, build_dir })
}

impl Prepared {
    /// Builds the crate's binary. A concurrent build does not affect them.
    /// Dropping the future kills cargo, or ends the wait.
    ///
    /// # Errors
    /// When the build fails: cargo has reported why on stderr.
    pub async fn compile(self, progress: Progress<'_>) -> Result<Built, BuildError> {
        let Prepared { mut command, binary, build_dir, identities, lock, is_quick, .. } = self;
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
        if let Some(script) = identities {
            command.env("RUSTC_WRAPPER", script.write(&build_dir)?);
        }
        command.args(held.arguments(binary.splits));
        let before = lock.before();
        let built = run::build(command, &binary, progress.piped, progress.compiles).await;
        let note = before.change();
        let executable = built?;
        let bytes = tokio::fs::read(&executable).await.map_err(|error| {
            BuildError::new(format!("cannot read the binary that cargo built, `{}`", executable.display()))
                .because(error)
        })?;
        Ok(Built { name: binary.bin, bytes, is_quick, note })
    }

    /// Whether cargo runs a script of the crate that may write files of its directory.
    pub fn has_script(&self) -> bool {
        self.binary.has_script
    }
}

/// Both errors, or the first one if the other has the same cause, such as a toolchain that is not installed.
fn different(first: Option<BuildError>, second: Option<BuildError>) -> Vec<BuildError> {
    let cause = |error: &BuildError| (error.caused_by.clone(), error.hints.clone());
    let is_same = match (&first, &second) {
        (Some(first), Some(second)) => !first.caused_by.is_empty() && cause(first) == cause(second),
        _ => false,
    };
    first.into_iter().chain(second.filter(|_| !is_same)).collect()
}

/// What builds for the crate's target, and a note about a target that is not heeded.
async fn tools(
    toolchain: &Toolchain,
    options: &BuildOptions,
    users: &Users,
) -> Result<(Toolset, Option<String>), BuildError> {
    refuse_missing_compiler(toolchain)?;
    let (host, preference) = (toolchain.version().await?.host, &options.preference);
    let Users { configuration, environment, cargo_home, .. } = users;
    let target::Chosen { triple, set_by, note } =
        target::choose(preference, configuration, environment, &host, options.machine)?;
    let found = detect::find(toolchain, &host, &triple, preference, (configuration, environment, cargo_home)).await?;
    let toolset = toolset::choose(&triple, preference, &found);
    let explained = |error: BuildError| match set_by {
        Some(set_by) => error.because(set_by).hint("or set another `build.target` in the manifest"),
        None => error,
    };
    Ok((toolset.map_err(explained)?, note))
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
        users: &Users,
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
            crate_dir: users.crate_dir.clone(),
            build_dir,
            cargo_home: users.cargo_home.clone(),
            triple: target.triple.clone(),
            std_sources: (target.sysroot.join("lib/rustlib/src/rust"), std_name),
        }
    }

    /// The names that directories have in the binary, so that it is independent of the checkout, the user and the target
    /// directory. `outside` are the packages outside the workspace.
    fn names<'a>(&'a self, outside: &'a [PathBuf]) -> Vec<(&'a Path, String)> {
        let (std_sources, std_name) = &self.std_sources;
        let root = &self.binary.workspace_root;
        let own: [(&Path, String); 4] = [
            (root, identity::WORKSPACE.into()),
            (&self.cargo_home, "/cargo".into()),
            (&self.build_dir, "/target".into()),
            (std_sources, std_name.clone()),
        ];
        let outside = outside.iter().filter_map(|package| Some((package.as_path(), identity::place(package, root)?)));
        own.into_iter().chain(outside).collect()
    }
}

fn target_dir(options: &BuildOptions, binary: &Binary) -> PathBuf {
    match &options.target_dir {
        // Cargo runs in the crate's directory, but the path is relative to the caller's.
        Some(dir) => tool::absolute(dir),
        None => binary.target_dir.join("lamstream"),
    }
}

fn command(mut cargo: Command, paths: &Paths, linking: &Linking, profile: &[String], order: &Order) -> Command {
    let (build, target) = match linking {
        Linking::Left | Linking::With { .. } => ("build", paths.triple.clone()),
        Linking::Zig if is_musl(&paths.triple) => ("zigbuild", paths.triple.clone()),
        Linking::Zig => ("zigbuild", format!("{}.2.34", paths.triple)),
    };
    cargo.args([build, "--message-format=json-render-diagnostics"]);
    cargo.arg("--manifest-path").arg(paths.crate_dir.join("Cargo.toml"));
    cargo.args(["--package", &paths.binary.package_id, "--bin", &paths.binary.bin, "--target", &target]);
    cargo.args(order.arguments()).args(profile);
    cargo
}

/// The canonical directory, as cargo reports it, if it contains a crate.
fn real_dir(crate_dir: &Path) -> Result<PathBuf, BuildError> {
    let what = || format!("cannot build `{}`", crate_dir.display());
    let real = crate_dir.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => BuildError::new(format!("{}: the directory does not exist", what())),
        _ => BuildError::new(what()).because(error),
    });
    let real = real.map_err(|error| error.at(&["crate"]))?;
    if real.join("Cargo.toml").is_file() {
        return Ok(real);
    }
    let error = BuildError::new(format!("{}: the directory does not contain a `Cargo.toml`", what())).at(&["crate"]);
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
    Err(BuildError::new(format!("cannot build with `{rustc}`: it does not exist")).at(&["build.rustc"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;

    #[test]
    fn the_same_cause_is_reported_once() {
        let error = |what: &str, why: &str| Some(BuildError::new(what).because(why).hint("install it"));
        let first = || error("cannot read the crate", "no toolchain");
        assert_eq!(different(first(), error("cannot find the compiler", "no toolchain")).len(), 1);
        assert_eq!(different(first(), error("cannot find the compiler", "no permission")).len(), 2);
        let without_cause = || Some(BuildError::new("it has no binary"));
        assert_eq!(different(without_cause(), without_cause()).len(), 2);
        assert_eq!(different(None, first()).len(), 1);
    }

    fn paths() -> Paths {
        Paths {
            binary: Binary {
                package: "chat".into(),
                package_id: "path+file:///w/chat#0.1.0".into(),
                bin: "bootstrap".into(),
                source: "/w/chat/src/main.rs".into(),
                rust_version: None,
                workspace_root: "/w".into(),
                target_dir: "/w/target".into(),
                splits: true,
                has_script: false,
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
        let (paths, outside) = (paths(), ["/home/me/words".into(), "/opt/words".into()]);
        let paths = Paths { binary: Binary { workspace_root: "/home/me/w".into(), ..paths.binary }, ..paths };
        assert_eq!(
            remap::flags(&paths.names(&outside)),
            [
                "--remap-path-prefix=/home/me/w=/workspace",
                "--remap-path-prefix=/home/me/.cargo=/cargo",
                "--remap-path-prefix=/w/target/lamstream=/target",
                "--remap-path-prefix=/home/me/words=/workspace/../words",
                "--remap-path-prefix=/rust/lib/rustlib/src/rust=/rustc/0123",
            ]
        );
    }

    #[test]
    fn cargo_gets_what_to_build_and_where() {
        let order = Order { features: vec!["ssr".into()], default_features: false, ..Order::default() };
        let arguments = |linking: Linking| {
            let command = command(Command::new("cargo"), &paths(), &linking, &["--release".into()], &order);
            let arguments: Vec<_> = command.as_std().get_args().map(|argument| argument.to_string_lossy()).collect();
            arguments.join(" ")
        };
        assert_eq!(
            arguments(Linking::Left),
            "build --message-format=json-render-diagnostics --manifest-path /w/chat/Cargo.toml \
             --package path+file:///w/chat#0.1.0 --bin bootstrap --target x86_64-unknown-linux-gnu \
             --no-default-features --features ssr --release"
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
            machine: Architecture::Arm64.into(),
            target_dir: None,
            preference: Preference::default(),
            order: Order::default(),
        };
        assert_eq!(target_dir(&options, &paths().binary), Path::new("/w/target/lamstream"));
        options.target_dir = Some("there".into());
        assert_eq!(target_dir(&options, &paths().binary), std::env::current_dir().unwrap().join("there"));
    }
}
