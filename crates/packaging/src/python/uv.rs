//! Installs packages of Python with uv, which resolves them to a `pylock.toml` and installs exactly that.
//!
//! uv supports `[tool.uv.sources]`, workspaces and indexes pinned for a package. Its resolution has the exact file of each
//! package, so nothing is looked up in an index by its name a second time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::process::Command;

use super::closure::{self, Closure};
use super::dependency::Dependency;
use super::foreign_sources;
use super::indexes::{self, Indexes};
use super::list::{Content, List};
use super::messages::{self, Refused};
use super::pylock::Pylock;
use super::requirement::Requirement;
use super::settings::{self, Settings};
use super::sources::{self, Source};
use super::{surroundings, uv_project};
use crate::address;
use crate::error::BuildError;
use crate::interpreter::{Interpreter, minor};
use crate::machine::OperatingSystem;
use crate::runtime::Platform;
use crate::tool::{self, Tell};

/// Variables that add indexes, removed to query a single index.
const INDEXES: [&str; 6] =
    ["UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX"];

/// Installs a list into `place`. Returns the packages that were built on this machine.
///
/// # Errors
/// When uv fails, or uses another source than the declared one.
pub(super) async fn install(
    uv: &Path,
    list: &List,
    machine: &Settings,
    platform: &Platform,
    place: &Path,
    tell: Tell<'_>,
) -> Result<BTreeSet<String>, BuildError> {
    let scratch = tool::scratch()?;
    let passed = settings::lost(&machine.pip, &[&machine.uv, &list.named_indexes()]);
    let python = Interpreter::nearest(minor(platform.runtime.version()).unwrap_or_default());
    let sources = Mutex::default();
    let run = Run { uv, list, machine, passed, platform, scratch: scratch.path(), python, sources };
    let mut pylock = match &list.content {
        Content::Resolved(pylock) => pylock.clone(),
        Content::Requirements(..) => run.requirements().await?,
        Content::Project(project, root) if closure::is_of_hatch(project) => {
            let packages: Vec<Dependency> =
                Closure::of_project(project, root.as_deref())?.packages.into_values().collect();
            run.compile_packages(&packages, &[]).await?
        }
        Content::Project(..) => run.compile(&list.file, &[]).await?,
        Content::Packages(packages) => run.packages(packages).await?,
    };
    if let Content::Project(..) = &list.content {
        let (pinned, names) = (run.pinned_to_indexes(), pylock.names_of_indexes());
        let names = names.iter().filter(|name| !pinned.contains(*name)).map(|name| (&**name, &*list.file));
        foreign_sources::refuse_from_default(names, &list.elsewhere, None)?;
    }
    if !matches!(list.content, Content::Resolved(_)) {
        pylock.prefer_links(&run.links(), &run.pinned_to_indexes(), &list.file)?;
        run.refuse_in_several_indexes(&pylock).await?;
    }
    foreign_sources::refuse_lost_sources(&pylock.directories(), &pylock.names_of_indexes(), &list.file)?;
    surroundings::refuse_lost_members(&pylock.directories(), &pylock.names_of_indexes())?;
    let file = scratch.path().join("pylock.toml");
    tool::write(&file, &pylock.text())?;
    run.install(&pylock, &file, place, tell).await
}

/// uv's name of a platform.
fn python_platform(platform: &Platform) -> String {
    let (cpu, glibc) = (platform.architecture.cpu(), platform.runtime.glibc());
    match platform.system {
        OperatingSystem::Macos => format!("{cpu}-apple-darwin"),
        // Below 2.28, platform tags use the name of the standard.
        OperatingSystem::Linux if glibc < (2, 28) => format!("{cpu}-manylinux2014"),
        OperatingSystem::Linux => format!("{cpu}-manylinux_{}_{}", glibc.0, glibc.1),
    }
}

struct Run<'a> {
    uv: &'a Path,
    list: &'a List,
    machine: &'a Settings,
    /// Indexes only in pip's settings, which uv does not read.
    passed: Indexes,
    platform: &'a Platform,
    /// A temporary directory.
    scratch: &'a Path,
    /// The one that builds packages.
    python: Option<Interpreter>,
    /// Packages that have no wheel for the platform, and are built from their source archives.
    sources: Mutex<BTreeSet<String>>,
}

