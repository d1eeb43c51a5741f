//! One package of Python that is to be installed, with where it comes from.

use super::sources::Source;

/// A package as a lock names it, or as a project asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    /// `[a,b]` or nothing.
    pub extras: String,
    /// Such as `==1.0`; nothing where the source decides.
    pub specifier: String,
    /// When it is needed: nothing is always.
    pub condition: String,
    /// Names of files, where they are known, to their digests such as `sha256:…`.
    pub hashes: Vec<(String, String)>,
    pub source: Source,
    /// The file that says so, with the line where it is known.
    pub place: String,
}

impl Package {
    /// `name[extras]==1.0`.
    pub fn requirement(&self) -> String {
        format!("{}{}{}", self.name, self.extras, self.specifier)
    }

    /// ` ; condition`, or nothing.
    pub fn condition(&self) -> String {
        if self.condition.is_empty() { String::new() } else { format!(" ; {}", self.condition) }
    }

    /// As pip reads it from a list, for a package of the default index.
    pub fn line(&self) -> String {
        let hashes: String = self.hashes.iter().map(|(_, hash)| format!(" --hash={hash}")).collect();
        format!("{}{}{hashes}\n", self.requirement(), self.condition())
    }
}

/// What pip reads as the place of a repository: `git+https://…@REVISION#subdirectory=…`.
pub fn git(address: &str, revision: Option<&str>, subdirectory: Option<&str>) -> String {
    // `git@host:path` is SSH's own way to write an address.
    let address = match address.split_once(':') {
        Some((user, path)) if !address.contains("://") && user.contains('@') => format!("ssh://{user}/{path}"),
        _ => address.to_owned(),
    };
    let address = address.trim_start_matches("git+");
    let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
    let subdirectory = subdirectory.map(|path| format!("#subdirectory={path}")).unwrap_or_default();
    format!("git+{address}{revision}{subdirectory}")
}
