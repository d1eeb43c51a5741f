//! What the user can configure about how a crate is built.

use std::path::{Path, PathBuf};

/// Overrides the default choices. Paths are absolute because cargo runs in another directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preference {
    /// A triple.
    pub target: Option<String>,
    pub linker: Option<Linker>,
    pub rustc: Option<PathBuf>,
}

/// What cargo is asked to build, whatever it is built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Features in addition to the default ones.
    pub features: Vec<String>,
    pub default_features: bool,
    pub profile: Profile,
    /// Whether cargo must not change the lock file; `None` decides by the environment.
    pub locked: Option<bool>,
}

/// How cargo compiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// This profile, as it is.
    Named(String),
    /// Small and fast, for Lambda.
    Lambda,
    /// As quickly as possible, to run on this machine.
    Quick,
}

impl Default for Order {
    fn default() -> Order {
        Order { features: Vec::new(), default_features: true, profile: Profile::Lambda, locked: None }
    }
}

impl Order {
    /// Cargo's arguments for the features.
    pub(super) fn arguments(&self) -> Vec<String> {
        let none = (!self.default_features).then(|| "--no-default-features".to_owned());
        let features = self.features.iter().flat_map(|feature| ["--features".to_owned(), feature.clone()]);
        none.into_iter().chain(features).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linker {
    Gcc,
    RustLld,
    Zig,
    At(PathBuf),
}

impl Linker {
    /// From the manifest's spelling: a name, or a path relative to `directory`.
    pub fn named(text: &str, directory: &Path) -> Linker {
        match text {
            "gcc" => Linker::Gcc,
            "rust-lld" => Linker::RustLld,
            "zig" => Linker::Zig,
            path => Linker::At(directory.join(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_is_a_path() {
        let named = |text| Linker::named(text, Path::new("/app"));
        assert_eq!([named("gcc"), named("rust-lld"), named("zig")], [Linker::Gcc, Linker::RustLld, Linker::Zig]);
        assert_eq!(named("tools/ld"), Linker::At("/app/tools/ld".into()));
        assert_eq!(named("/opt/ld"), Linker::At("/opt/ld".into()));
    }
}
