//! One package of Python to install, with its source.

use super::sources::Source;

/// A package as a lock or a project lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub name: String,
    /// `[a,b]`, or empty.
    pub extras: String,
    /// Such as `==1.0`; empty if the source decides.
    pub specifier: String,
    /// The marker; empty if it is always needed.
    pub condition: String,
    /// Names of files, if known, and their hashes such as `sha256:…`.
    pub hashes: Vec<(String, String)>,
    pub source: Source,
    /// The file that declares it, with the line if known.
    pub place: String,
}

impl Dependency {
    /// `name[extras]==1.0`.
    pub(super) fn requirement(&self) -> String {
        format!("{}{}{}", self.name, self.extras, self.specifier)
    }

    /// ` ; condition`, or empty.
    pub(super) fn condition(&self) -> String {
        if self.condition.is_empty() { String::new() } else { format!(" ; {}", self.condition) }
    }

    /// Its line in a list for pip, for a package of the default index.
    pub(super) fn line(&self) -> String {
        let hashes: String = self.hashes.iter().map(|(_, hash)| format!(" --hash={hash}")).collect();
        format!("{}{}{hashes}\n", self.requirement(), self.condition())
    }
}

/// A repository's URL for pip: `git+https://…@REVISION#subdirectory=…`.
pub(super) fn git(address: &str, revision: Option<&str>, subdirectory: Option<&str>) -> String {
    // `git@host:path` is SSH's short form of a URL.
    let address = match address.split_once(':') {
        Some((user, path)) if !address.contains("://") && user.contains('@') => format!("ssh://{user}/{path}"),
        _ => address.to_owned(),
    };
    let address = address.trim_start_matches("git+");
    let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
    let subdirectory = subdirectory.map(|path| format!("#subdirectory={path}")).unwrap_or_default();
    format!("git+{address}{revision}{subdirectory}")
}