impl Run<'_> {
    /// Installs a resolution. Directories are built again each time: uv would reuse an earlier build unless the project's
    /// `pyproject.toml` changed.
    async fn install(
        &self,
        pylock: &Pylock,
        file: &Path,
        place: &Path,
        tell: Tell<'_>,
    ) -> Result<BTreeSet<String>, BuildError> {
        let (list, built) = (self.list, pylock.built());
        let mut first = None;
        loop {
            let names: BTreeSet<String> = built.iter().cloned().chain(self.sources()).collect();
            let mut command = self.command("install", &names);
            command.args(["--no-deps", "--link-mode", "copy", "--target"]).arg(place).arg("-r").arg(file);
            // uv knew the passwords of the list's indexes from the list, which it does not get again.
            let passwords = list.indexes_with_password();
            if !passwords.is_empty() {
                let known = std::env::var("UV_INDEX").into_iter();
                command.env("UV_INDEX", known.chain(passwords).collect::<Vec<_>>().join(" "));
            }
            built.iter().for_each(|name| _ = command.args(["--refresh-package", name]));
            match tool::run("uv", command, &messages::filter(tell)).await {
                Ok(()) => return Ok(names),
                Err(said) if self.builds(&said) => first = Some(said),
                Err(said) => return Err(self.not_installed(said, first)),
            }
        }
    }

    fn sources(&self) -> BTreeSet<String> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether uv failed for want of a wheel, and may succeed with the package's source archive.
    fn builds(&self, said: &[String]) -> bool {
        let Some(Refused::WithoutWheel(package)) = messages::refused(said, None) else { return false };
        let Some(found) = Requirement::parse(&package) else { return false };
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).insert(found.name)
    }

    /// If a package has no source archive either, the first failure says why.
    fn not_installed(&self, said: Vec<String>, first: Option<Vec<String>>) -> BuildError {
        let said = match (messages::refused(&said, None), first) {
            (None, Some(first)) => first,
            _ => said,
        };
        messages::of_old_uv(self.list.not_installed(self.platform, &said, None), &said)
    }

    /// `uv pip …` for the platform. Nothing is compiled except the packages of these names, which have no wheels.
    fn command(&self, what: &str, built: &BTreeSet<String>) -> Command {
        let mut command = Command::new(self.uv);
        let version = self.platform.runtime.version();
        command.args(["pip", what, "--no-progress", "--only-binary", ":all:", "--python-version", version]);
        command.args(["--python-platform", &python_platform(self.platform)]);
        built.iter().for_each(|name| _ = command.args(["--no-binary", name]));
        self.python.iter().for_each(|python| _ = command.arg("--python").arg(&python.program));
        command.current_dir(&self.list.directory);
        command.env("UV_PYTHON_DOWNLOADS", "never").env("UV_COMPILE_BYTECODE", "0");
        command.env("UV_PREVIEW_FEATURES", "pylock");
        // A variable would take precedence over the project's index, unless it only adds a password.
        if let Some(main) = self.list.main_index() {
            for name in ["UV_DEFAULT_INDEX", "UV_INDEX_URL"] {
                let is_other = |value: String| !address::is_same(value.rsplit('=').next().unwrap_or(&value), main);
                if std::env::var(name).is_ok_and(is_other) {
                    command.env_remove(name);
                }
            }
        }
        self.pass_on(&mut command);
        command
    }

    fn pass_on(&self, command: &mut Command) {
        let mut add = |name: &str, separator: &str, more: &[String]| {
            if !more.is_empty() {
                let known = std::env::var(name).ok().filter(|value| !value.is_empty()).into_iter();
                command.env(name, known.chain(more.iter().cloned()).collect::<Vec<_>>().join(separator));
            }
        };
        add("UV_EXTRA_INDEX_URL", " ", &self.passed.extra);
        add("UV_FIND_LINKS", ",", &self.passed.links);
        if let Some(main) = &self.passed.main {
            command.env("UV_DEFAULT_INDEX", main);
        }
        if self.passed.none {
            command.env("UV_NO_INDEX", "1");
        }
    }

    /// All `--find-links` directories.
    fn links(&self) -> Vec<PathBuf> {
        let passed = self.passed.links.iter();
        let passed = passed.map(|link| self.list.directory.join(link.strip_prefix("file://").unwrap_or(link)));
        self.list.links().into_iter().chain(passed.filter(|path| path.is_dir())).collect()
    }

    /// The indexes for all packages, if their precedence is unclear: pip's settings have no order, and
    /// uv uses the first index that has a package.
    fn mixed_indexes(&self) -> Option<Vec<String>> {
        if self.passed.extra.is_empty() {
            return self.list.mixed_indexes();
        }
        let named = self.list.named_indexes();
        let main = named.main.or(self.machine.uv.main.clone()).or(self.passed.main.clone());
        let extra = named.extra.iter().chain(&self.machine.uv.extra).chain(&self.passed.extra).cloned();
        let mut all: Vec<String> = Vec::new();
        for index in main.into_iter().chain(extra) {
            if !all.iter().any(|known| address::is_same(known, &index)) {
                all.push(index);
            }
        }
        (all.len() > 1).then_some(all)
    }

    async fn compile(&self, file: &Path, options: &[&str]) -> Result<Pylock, BuildError> {
        let mut first = None;
        loop {
            let mut command = self.command("compile", &self.sources());
            // The first index that has a name serves it.
            command.args(["--quiet", "--no-header", "--no-annotate", "--index-strategy", "first-index"]);
            command.args(["--format", "pylock.toml"]).args(options).arg(tool::absolute(file));
            match tool::output("uv", command).await {
                Ok(text) => return Pylock::parse(&text, &self.list.directory),
                Err(said) if self.builds(&said) => first = Some(said),
                Err(said) => return Err(self.not_installed(said, first)),
            }
        }
    }

    /// The packages with an index of their own, which come from no other place.
    fn pinned_to_indexes(&self) -> BTreeSet<String> {
        match &self.list.content {
            Content::Project(project, root) => {
                sources::pinned_to_indexes(&sources::declarations(project, root.as_deref()))
            }
            Content::Packages(packages) => packages
                .iter()
                .filter(|package| matches!(package.source, Source::Index { .. }))
                .map(|package| package.name.clone())
                .collect(),
            Content::Requirements(..) | Content::Resolved(_) => BTreeSet::new(),
        }
    }

    async fn requirements(&self) -> Result<Pylock, BuildError> {
        let Content::Requirements(_, listed) = &self.list.content else { unreachable!("another list") };
        let file = &self.list.file;
        let pinned = listed.packages.iter().filter(|(_, hashes)| !hashes.is_empty());
        let pinned: Vec<(&String, &Vec<String>)> = pinned.collect();
        let options: &[&str] = if pinned.is_empty() { &[] } else { &["--generate-hashes"] };
        let mut pylock = self.compile(file, options).await?;
        for (name, hashes) in pinned {
            let hashes: Vec<(String, String)> = hashes.iter().map(|hash| (String::new(), hash.clone())).collect();
            pylock.keep_hashes(name, &hashes, file)?;
        }
        let (names, only) = (pylock.names_of_indexes(), listed.only_index(&self.list.indexes));
        let unpinned = names.iter().filter(|name| listed.packages.get(*name).is_none_or(Vec::is_empty));
        foreign_sources::refuse_from_default(unpinned.map(|name| (&**name, &**file)), &self.list.elsewhere, only)?;
        Ok(pylock)
    }

    async fn compile_packages(&self, packages: &[Dependency], options: &[&str]) -> Result<Pylock, BuildError> {
        let file = self.scratch.join("pyproject.toml");
        let project = uv_project::of(packages, self.platform.runtime.version());
        tool::write(&file, &project.to_string())?;
        self.compile(&file, options).await
    }

    /// Converts a lock of another tool to a project for uv, with an index of its own for each package that has one.
    async fn packages(&self, packages: &[Dependency]) -> Result<Pylock, BuildError> {
        let mut pylock = self.compile_packages(packages, &["--no-deps"]).await?;
        for package in packages {
            let is_of_files = !matches!(package.source, Source::Directory(_) | Source::Git { .. } | Source::Workspace);
            // The lock may have several versions of the package, with different markers.
            let all = packages.iter().filter(|other| other.name == package.name).flat_map(|other| other.hashes.clone());
            let hashes: Vec<(String, String)> = all.collect();
            if is_of_files && !hashes.is_empty() {
                pylock.keep_hashes(&package.name, &hashes, &self.list.file)?;
            }
        }
        Ok(pylock)
    }

    /// If two configured indexes have the same name, it is unclear which one to use.
    async fn refuse_in_several_indexes(&self, pylock: &Pylock) -> Result<(), BuildError> {
        let Some(indexes) = self.mixed_indexes() else { return Ok(()) };
        let pinned = |name: &str| match &self.list.content {
            Content::Requirements(_, listed) => listed.packages.get(name).is_some_and(|hashes| !hashes.is_empty()),
            _ => false,
        };
        for name in pylock.names_of_indexes().iter().filter(|name| !pinned(name)) {
            let mut having = Vec::new();
            for index in &indexes {
                if self.has(index, name).await? {
                    having.push(address::without_credentials(index).into_owned());
                }
            }
            if let [first, second, ..] = &having[..] {
                let error = indexes::in_two(name, first, second, &self.list.file);
                if self.passed.extra.is_empty() {
                    return Err(error);
                }
                return Err(error.hint(
                    "uv does not read pip's extra index: set `UV_INDEX` to the private index and `UV_DEFAULT_INDEX` to the \
                     other, and unset `PIP_EXTRA_INDEX_URL`",
                ));
            }
        }
        Ok(())
    }

    /// Whether an index has a package of this name, in any format.
    async fn has(&self, index: &str, name: &str) -> Result<bool, BuildError> {
        let list = self.scratch.join("one.txt");
        tool::write(&list, &format!("{name}\n"))?;
        let mut command = self.command("compile", &BTreeSet::new());
        command.args(["--quiet", "--no-config", "--no-deps", "--default-index", index]).arg(&list);
        INDEXES.iter().for_each(|name| _ = command.env_remove(name));
        match tool::output("uv", command).await {
            Ok(_) => Ok(true),
            Err(said) => Ok(!messages::is_unknown_to_index(&said)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::Runtime;

    #[test]
    fn packages_are_those_of_the_platform_whatever_this_machine_is() {
        let lambda = |runtime: &str, architecture| Platform::on_lambda(Runtime::parse(runtime).unwrap(), architecture);
        let modern = lambda("python3.13", Architecture::Arm64);
        assert_eq!(python_platform(&modern), "aarch64-manylinux_2_34");
        assert_eq!(python_platform(&lambda("python3.11", Architecture::X86_64)), "x86_64-manylinux2014");
        let mac = Platform { system: OperatingSystem::Macos, ..modern };
        assert_eq!(python_platform(&mac), "aarch64-apple-darwin");
    }
}
