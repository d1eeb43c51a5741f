//! Installs packages of Python with pip, if uv is not installed.
//!
//! pip looks up each name in all its indexes and uses the highest version. A package with a source of its own is therefore
//! fetched or built first, from that source alone, and given to pip as a wheel. So is one that has no wheel for the platform,
//! but a source archive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::process::Command;

use super::closure::Closure;
use super::dependency::Dependency;
use super::foreign_sources::{self, ForeignSource};
use super::indexes::{self, Indexes};
use super::installed::Installed;
use super::list::{Content, List};
use super::messages;
use super::pip_log::Log;
use super::requirement::Requirement;
use super::requirements_txt;
use super::settings::{self, Settings};
use super::sources::Source;
use crate::error::BuildError;
use crate::interpreter::Interpreter;
use crate::machine::OperatingSystem;
use crate::runtime::Platform;
use crate::tool::{self, Tell};

/// pip's log, in the temporary directory.
pub(super) const LOG: &str = "pip.log";

/// Installs a list into `place`. Returns the packages that were built on this machine from source archives.
///
/// # Errors
/// When pip fails, or may have used another source than the declared one.
pub(super) async fn install(
    python: &Interpreter,
    list: &List,
    machine: &Settings,
    platform: &Platform,
    place: &Path,
    tell: Tell<'_>,
) -> Result<BTreeSet<String>, BuildError> {
    let scratch = tool::scratch()?;
    let settings = settings(&python.program).await;
    let own = own(&settings, machine);
    let passed = settings::lost(&machine.uv, &[&own, &list.named_indexes()]);
    let run = Run { python, list, platform, scratch: scratch.path(), settings, own, passed, tell };
    let (packages, elsewhere) = run.packages()?;
    let (own, default): (Vec<Dependency>, Vec<Dependency>) =
        packages.into_iter().partition(|package| package.source != Source::Default);
    let mut built = BTreeSet::new();
    let mut wheels = run.fetch(&own, &mut built).await?;
    for (at, package) in own.iter().enumerate() {
        wheels.extend(run.wheel(at, package).await?.map(|wheel| (package, wheel)));
    }
    run.install(&default, &wheels, place, &mut built).await?;
    let installed = Installed::read(place);
    run.refuse_doubtful(&installed, &built)?;
    let from_index = installed.iter().filter(|package| !package.is_direct).map(|package| (&*package.name, &*list.file));
    let only = match &list.content {
        Content::Requirements(_, listed) => listed.only_index(&list.indexes),
        _ => None,
    };
    let from_index = from_index.filter(|(name, _)| !run.is_pinned(name));
    foreign_sources::refuse_from_default(from_index, &elsewhere, only)?;
    Ok(built)
}

pub(super) struct Run<'a> {
    pub python: &'a Interpreter,
    pub list: &'a List,
    pub platform: &'a Platform,
    /// A temporary directory.
    pub scratch: &'a Path,
    /// pip's own settings, by name.
    pub settings: Vec<(String, String)>,
    /// Their indexes.
    own: Indexes,
    /// Indexes only in uv's settings, which pip does not read.
    passed: Indexes,
    pub tell: Tell<'a>,
}

