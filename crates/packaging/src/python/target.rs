//! What a package is installed for, as markers and version ranges see it.

use std::str::FromStr as _;

use pep440_rs::Version;

use super::marker;
use super::range::Range;
use crate::machine::{Machine, OperatingSystem};
use crate::runtime::Platform;

/// The patch releases of the function's Python that a marker may distinguish: AWS decides which one runs.
const PATCHES: [u32; 2] = [0, 99];

/// The Python, system and processor: Lambda's, or those of this machine.
pub(super) struct Target {
    /// Such as `3.13`.
    version: String,
    machine: Machine,
}

impl Target {
    pub(super) fn of(platform: &Platform) -> Target {
        Target { version: platform.runtime.version().to_owned(), machine: platform.machine() }
    }

    /// The versions that may run.
    fn full_versions(&self) -> [String; 2] {
        PATCHES.map(|patch| format!("{}.{patch}", self.version))
    }

    /// Whether a marker applies, with these extras of the package that it belongs to. `None` if it is not valid.
    pub(super) fn holds<'a>(&self, marker: &str, extras: impl IntoIterator<Item = &'a String>) -> Option<bool> {
        if marker.trim().is_empty() {
            return Some(true);
        }
        let extras: Vec<String> = extras.into_iter().cloned().collect();
        let (platform_system, sys_platform) = match self.machine.system {
            OperatingSystem::Linux => ("Linux", "linux"),
            OperatingSystem::Macos => ("Darwin", "darwin"),
        };
        let mut any = false;
        for full in self.full_versions() {
            let variables = [
                ("implementation_name", "cpython"),
                ("implementation_version", &*full),
                ("os_name", "posix"),
                ("platform_machine", self.machine()),
                ("platform_python_implementation", "CPython"),
                ("platform_release", ""),
                ("platform_system", platform_system),
                ("platform_version", ""),
                ("python_full_version", &*full),
                ("python_version", &*self.version),
                ("sys_platform", sys_platform),
            ];
            any |= marker::holds(marker, &variables, &extras)?;
        }
        Some(any)
    }

    /// The processor, as Python names it.
    pub(super) fn machine(&self) -> &'static str {
        self.machine.cpu()
    }

    /// Whether a range of Python versions includes the function's.
    pub(super) fn is_in(&self, range: &Range) -> bool {
        let versions = self.full_versions();
        versions.iter().filter_map(|full| Version::from_str(full).ok()).any(|version| range.has(&version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture;
    use crate::runtime::Runtime;

    fn target(architecture: Architecture) -> Target {
        Target::of(&Platform::on_lambda(Runtime::parse("python3.11").unwrap(), architecture))
    }

    #[test]
    fn markers_are_those_of_lambda_and_not_of_this_machine() {
        let holds = |marker: &str, extras: &[&str]| {
            let extras: Vec<String> = extras.iter().map(|&extra| extra.to_owned()).collect();
            target(Architecture::Arm64).holds(marker, &extras)
        };
        for marker in [
            "",
            "sys_platform == 'linux' and platform_machine == 'aarch64'",
            "python_version < '3.12' and python_full_version >= '3.11.0'",
            "platform_system != 'Windows' or python_version < '3'",
            "platform_python_implementation == 'CPython' and os_name == 'posix'",
        ] {
            assert_eq!(holds(marker, &[]), Some(true), "{marker}");
        }
        for marker in ["sys_platform == 'win32'", "platform_machine == 'x86_64'", "extra == 'all'"] {
            assert_eq!(holds(marker, &[]), Some(false), "{marker}");
        }
        assert_eq!(holds("extra == 'all'", &["all"]), Some(true));
        assert_eq!(holds("python = 3", &[]), None);
        // Which patch release runs is not known, so what either needs is installed.
        assert_eq!(holds("python_full_version < '3.11.3'", &[]), Some(true));
        assert_eq!(holds("python_full_version >= '3.11.3'", &[]), Some(true));
    }

    #[test]
    fn on_macos_markers_are_those_of_macos() {
        let runtime = Runtime::parse("python3.11").unwrap();
        let mac = Platform { system: OperatingSystem::Macos, ..Platform::on_lambda(runtime, Architecture::Arm64) };
        let holds = |marker: &str| Target::of(&mac).holds(marker, &[]);
        assert_eq!(holds("sys_platform == 'darwin' and platform_machine == 'arm64'"), Some(true));
        assert_eq!(holds("platform_system == 'Darwin' and os_name == 'posix'"), Some(true));
        assert_eq!(holds("sys_platform == 'linux' or platform_machine == 'aarch64'"), Some(false));
    }

    #[test]
    fn a_python_is_in_its_ranges() {
        let is_in = |range: &str| target(Architecture::X86_64).is_in(&Range::of_poetry(range).unwrap());
        assert!(is_in("^3.9") && is_in(">=3.11.4,<4") && is_in("~3.11") && is_in("3.11.*"));
        assert!(!is_in("^3.12") && !is_in("<3.11") && !is_in("~3.10 || ~3.12"));
    }
}
