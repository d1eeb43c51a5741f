//! The files that decide what a tool installs: a copy of them, without the code, is what it installs from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use walkdir::WalkDir;

use super::lock::{Lock, Tool};
use super::members::Members;
use super::registries;
use crate::architecture::Architecture;
use crate::error::BuildError;
use crate::machine::{Machine, OperatingSystem};
use crate::tool;

/// Settings of the tools.
const SETTINGS: [&str; 6] = [".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", "pnpm-workspace.yaml", ".pnpmfile.cjs"];
/// Directories with Yarn itself, and with patches of packages.
const DIRECTORIES: [&str; 4] = ["patches", ".yarn/patches", ".yarn/plugins", ".yarn/releases"];
const PLATFORMS: &str = "supportedArchitectures";

/// The files by their path, relative to the lock's directory.
#[derive(Debug, Default)]
pub(crate) struct Project(pub(crate) BTreeMap<String, Vec<u8>>);

impl Project {
    /// The files of a locked project.
    pub(crate) fn locked(list: &Path, lock: &Lock, members: &Members, target: Target) -> Project {
        let mut files = Project::default();
        let directories = std::iter::once("").chain(members.0.keys().map(String::as_str));
        for directory in directories {
            let names = ["package.json"].into_iter().chain(SETTINGS);
            names.for_each(|name| files.add(&lock.root, &join(directory, name)));
        }
        lock.tool.locks().for_each(|name| files.add(&lock.root, name));
        for directory in DIRECTORIES {
            for entry in WalkDir::new(lock.root.join(directory)).into_iter().flatten() {
                let inner = entry.path().strip_prefix(&lock.root).ok().and_then(Path::to_str);
                inner.into_iter().for_each(|inner| files.add(&lock.root, inner));
            }
        }
        match lock.tool {
            // npm reads no settings of other tools, and only those beside the list.
            Tool::Npm => files.write(".npmrc", registries::npmrc(list)),
            Tool::Pnpm => files.aim_pnpm(target),
            Tool::Berry => files.aim_berry(target),
            Tool::Classic | Tool::Bun => {}
        }
        files
    }

    /// The list alone.
    pub(crate) fn unlocked(list: &Path) -> Result<Project, BuildError> {
        let mut files = Project::default();
        files.write("package.json", tool::text(list)?);
        files.write(".npmrc", registries::npmrc(list));
        Ok(files)
    }

    fn add(&mut self, root: &Path, name: &str) {
        let path = root.join(name);
        if path.is_file() {
            self.0.extend(std::fs::read(path).ok().map(|bytes| (name.to_owned(), bytes)));
        }
    }

    fn write(&mut self, name: &str, text: String) {
        if !text.is_empty() {
            self.0.insert(name.to_owned(), text.into_bytes());
        }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.0.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }

    /// Older versions read the platform in `package.json`, newer ones in `pnpm-workspace.yaml`.
    fn aim_pnpm(&mut self, target: Target) {
        let mut package: serde_json::Value = serde_json::from_str(&self.text("package.json")).unwrap_or_default();
        if package.is_object() {
            let mut platforms = serde_json::json!({ "os": [target.os], "cpu": [target.cpu] });
            if let Some(libc) = target.libc {
                platforms["libc"] = serde_json::json!([libc]);
            }
            package["pnpm"][PLATFORMS] = platforms;
            self.write("package.json", package.to_string());
        }
        let found = self.text("pnpm-workspace.yaml");
        // A file without this key is an error for older versions.
        let packages = if found.lines().any(|line| line.starts_with("packages:")) { "" } else { "packages: ['.']\n" };
        self.write("pnpm-workspace.yaml", packages.to_owned() + &without(&found, &[PLATFORMS]) + &platforms(target));
    }

    fn aim_berry(&mut self, target: Target) {
        let found = self.text(".yarnrc.yml");
        self.write(".yarnrc.yml", without(&found, &[PLATFORMS]) + &platforms(target));
    }

    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn copy_to(&self, place: &Path) -> Result<(), BuildError> {
        for (name, bytes) in &self.0 {
            let path = place.join(name);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(&path, bytes))
                .map_err(|error| BuildError::new(format!("cannot write `{}`", path.display())).because(error))?;
        }
        Ok(())
    }

    /// Removes the copies again.
    pub(crate) fn remove_from(&self, place: &Path) {
        for name in self.0.keys() {
            let _ = std::fs::remove_file(place.join(name));
        }
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

fn platforms(Target { os, cpu, libc }: Target) -> String {
    let libc = libc.map(|libc| format!("  libc: [{libc}]\n")).unwrap_or_default();
    format!("{PLATFORMS}:\n  os: [{os}]\n  cpu: [{cpu}]\n{libc}")
}

/// YAML without some keys of its outermost map.
fn without(yaml: &str, keys: &[&str]) -> String {
    let mut is_left_out = false;
    let mut kept = String::new();
    for line in yaml.lines() {
        if !line.starts_with([' ', '-', '#']) && !line.trim().is_empty() {
            is_left_out = keys.iter().any(|key| line.split(':').next() == Some(key));
        }
        if !is_left_out {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// What packages are installed for, in the words of Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) os: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) libc: Option<&'static str>,
}

impl From<Machine> for Target {
    fn from(machine: Machine) -> Target {
        let cpu = match machine.architecture {
            Architecture::X86_64 => "x64",
            Architecture::Arm64 => "arm64",
        };
        match machine.system {
            OperatingSystem::Linux => Target { os: "linux", cpu, libc: Some("glibc") },
            OperatingSystem::Macos => Target { os: "darwin", cpu, libc: None },
        }
    }
}

/// The processor; with the system, if it is not Lambda's.
impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.os {
            "linux" => formatter.write_str(self.cpu),
            os => write!(formatter, "{os}-{}", self.cpu),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_those_of_the_target_whatever_this_machine_is() {
        let lambda = Machine::from(Architecture::Arm64);
        let mac = Machine { system: OperatingSystem::Macos, ..lambda };
        let pnpm = |machine: Machine| {
            let mut project = Project::default();
            project.write("package.json", "{}".to_owned());
            project.aim_pnpm(machine.into());
            [project.text("package.json"), project.text("pnpm-workspace.yaml")]
        };
        let aimed = pnpm(lambda);
        assert!(aimed[0].contains(r#""os":["linux"]"#) && aimed[0].contains(r#""libc":["glibc"]"#), "{aimed:?}");
        assert!(aimed[1].ends_with("  os: [linux]\n  cpu: [arm64]\n  libc: [glibc]\n"), "{aimed:?}");
        let aimed = pnpm(mac);
        assert!(aimed[0].contains(r#""os":["darwin"]"#) && !aimed[0].contains("libc"), "{aimed:?}");
        assert!(aimed[1].ends_with("  os: [darwin]\n  cpu: [arm64]\n"), "{aimed:?}");
        assert_eq!([lambda, mac].map(|machine| Target::from(machine).to_string()), ["arm64", "darwin-arm64"]);
    }

    #[test]
    fn a_key_is_left_out_with_what_is_below_it() {
        let yaml = "a: 1\nsupportedArchitectures:\n  os:\n    - darwin\n\n  cpu: [x64]\n# b\nb:\n  - c\n";
        assert_eq!(without(yaml, &[PLATFORMS]), "a: 1\nb:\n  - c\n");
        assert_eq!(without("a:\n- b\nc: d\n", &["a"]), "c: d\n");
    }
}
