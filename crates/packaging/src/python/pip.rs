//! Installs packages of Python with pip, if uv is not installed.
//!
//! pip looks up each name in all its indexes and uses the highest version. A package with a source of its own is therefore
//! fetched or built first, from that source alone, and given to pip as a wheel.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::closure::Closure;
use super::dependency::{self, Dependency};
use super::foreign_sources::{self, ForeignSource};
use super::indexes::{self, Indexes};
use super::installed::Installed;
use super::list::{Content, List};
use super::pip_log::Log;
use super::settings::{self, Settings};
use super::sources::Source;
use super::uv_lock;
use super::wheel::{self, of_file};
use crate::error::BuildError;
use crate::runtime::Platform;
use crate::tool::{self, Tell};

/// pip's settings about how to reach an index, as opposed to which.
const REACHING: [&str; 8] =
    ["cert", "client-cert", "proxy", "trusted-host", "timeout", "default-timeout", "retries", "keyring-provider"];

/// Installs a list into `place`.
///
/// # Errors
/// When pip fails, or may have used another source than the declared one.
pub async fn install(
    python: &Path,
    list: &List,
    machine: &Settings,
    platform: &Platform,
    place: &Path,
    tell: Tell<'_>,
) -> Result<(), BuildError> {
    let scratch = tool::scratch()?;
    let settings = settings(python).await;
    let own = own(&settings, machine);
    let passed = settings::lost(&machine.uv, &[&own, &list.named_indexes()]);
    let run = Run { python, list, platform, scratch: scratch.path(), settings, own, passed, tell };
    let (packages, elsewhere) = run.packages()?;
    let (own, default): (Vec<Dependency>, Vec<Dependency>) =
        packages.into_iter().partition(|package| package.source != Source::Default);
    let mut wheels = run.fetch(&own).await?;
    for (at, package) in own.iter().enumerate() {
        wheels.extend(run.wheel(at, package).await?.map(|wheel| (package, wheel)));
    }
    run.install(&default, &wheels, place).await?;
    let installed = Installed::read(place);
    run.refuse_doubtful(&installed)?;
    let from_index = installed.iter().filter(|package| !package.is_direct).map(|package| (&*package.name, &*list.file));
    let only = match &list.content {
        Content::Requirements(_, listed) => listed.only_index(&list.indexes),
        _ => None,
    };
    let from_index = from_index.filter(|(name, _)| !run.is_pinned(name));
    foreign_sources::refuse_from_default(from_index, &elsewhere, only)
}

struct Run<'a> {
    python: &'a Path,
    list: &'a List,
    platform: &'a Platform,
    /// A temporary directory.
    scratch: &'a Path,
    /// pip's own settings, by name.
    settings: Vec<(String, String)>,
    /// Their indexes.
    own: Indexes,
    /// Indexes only in uv's settings, which pip does not read.
    passed: Indexes,
    tell: Tell<'a>,
}