impl Run<'_> {
    /// The packages to install besides the requirements file's own, and the sources of those that may not come from the
    /// default index.
    fn packages(&self) -> Result<(Vec<Dependency>, Vec<ForeignSource>), BuildError> {
        let closure = match &self.list.content {
            Content::Packages(packages) => return Ok((packages.clone(), Vec::new())),
            Content::Project(project, root) => Closure::of_project(project, root.as_deref())?,
            Content::Requirements(_, listed) => Closure::of_directories(&listed.directories)?,
            // It was resolved by uv, which installs it.
            Content::Resolved(_) => return Err(not_for_pip(&self.list.file)),
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

    pub(super) fn pip(&self, what: &str) -> Command {
        let mut command = Command::new(&self.python.program);
        command.args(["-m", "pip", what, "--quiet", "--no-input", "--disable-pip-version-check"]);
        // pip runs itself for what a build needs, without these options.
        command
            .env("PIP_PROGRESS_BAR", "off")
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .env("PIP_USER", "0")
            .env("PIP_ROOT_USER_ACTION", "ignore");
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
    pub(super) fn for_target(&self, command: &mut Command) {
        if self.platform.system == OperatingSystem::Macos {
            // That is this machine, with this Python. Which versions of macOS a wheel may be for, pip knows best.
            command.args(["--only-binary", ":all:"]);
            return;
        }
        let (glibc, cpu) = (self.platform.runtime.glibc(), self.platform.architecture.cpu());
        command.args(["--only-binary", ":all:", "--implementation", "cp"]);
        command.args(["--python-version", self.platform.runtime.version()]);
        // pip compares these names literally, without an order among versions.
        for minor in (17..=glibc.1).rev() {
            command.args(["--platform", &format!("manylinux_2_{minor}_{cpu}")]);
        }
        command.args(["--platform", &format!("manylinux2014_{cpu}"), "--platform", &format!("linux_{cpu}")]);
    }

    /// Installs everything. A package without a wheel is built, and installed from there in the next round.
    async fn install(
        &self,
        default: &[Dependency],
        wheels: &[(&Dependency, PathBuf)],
        place: &Path,
        built: &mut BTreeSet<String>,
    ) -> Result<(), BuildError> {
        let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
        loop {
            let command = self.command(default, wheels, &sources, place)?;
            let Err(said) = tool::run("pip", command, &messages::filter(self.tell)).await else { break };
            let requirement = self.without_wheel(&said)?;
            let name = Requirement::parse(&requirement).map(|found| found.name).unwrap_or_default();
            if sources.contains_key(&name) {
                return Err(self.not_installed(&said));
            }
            let wheel = self.build(&requirement, &self.hashes(default, &name), None).await?;
            sources.insert(name, wheel);
        }
        built.extend(sources.into_keys());
        Ok(())
    }

    fn command(
        &self,
        default: &[Dependency],
        wheels: &[(&Dependency, PathBuf)],
        sources: &BTreeMap<String, PathBuf>,
        place: &Path,
    ) -> Result<Command, BuildError> {
        let mut command = self.pip("install");
        self.for_target(&mut command);
        command.arg("--no-compile").arg("--log").arg(self.scratch.join(LOG)).arg("--target").arg(place);
        let indexes = &self.list.indexes;
        self.with_indexes(&mut command, indexes);
        for directory in sources.values().filter_map(|wheel| wheel.parent()) {
            command.arg("--find-links").arg(directory);
        }
        if !indexes.constraints.is_empty() {
            let constraints = self.scratch.join("constraints.txt");
            tool::write(&constraints, &indexes.constraints.join("\n"))?;
            command.arg("-c").arg(constraints);
        }
        // What was built has a digest of its own.
        let also = |name: &str| -> Result<String, BuildError> {
            let digest = sources.get(name).map(|wheel| tool::digest(wheel)).transpose()?;
            Ok(digest.map(|digest| format!(" --hash=sha256:{digest}")).unwrap_or_default())
        };
        let mut lines = String::new();
        for package in default {
            let also = if package.hashes.is_empty() { String::new() } else { also(&package.name)? };
            lines.push_str(&format!("{}{also}\n", package.line().trim_end()));
        }
        let is_hashed = lines.contains(" --hash=") || self.is_hashed();
        for (package, wheel) in wheels {
            let digest = if is_hashed { format!(" --hash=sha256:{}", tool::digest(wheel)?) } else { String::new() };
            let (name, extras, wheel) = (&package.name, &package.extras, wheel.display());
            lines.push_str(&format!("{name}{extras} @ file://{wheel}{}{digest}\n", package.condition()));
        }
        match &self.list.content {
            Content::Requirements(text, _) if self.is_hashed() && !sources.is_empty() => {
                let all = requirements_txt::flattened(text, &self.list.directory)?;
                for line in all {
                    let name = Requirement::parse(line.split(" --").next().unwrap_or_default()).map(|found| found.name);
                    lines.push_str(&format!("{line}{}\n", also(&name.unwrap_or_default())?));
                }
            }
            Content::Requirements(..) => _ = command.arg("-r").arg(tool::absolute(&self.list.file)),
            Content::Packages(_) => _ = command.arg("--no-deps"),
            Content::Project(..) | Content::Resolved(_) => {}
        }
        if !lines.is_empty() {
            let file = self.scratch.join("requirements.txt");
            tool::write(&file, &lines)?;
            command.arg("-r").arg(file);
        }
        Ok(command)
    }

    pub(super) fn with_indexes(&self, command: &mut Command, indexes: &Indexes) {
        indexes.main.iter().for_each(|index| _ = command.args(["--index-url", index]));
        indexes.extra.iter().for_each(|index| _ = command.args(["--extra-index-url", index]));
        indexes.links.iter().for_each(|link| _ = command.args(["--find-links", link]));
        if indexes.none {
            command.arg("--no-index");
        }
    }

    /// The digests that the list has for a package.
    fn hashes(&self, default: &[Dependency], name: &str) -> Vec<(String, String)> {
        let listed = match &self.list.content {
            Content::Requirements(_, listed) => listed.packages.get(name).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        let locked = default.iter().filter(|package| package.name == name).flat_map(|package| package.hashes.clone());
        listed.into_iter().map(|hash| (String::new(), hash)).chain(locked).collect()
    }

    pub(super) fn not_installed(&self, said: &[String]) -> BuildError {
        self.list.not_installed(self.platform, said, Some(&self.log()))
    }

    pub(super) fn log(&self) -> Log {
        read_log(&self.scratch.join(LOG))
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

    fn refuse_doubtful(&self, installed: &Installed, built: &BTreeSet<String>) -> Result<(), BuildError> {
        let log = self.log();
        let is_doubted = |name: &str| !self.is_pinned(name) && !built.contains(name);
        let packages = installed.iter().filter(|package| !package.is_direct && is_doubted(&package.name));
        packages.into_iter().try_for_each(|package| self.refuse_doubtful_one(&log, &package.name, &package.version))
    }

    pub(super) fn refuse_doubtful_one(&self, log: &Log, name: &str, version: &str) -> Result<(), BuildError> {
        // The list's index takes precedence over a single one in the machine's settings; if there are two, it is unclear
        // which one to use.
        let all = [&self.own, &self.passed];
        let names_both = all.iter().any(|it| it.main.is_some()) && all.iter().any(|it| !it.extra.is_empty());
        let main = self.list.main_index().is_some() || names_both;
        match log.doubtful(name, version, main) {
            Some((taken, other)) => Err(indexes::in_two(name, &taken, &other, &self.list.file)
                .hint("or install uv, which uses the first index that has a package, extra indexes first")),
            None => Ok(()),
        }
    }
}

pub(super) fn read_log(file: &Path) -> Log {
    Log::parse(&String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()))
}

fn not_for_pip(file: &Path) -> BuildError {
    BuildError::new(format!("cannot install `{}` with pip", file.display()))
        .hint("install uv: https://docs.astral.sh/uv/")
}

/// The same, asked once for each `machine`: the files and variables of this machine's settings. The file of an interpreter
/// itself is therefore read once.
pub(super) async fn known_settings(python: &Path, machine: &Settings) -> Vec<(String, String)> {
    type Known = BTreeMap<(PathBuf, String), Vec<(String, String)>>;
    static KNOWN: Mutex<Known> = Mutex::new(Known::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (python.to_owned(), machine.key());
    if let Some(found) = known().get(&key) {
        return found.clone();
    }
    let found = settings(python).await;
    known().insert(key, found.clone());
    found
}

/// `pip config list`, which includes variables: `global.index-url='…'`, `:env:.cert='…'`.
pub(super) async fn settings(python: &Path) -> Vec<(String, String)> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "config", "list"]);
    let text = tool::output("pip", command).await.unwrap_or_default();
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
