//! What this machine can build with.

use std::path::PathBuf;

/// Everything that the choice of tools depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    /// The triple of this machine.
    pub host: String,
    /// The compiler that cargo uses by default.
    pub own: Compiler,
    /// Whether the user has set that compiler, so that no other may be used.
    pub named: bool,
    /// Other compilers that are installed, the likeliest first.
    pub others: Vec<Compiler>,
    /// Where the user has set a linker for the target.
    pub told_linker: Option<String>,
    /// Whether the compiler finds a linker for this machine itself.
    pub has_cc: bool,
    /// The C compiler for the target.
    pub gcc: Option<Gcc>,
    pub zigbuild: bool,
    pub system: System,
}

/// A compiler, with respect to one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compiler {
    pub program: PathBuf,
    pub release: String,
    pub has_std: bool,
    pub has_rust_lld: bool,
}

/// A C compiler and the tools that belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gcc {
    pub program: PathBuf,
    pub cxx: Option<PathBuf>,
    pub ar: Option<PathBuf>,
}

/// What determines the command that installs something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct System {
    /// Rustup's name of the toolchain that cargo uses in the crate's directory.
    pub toolchain: Option<String>,
    pub distribution: Distro,
    /// Whether packages can be installed without `sudo`.
    pub root: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Distro {
    /// With the number of its release.
    Debian(String),
    Ubuntu,
    Macos,
    #[default]
    Other,
}

impl Distro {
    /// Reads `/etc/os-release`.
    pub(super) fn of(text: &str) -> Distro {
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.map(|value| value.trim_matches('"')).unwrap_or_default()
        };
        match (field("ID"), field("ID_LIKE")) {
            ("debian", _) => Distro::Debian(field("VERSION_ID").into()),
            ("ubuntu", _) => Distro::Ubuntu,
            (_, like) if like.split(' ').any(|word| word == "ubuntu") => Distro::Ubuntu,
            _ => Distro::Other,
        }
    }
}

pub(super) fn is_musl(target: &str) -> bool {
    target.ends_with("-musl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_known_by_their_own_file() {
        assert_eq!(Distro::of("NAME=x\nID=debian\nVERSION_ID=\"12\"\n"), Distro::Debian("12".into()));
        assert_eq!(Distro::of("ID=ubuntu\nID_LIKE=debian\n"), Distro::Ubuntu);
        assert_eq!(Distro::of("ID=pop\nID_LIKE=\"ubuntu debian\"\n"), Distro::Ubuntu);
        assert_eq!(Distro::of("ID=\"amzn\"\nID_LIKE=\"fedora\"\n"), Distro::Other);
        assert_eq!(Distro::of(""), Distro::Other);
    }
}
