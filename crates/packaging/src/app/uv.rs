//! Packages of Python by uv: it resolves to a `pylock.toml`, and installs exactly that.
//!
//! uv knows `[tool.uv.sources]`, workspaces and indexes that are pinned for a package. Its resolution says of each package
//! which file it is, so that nothing is looked up in an index by its name a second time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::closure::{self, Closure};
use super::elsewhere;
use super::list::{Content, List};
use super::machine::{self, Machine};
use super::packages::Package;
use super::pylock::Pylock;
use super::sources::{self, Indexes, Source};
use super::tool::{self, Tell, failed, find};
use super::{address, python, synthetic};
use crate::Platform;
use crate::error::BuildError;

/// Which packages of a list may not come from more than one index, and where uv is asked about one.
const INDEXES: [&str; 6] =
    ["UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX"];

/// What uv has locked for a project, without what only development needs.
///
/// # Errors
/// When there is no uv, or it cannot read the lock.
pub async fn export(lock: &Path, directory: &Path) -> Result<Pylock, BuildError> {
    let message = format!("cannot read `{}`", lock.display());
    let Some(uv) = find("uv") else { return Err(missing(lock)) };
    let mut command = Command::new(uv);
    command.args(["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-editable"]);
    command.args(["--format", "pylock.toml"]).current_dir(directory);
    let text = tool::output(command).await.map_err(|said| too_old(failed(message, &said), &said))?;
    Pylock::parse(&text, directory)
}

pub fn missing(lock: &Path) -> BuildError {
    BuildError::new(format!("cannot read `{}`: only uv can, and there is none here", lock.display()))
        .hint("install it: https://docs.astral.sh/uv/, or export the list once: `uv export -o requirements.txt`")
}

fn too_old(error: BuildError, said: &[String]) -> BuildError {
    let is_unknown = said.iter().any(|line| line.contains("'pylock.toml'") || line.contains("'--format"));
    if is_unknown { error.hint("update uv to 0.7 or newer: `uv self update`") } else { error }
}

/// Installs a list into `place`.
///
/// # Errors
/// When uv fails, or takes a package from where it is not declared to come from.
pub async fn install(
    uv: &Path,
    list: &List,
    machine: &Machine,
    platform: &Platform,
    place: &Path,
    tell: Tell<'_>,
) -> Result<(), BuildError> {
    let scratch = tool::scratch()?;
    let passed = machine::lost(&machine.pip, &[&machine.uv, &list.named_indexes()]);
    let run = Run { uv, list, machine, passed, platform, scratch: scratch.path() };
    let mut pylock = match &list.content {
        Content::Resolved(pylock) => pylock.clone(),
        Content::Requirements(..) => run.requirements().await?,
        Content::Project(project, root) if closure::is_of_hatch(project) => {
            let packages: Vec<Package> =
                Closure::of_project(project, root.as_deref())?.packages.into_values().collect();
            run.compile_packages(&packages, &[]).await?
        }
        Content::Project(..) => run.compile(&list.file, &[]).await?,
        Content::Packages(packages) => run.packages(packages).await?,
    };
    if !matches!(list.content, Content::Resolved(_)) {
        pylock.prefer_links(&run.links(), &run.pinned_to_indexes(), &list.file)?;
        run.refuse_in_several_indexes(&pylock).await?;
    }
    python::refuse_lost_sources(&pylock.directories(), &pylock.names_of_indexes(), &list.file)?;
    let (file, names) = (scratch.path().join("pylock.toml"), pylock.built());
    tool::write(&file, &pylock.text())?;
    let mut command = run.command("install", &names);
    command.args(["--no-deps", "--link-mode", "copy", "--target"]).arg(place).arg("-r").arg(&file);
    // uv has learned the passwords of the list's indexes from the list, and is not given that again.
    let passwords = list.indexes_with_password();
    if !passwords.is_empty() {
        let known = std::env::var("UV_INDEX").into_iter();
        command.env("UV_INDEX", known.chain(passwords).collect::<Vec<_>>().join(" "));
    }
    // uv would take what it built before, unless the project's own file changed.
    names.iter().for_each(|name| _ = command.args(["--refresh-package", name]));
    tool::run(command, tell).await.map_err(|said| too_old(python::not_installed(list, platform, &said), &said))
}

struct Run<'a> {
    uv: &'a Path,
    list: &'a List,
    machine: &'a Machine,
    /// What only pip's settings name: uv does not read them.
    passed: Indexes,
    platform: &'a Platform,
    /// A directory that is gone afterwards.
    scratch: &'a Path,
}

