//! The wheels that pip gets one by one: from an index of their own, from a path or URL, or built from a source archive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::dependency::{self, Dependency};
use super::messages::{self, Refused};
use super::pip::{LOG, Run, read_log};
use super::requirement::Requirement;
use super::sources::Source;
use super::wheel::{self, of_file};
use crate::error::BuildError;
use crate::interpreter::minor;
use crate::tool;

/// pip's settings about how to reach an index, as opposed to which.
const REACHING: [&str; 8] =
    ["cert", "client-cert", "proxy", "trusted-host", "timeout", "default-timeout", "retries", "keyring-provider"];

impl Run<'_> {
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
    pub(super) async fn fetch<'p>(
        &self,
        packages: &'p [Dependency],
        built: &mut BTreeSet<String>,
    ) -> Result<Vec<(&'p Dependency, PathBuf)>, BuildError> {
        let of = |package: &Dependency| match &package.source {
            Source::Index { address: Some(address), .. } => Some((address.clone(), package.hashes.is_empty())),
            _ => None,
        };
        let mut groups: Vec<(String, bool)> = packages.iter().filter_map(of).collect();
        groups.sort();
        groups.dedup();
        let mut wheels = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let own = packages.iter().filter(|package| of(package).as_ref() == Some(group)).collect();
            wheels.extend(self.fetch_from(&group.0, at, own, built).await?);
        }
        Ok(wheels)
    }

    async fn fetch_from<'p>(
        &self,
        index: &str,
        at: usize,
        mut packages: Vec<&'p Dependency>,
        built: &mut BTreeSet<String>,
    ) -> Result<Vec<(&'p Dependency, PathBuf)>, BuildError> {
        let (file, place) = (self.scratch.join(format!("index-{at}.txt")), self.scratch.join(format!("index-{at}")));
        let mut wheels = Vec::new();
        while !packages.is_empty() {
            tool::write(&file, &packages.iter().map(|package| package.line()).collect::<String>())?;
            let mut command = self.pip("download");
            self.for_target(&mut command);
            self.alone(&mut command, index);
            command.arg("--log").arg(self.scratch.join(LOG)).arg("--no-deps").arg("--dest").arg(&place);
            command.arg("-r").arg(&file);
            let Err(said) = tool::run("pip", command, &messages::filter(self.tell)).await else { break };
            let requirement = self.without_wheel(&said)?;
            let name = Requirement::parse(&requirement).map(|found| found.name).unwrap_or_default();
            let Some(at) = packages.iter().position(|package| package.name == name) else {
                return Err(self.not_installed(&said));
            };
            let package = packages.remove(at);
            wheels.push((package, self.build(&requirement, &package.hashes, Some(index)).await?));
            built.insert(name);
        }
        for path in files(&place) {
            let found = of_file(&path.file_name().unwrap_or_default().to_string_lossy());
            let meant = packages.iter().find(|package| found.as_ref().is_some_and(|(name, _)| *name == package.name));
            wheels.extend(meant.map(|package| (*package, path.clone())));
        }
        Ok(wheels)
    }

    /// The requirement that has no wheel for the platform, but may have a source archive.
    pub(super) fn without_wheel(&self, said: &[String]) -> Result<String, BuildError> {
        match messages::refused(said, Some(&self.log())) {
            Some(Refused::WithoutWheel(requirement)) => Ok(requirement),
            _ => Err(self.not_installed(said)),
        }
    }

    /// Builds a package from its source archive, from one index or from those of the list.
    pub(super) async fn build(
        &self,
        requirement: &str,
        hashes: &[(String, String)],
        index: Option<&str>,
    ) -> Result<PathBuf, BuildError> {
        let name = Requirement::parse(requirement).map(|found| found.name).unwrap_or_default();
        let (file, place) = (self.scratch.join(format!("{name}.txt")), self.scratch.join(format!("source-{name}")));
        let log = self.scratch.join(format!("{name}.log"));
        let hashes: String = hashes.iter().map(|(_, hash)| format!(" --hash={hash}")).collect();
        tool::write(&file, &format!("{requirement}{hashes}\n"))?;
        let mut command = self.pip("wheel");
        match index {
            Some(index) => self.alone(&mut command, index),
            None => self.with_indexes(&mut command, &self.list.named_indexes()),
        }
        if minor(self.platform.runtime.version()) != Some(self.python.minor) {
            command.arg("--ignore-requires-python");
        }
        // pip lists an earlier build in its cache like an index of its own.
        command.args(["--no-deps", "--no-cache-dir", "--no-binary", &name, "--log"]).arg(&log);
        command.arg("--wheel-dir").arg(&place).arg("-r").arg(&file);
        let refused = |said: Vec<String>| match messages::refused(&said, None) {
            Some(_) => messages::not_installed(&self.list.file, self.platform, &said, Some(&read_log(&log))),
            None => messages::not_built(requirement, self.platform, &said),
        };
        tool::run("pip", command, &messages::filter(self.tell)).await.map_err(refused)?;
        let wheel =
            files(&place).into_iter().next().ok_or_else(|| messages::not_built(requirement, self.platform, &[]))?;
        wheel::refuse_compiled(&name, &wheel, self.platform, "its source")?;
        let version = of_file(&wheel.file_name().unwrap_or_default().to_string_lossy()).map(|(_, version)| version);
        if let Some(version) = version.filter(|_| index.is_none() && hashes.is_empty()) {
            self.refuse_doubtful_one(&read_log(&log), &name, &version)?;
        }
        Ok(wheel)
    }

    /// The wheel of a package with a path or URL; `None` if its marker does not match.
    pub(super) async fn wheel(&self, at: usize, package: &Dependency) -> Result<Option<PathBuf>, BuildError> {
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
        tool::run("pip", command, &messages::filter(self.tell)).await.map_err(|said| self.not_installed(&said))?;
        let wheel = files(&wheels).into_iter().next();
        if let Some(wheel) = wheel.as_ref().filter(|_| !is_wheel) {
            wheel::refuse_compiled(&package.name, wheel, self.platform, &package.source.shown())?;
        }
        Ok(wheel)
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