impl Run<'_> {
    /// The packages to install besides the requirements file's own, and the sources of those that may not come from the
    /// default index.
    fn packages(&self) -> Result<(Vec<Dependency>, Vec<ForeignSource>), BuildError> {
        let closure = match &self.list.content {
            Content::Packages(packages) => return Ok((packages.clone(), Vec::new())),
            Content::Project(project, root) => Closure::of_project(project, root.as_deref())?,
            Content::Requirements(_, listed) => Closure::of_directories(&listed.directories)?,
            Content::Resolved(_) => return Err(uv_lock::missing(&self.list.file)),
        };
        if let Some((place, names)) = &self.list.indexes.overrides {
            let file = self.list.file.display();
            return Err(BuildError::new(format!("cannot install the dependencies in `{file}` with pip"))
                .because(format!("`{place}`: pip does not support `override-dependencies`, which lists {names}"))
                .hint("install uv, which does: https://docs.astral.sh/uv/"));
        }
        let elsewhere = self.list.elsewhere.iter().cloned().chain(closure.elsewhere).collect();
        Ok((closure.packages.into_values().collect(), elsewhere))
    }

    fn pip(&self, what: &str) -> Command {
        let mut command = Command::new(self.python);
        command.args(["-m", "pip", what, "--quiet", "--no-input", "--disable-pip-version-check"]);
        command.env("PIP_REQUIRE_VIRTUALENV", "0").env("PIP_USER", "0").env("PIP_ROOT_USER_ACTION", "ignore");
        command.current_dir(&self.list.directory);
        // A variable replaces the value in a file, so it repeats that value.
        for (name, own, more) in [
            ("PIP_EXTRA_INDEX_URL", &self.own.extra, &self.passed.extra),
            ("PIP_FIND_LINKS", &self.own.links, &self.passed.links),
        ] {
            if !more.is_empty() {
                command.env(name, own.iter().chain(more).cloned().collect::<Vec<_>>().join(" "));
            }
        }
        self.passed.main.iter().for_each(|main| _ = command.env("PIP_INDEX_URL", main));
        if self.passed.none {
            command.env("PIP_NO_INDEX", "1");
        }
        command
    }

    /// Only wheels: a build for this machine would not run on the target.
    fn for_target(&self, command: &mut Command) {
        let (glibc, cpu) = (self.platform.runtime.glibc(), self.platform.architecture.cpu());
        command.args(["--only-binary", ":all:", "--implementation", "cp"]);
        command.args(["--python-version", self.platform.runtime.version()]);
        // pip compares these names literally, without an order among versions.
        for minor in (17..=glibc.1).rev() {
            command.args(["--platform", &format!("manylinux_2_{minor}_{cpu}")]);
        }
        command.args(["--platform", &format!("manylinux2014_{cpu}"), "--platform", &format!("linux_{cpu}")]);
    }

    /// Uses only the given index, ignoring those of pip's settings.
    fn alone(&self, command: &mut Command, index: &str) {
        for name in ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"] {
            command.env_remove(name);
        }
        command.env("PIP_CONFIG_FILE", "/dev/null");
        for (name, value) in self.settings.iter().filter(|(name, _)| REACHING.contains(&&**name)) {
            command.env(format!("PIP_{}", name.to_uppercase().replace('-', "_")), value);
        }
        command.args(["--index-url", index]);
    }

    /// Downloads the packages with an index of their own, in one run per index; those without hashes in another run, because
    /// pip requires hashes for all packages or for none.
    async fn fetch<'p>(&self, packages: &'p [Dependency]) -> Result<Vec<(&'p Dependency, PathBuf)>, BuildError> {
        let of = |package: &Dependency| match &package.source {
            Source::Index { address: Some(address), .. } => Some((address.clone(), package.hashes.is_empty())),
            _ => None,
        };
        let mut groups: Vec<(String, bool)> = packages.iter().filter_map(of).collect();
        groups.sort();
        groups.dedup();
        let mut wheels = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let own: Vec<&Dependency> = packages.iter().filter(|package| of(package).as_ref() == Some(group)).collect();
            let (file, place) =
                (self.scratch.join(format!("index-{at}.txt")), self.scratch.join(format!("index-{at}")));
            tool::write(&file, &own.iter().map(|package| package.line()).collect::<String>())?;
            let mut command = self.pip("download");
            self.for_target(&mut command);
            self.alone(&mut command, &group.0);
            command.arg("--no-deps").arg("--dest").arg(&place).arg("-r").arg(&file);
            self.run(command).await?;
            for path in files(&place) {
                let found = of_file(&path.file_name().unwrap_or_default().to_string_lossy());
                let meant = own.iter().find(|package| found.as_ref().is_some_and(|(name, _)| *name == package.name));
                wheels.extend(meant.map(|package| (*package, path.clone())));
            }
        }
        Ok(wheels)
    }

    /// The wheel of a package with a path or URL; `None` if its marker does not match.
    async fn wheel(&self, at: usize, package: &Dependency) -> Result<Option<PathBuf>, BuildError> {
        let at_path = |path: &Path| format!("file://{}", tool::absolute(path).display());
        let (place, is_wheel) = match &package.source {
            Source::Default | Source::Workspace | Source::Index { .. } => return Ok(None),
            Source::Directory(path) => (at_path(path), false),
            Source::File(path) => (at_path(path), path.extension().is_some_and(|end| end == "whl")),
            Source::Git { address, revision, subdirectory } => {
                (dependency::git(address, revision.as_deref(), subdirectory.as_deref()), false)
            }
            Source::Archive { address, subdirectory } => {
                let inner = subdirectory.as_ref().map(|path| format!("#subdirectory={path}")).unwrap_or_default();
                (format!("{address}{inner}"), address.split(['#', '?']).next().is_some_and(|it| it.ends_with(".whl")))
            }
        };
        let (file, wheels) = (self.scratch.join(format!("own-{at}.txt")), self.scratch.join(format!("own-{at}")));
        let hashes: String = package.hashes.iter().map(|(_, hash)| format!(" --hash={hash}")).collect();
        // pip does not support hashes for directories and repositories.
        let is_file = matches!(package.source, Source::File(_) | Source::Archive { .. });
        let hashes = if is_file { hashes } else { String::new() };
        // Before version 24, pip does not accept a URL without a host after `name @`.
        let what = match place.strip_prefix("git+file:") {
            Some(_) if place.contains('#') => format!("{place}&egg={}", package.name),
            Some(_) => format!("{place}#egg={}", package.name),
            None => format!("{} @ {place}", package.name),
        };
        tool::write(&file, &format!("{what}{}{hashes}\n", package.condition()))?;
        let mut command = self.pip(if is_wheel { "download" } else { "wheel" });
        if is_wheel {
            self.for_target(&mut command);
            command.arg("--dest").arg(&wheels);
        } else {
            command.arg("--ignore-requires-python").arg("--wheel-dir").arg(&wheels);
        }
        command.arg("--no-deps").arg("-r").arg(&file);
        self.run(command).await?;
        let wheel = files(&wheels).into_iter().next();
        if let Some(wheel) = wheel.as_ref().filter(|_| !is_wheel) {
            wheel::refuse_compiled(&package.name, wheel, self.platform, &package.source.shown())?;
        }
        Ok(wheel)
    }

    async fn install(
        &self,
        default: &[Dependency],
        wheels: &[(&Dependency, PathBuf)],
        place: &Path,
    ) -> Result<(), BuildError> {
        let mut command = self.pip("install");
        self.for_target(&mut command);
        command.arg("--no-compile").arg("--log").arg(self.log()).arg("--target").arg(place);
        let indexes = &self.list.indexes;
        indexes.main.iter().for_each(|index| _ = command.args(["--index-url", index]));
        indexes.extra.iter().for_each(|index| _ = command.args(["--extra-index-url", index]));
        indexes.links.iter().for_each(|link| _ = command.args(["--find-links", link]));
        if indexes.none {
            command.arg("--no-index");
        }
        if !indexes.constraints.is_empty() {
            let constraints = self.scratch.join("constraints.txt");
            tool::write(&constraints, &indexes.constraints.join("\n"))?;
            command.arg("-c").arg(constraints);
        }
        let mut lines: String = default.iter().map(Dependency::line).collect();
        let is_hashed = lines.contains(" --hash=") || self.is_hashed();
        for (package, wheel) in wheels {
            let digest = if is_hashed { format!(" --hash=sha256:{}", tool::digest(wheel)?) } else { String::new() };
            let (name, extras, wheel) = (&package.name, &package.extras, wheel.display());
            lines.push_str(&format!("{name}{extras} @ file://{wheel}{}{digest}\n", package.condition()));
        }
        if let Content::Requirements(..) = self.list.content {
            command.arg("-r").arg(tool::absolute(&self.list.file));
        }
        if let Content::Packages(_) = self.list.content {
            command.arg("--no-deps");
        }
        if !lines.is_empty() {
            let file = self.scratch.join("requirements.txt");
            tool::write(&file, &lines)?;
            command.arg("-r").arg(file);
        }
        self.run(command).await
    }

    async fn run(&self, command: Command) -> Result<(), BuildError> {
        tool::run(command, self.tell).await.map_err(|said| self.list.not_installed(self.platform, &said))
    }

    fn log(&self) -> PathBuf {
        self.scratch.join("pip.log")
    }

    fn is_hashed(&self) -> bool {
        match &self.list.content {
            Content::Requirements(_, listed) => listed.packages.values().any(|hashes| !hashes.is_empty()),
            _ => false,
        }
    }

    /// Whether the list has hashes for a package, so that no other can have been installed.
    fn is_pinned(&self, name: &str) -> bool {
        match &self.list.content {
            Content::Requirements(_, listed) => listed.packages.get(name).is_some_and(|hashes| !hashes.is_empty()),
            Content::Packages(packages) => {
                packages.iter().any(|package| package.name == name && !package.hashes.is_empty())
            }
            _ => false,
        }
    }

    fn refuse_doubtful(&self, installed: &Installed) -> Result<(), BuildError> {
        let log = Log::parse(&String::from_utf8_lossy(&std::fs::read(self.log()).unwrap_or_default()));
        // The list's index takes precedence over a single one in the machine's settings; if there are two, it is unclear
        // which one to use.
        let all = [&self.own, &self.passed];
        let names_both = all.iter().any(|it| it.main.is_some()) && all.iter().any(|it| !it.extra.is_empty());
        let main = self.list.main_index().is_some() || names_both;
        for package in installed.iter().filter(|package| !package.is_direct && !self.is_pinned(&package.name)) {
            if let Some((taken, other)) = log.doubtful(&package.name, &package.version, main) {
                return Err(indexes::in_two(&package.name, &taken, &other, &self.list.file)
                    .hint("or install uv, which uses the first index that has a package, extra indexes first"));
            }
        }
        Ok(())
    }
}

/// `pip config list`, which includes variables: `global.index-url='…'`, `:env:.cert='…'`.
pub async fn settings(python: &Path) -> Vec<(String, String)> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "config", "list"]);
    let text = tool::output(command).await.unwrap_or_default();
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
        Some((name.to_owned(), value.trim().trim_matches(['\'', '"']).to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

/// The indexes in pip's settings, including those of the interpreter, which only pip itself finds.
fn own(settings: &[(String, String)], machine: &Settings) -> Indexes {
    let mut own = machine.pip.clone();
    let all = |wanted: &'static str| settings.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value);
    let words = |value: &String| value.replace("\\n", " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    own.main = own.main.or_else(|| all("index-url").next().cloned());
    for (name, known) in [("extra-index-url", &mut own.extra), ("find-links", &mut own.links)] {
        let more: Vec<String> = all(name).flat_map(words).filter(|address| !known.contains(address)).collect();
        // Values from the known files and variables take precedence.
        if known.is_empty() {
            known.extend(more);
        }
    }
    own
}

fn files(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