impl Run<'_> {
    /// `uv pip …` for the platform. Nothing is compiled, except what has no other form: the packages of these names.
    fn command(&self, what: &str, built: &[String]) -> Command {
        let mut command = Command::new(self.uv);
        let (version, glibc) = (self.platform.runtime.version(), self.platform.runtime.glibc());
        // What is older than 2.28 goes by the name of its standard.
        let standard = if glibc < (2, 28) { "2014".to_owned() } else { format!("_{}_{}", glibc.0, glibc.1) };
        let cpu = python::cpu(self.platform.architecture);
        command.args(["pip", what, "--no-progress", "--only-binary", ":all:", "--python-version", version]);
        command.args(["--python-platform", &format!("{cpu}-manylinux{standard}")]);
        built.iter().for_each(|name| _ = command.args(["--no-binary", name]));
        command.current_dir(&self.list.directory);
        command.env("UV_PYTHON_DOWNLOADS", "never").env("UV_COMPILE_BYTECODE", "0");
        command.env("UV_PREVIEW_FEATURES", "pylock");
        // A variable of the machine would count before the index that the project names; unless it only adds a password.
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

    /// Directories with packages that count for all names.
    fn links(&self) -> Vec<PathBuf> {
        let passed = self.passed.links.iter();
        let passed = passed.map(|link| self.list.directory.join(link.strip_prefix("file://").unwrap_or(link)));
        self.list.links().into_iter().chain(passed.filter(|path| path.is_dir())).collect()
    }

    /// The indexes that are named for all packages, where it is not said which counts more: pip's settings know no order, and
    /// uv takes a package from the first of them.
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
        let mut command = self.command("compile", &[]);
        // The first index that has a name answers for it.
        command.args(["--quiet", "--no-header", "--no-annotate", "--index-strategy", "first-index"]);
        command.args(["--format", "pylock.toml"]).args(options).arg(absolute(file));
        let (list, platform) = (self.list, self.platform);
        let text =
            tool::output(command).await.map_err(|said| too_old(python::not_installed(list, platform, &said), &said))?;
        Pylock::parse(&text, &list.directory)
    }

    /// The packages that have an index of their own: no other place is asked for them.
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
        elsewhere::refuse_from_default(unpinned.map(|name| (&**name, &**file)), &self.list.elsewhere, only)?;
        Ok(pylock)
    }

    async fn compile_packages(&self, packages: &[Package], options: &[&str]) -> Result<Pylock, BuildError> {
        let file = self.scratch.join("pyproject.toml");
        let project = synthetic::project(packages, self.platform.runtime.version());
        tool::write(&file, &project.to_string())?;
        self.compile(&file, options).await
    }

    /// A lock that uv does not read becomes a project that uv does: with an index of its own for each package that has one.
    async fn packages(&self, packages: &[Package]) -> Result<Pylock, BuildError> {
        let mut pylock = self.compile_packages(packages, &["--no-deps"]).await?;
        for package in packages {
            let is_of_files = !matches!(package.source, Source::Directory(_) | Source::Git { .. } | Source::Workspace);
            // The lock may have other versions of the package for other circumstances.
            let all = packages.iter().filter(|other| other.name == package.name).flat_map(|other| other.hashes.clone());
            let hashes: Vec<(String, String)> = all.collect();
            if is_of_files && !hashes.is_empty() {
                pylock.keep_hashes(&package.name, &hashes, &self.list.file)?;
            }
        }
        Ok(pylock)
    }

    /// Two indexes for all packages, both named by hand: which of them is meant for a name that both have cannot be told.
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
                let error = in_two_indexes(name, first, second, &self.list.file);
                if self.passed.extra.is_empty() {
                    return Err(error);
                }
                return Err(error.hint(
                    "uv installs, and its settings do not include pip's extra index; to say which index counts first, set \
                     `UV_INDEX` to the private one and `UV_DEFAULT_INDEX` to the other, and unset `PIP_EXTRA_INDEX_URL`",
                ));
            }
        }
        Ok(())
    }

    /// Whether an index has a package of this name, in whatever form.
    async fn has(&self, index: &str, name: &str) -> Result<bool, BuildError> {
        let list = self.scratch.join("one.txt");
        tool::write(&list, &format!("{name}\n"))?;
        let mut command = self.command("compile", &[]);
        command.args(["--quiet", "--no-config", "--no-deps", "--default-index", index]).arg(&list);
        INDEXES.iter().for_each(|name| _ = command.env_remove(name));
        match tool::output(command).await {
            Ok(_) => Ok(true),
            Err(said) => {
                let said = said.join(" ");
                Ok(!said.contains("was not found in the package registry"))
            }
        }
    }
}

pub fn in_two_indexes(name: &str, first: &str, second: &str, list: &Path) -> BuildError {
    BuildError::new(format!("cannot install `{name}` of `{}`: it is in more than one index", list.display()))
        .because(format!("`{first}` and `{second}` both have it, and nothing says which is meant"))
        .hint(format!("name the file: `{name} @ https://…`, or its digest: `{name}==… --hash=sha256:…`"))
        .hint("or pin its index in `pyproject.toml`, with `[tool.uv.sources]` and `explicit = true` on the index")
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
