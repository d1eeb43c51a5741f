//! What machine code is built for: a processor and an operating system.

use std::fmt;

use crate::architecture::Architecture;

/// The operating system of Lambda, or of a machine with a local cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatingSystem {
    Linux,
    Macos,
}

impl OperatingSystem {
    /// This machine's.
    pub fn host() -> OperatingSystem {
        if cfg!(target_os = "macos") { OperatingSystem::Macos } else { OperatingSystem::Linux }
    }

    /// That of a compiler's target, if code for it can be packaged or run here.
    pub(crate) fn of_triple(triple: &str) -> Option<OperatingSystem> {
        match triple {
            _ if triple.contains("-linux-") => Some(OperatingSystem::Linux),
            _ if triple.ends_with("-apple-darwin") => Some(OperatingSystem::Macos),
            _ => None,
        }
    }
}

impl fmt::Display for OperatingSystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            OperatingSystem::Linux => "Linux",
            OperatingSystem::Macos => "macOS",
        })
    }
}

/// A machine that runs code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Machine {
    pub system: OperatingSystem,
    pub architecture: Architecture,
}

impl Machine {
    /// This one, if Lambda has its processor.
    pub fn host() -> Option<Machine> {
        Architecture::host().map(|architecture| Machine { system: OperatingSystem::host(), architecture })
    }

    /// The processor in the system's own words, which Python repeats.
    pub(crate) fn cpu(self) -> &'static str {
        match (self.system, self.architecture) {
            (OperatingSystem::Macos, Architecture::Arm64) => "arm64",
            (_, architecture) => architecture.cpu(),
        }
    }
}

/// Lambda's machine with this processor.
impl From<Architecture> for Machine {
    fn from(architecture: Architecture) -> Machine {
        Machine { system: OperatingSystem::Linux, architecture }
    }
}

/// The processor; with the system, if it is not Lambda's.
impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.system {
            OperatingSystem::Linux => self.architecture.fmt(formatter),
            system => write!(formatter, "{system} on {}", self.architecture),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_the_targets_of_compilers() {
        let of = OperatingSystem::of_triple;
        assert_eq!(of("aarch64-apple-darwin"), Some(OperatingSystem::Macos));
        assert_eq!(of("x86_64-unknown-linux-musl"), Some(OperatingSystem::Linux));
        assert_eq!((of("x86_64-pc-windows-msvc"), of("aarch64-apple-ios")), (None, None));
    }

    #[test]
    fn a_machine_of_lambda_is_called_by_its_processor() {
        let lambda = Machine::from(Architecture::Arm64);
        let mac = Machine { system: OperatingSystem::Macos, ..lambda };
        assert_eq!((lambda.to_string(), mac.to_string()), ("arm64".into(), "macOS on arm64".into()));
        assert_eq!((lambda.cpu(), mac.cpu()), ("aarch64", "arm64"));
    }
}
