//! The zip for Lambda, with the digest that AWS identifies it by.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::architecture::Architecture;
use crate::error::BuildError;
use crate::exclude::{self, Unwanted};
use crate::machine::Machine;
use crate::runtime::Family;
use crate::{archive, executable, handler, mend};

/// A zip that Lambda can unpack, with code for `architecture`.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    pub zip: Bytes,
    /// The zip's SHA-256 in base64, like AWS's `CodeSha256`.
    pub sha256: String,
    pub architecture: Architecture,
    /// What was corrected in a copy of a zip that was built elsewhere.
    pub corrections: Vec<String>,
}

impl Package {
    /// Zips a binary deterministically. One that is `is_quick` was built for this machine only, and is compressed little.
    ///
    /// # Errors
    /// When the binary could not start on this machine, or is too large.
    pub fn of_binary(binary: &[u8], machine: impl Into<Machine>, is_quick: bool) -> Result<Package, BuildError> {
        let machine = machine.into();
        executable::check(binary, machine, "the binary")?;
        Ok(Package::of_zip(archive::pack(binary, is_quick)?, machine.architecture))
    }

    /// Reads a zip that was built elsewhere. Its bytes are kept as they are, so its digest is the same
    /// wherever it is deployed; a zip that Lambda could not use is corrected in a copy. `started` is the file that is executed, such as `bootstrap`, if there is one.
    ///
    /// # Errors
    /// When it is not a zip, is too large, or the file that starts it is missing, not executable, or could not start
    /// on this machine. Scripts are not inspected.
    pub fn read(zip_path: &Path, machine: impl Into<Machine>, started: Option<&str>) -> Result<Package, BuildError> {
        let machine = machine.into();
        let zip = std::fs::read(zip_path).map_err(|error| {
            BuildError::new(format!("cannot read the package `{}`", zip_path.display())).because(error).at(&["package"])
        })?;
        let subject = format!("the package `{}`", zip_path.display());
        archive::check(&zip, &subject)?;
        let mended = mend::mend(&zip, started, &subject)?;
        let (zip, corrections) = mended.map_or((zip, Vec::new()), |mended| (mended.zip, mended.corrections));
        match archive::unpack(&zip, started, &subject)? {
            Some(file) if !file.starts_with(b"#!") => executable::check(&file, machine, &subject)?,
            _ => {}
        }
        Ok(Package { corrections, ..Package::of_zip(zip, machine.architecture) })
    }

    /// The package with the bytes of another one that is the same, so that many functions of one package need no more memory
    /// than one.
    pub fn sharing<'p>(self, others: impl IntoIterator<Item = &'p Package>) -> Package {
        match others.into_iter().find(|other| other.sha256 == self.sha256) {
            Some(other) => Package { zip: other.zip.clone(), ..self },
            None => self,
        }
    }

    pub(super) fn of_zip(zip: Vec<u8>, architecture: Architecture) -> Package {
        let sha256 = STANDARD.encode(Sha256::digest(&zip));
        Package { zip: zip.into(), sha256, architecture, corrections: Vec::new() }
    }

    /// The files that look like secrets. They are reported and not refused: the bytes of a zip that was made elsewhere stay
    /// as they are.
    pub fn secrets(&self) -> Vec<String> {
        let is_secret =
            |name: &String| Path::new(name).ancestors().any(|part| exclude::by_name(part) == Some(Unwanted::Secret));
        archive::names(&self.zip).into_iter().filter(is_secret).collect()
    }

    /// # Errors
    /// When it has no file for the handler, for the languages whose rules are known here. `path` is that of
    /// the zip.
    pub fn refuse_without(&self, family: Family, handler: &str, path: &Path) -> Result<(), BuildError> {
        // Some tools write backslashes or a leading `./`, and Lambda accepts both.
        let names = archive::names(&self.zip).into_iter().map(|name| name.replace('\\', "/"));
        let names: Vec<String> = names.map(|name| name.trim_start_matches("./").to_owned()).collect();
        let names = names.iter().map(String::as_str).collect();
        handler::refuse_without(&names, family, handler, &format!("the package `{}`", path.display()))
    }

    /// The zip's size in bytes.
    pub fn size(&self) -> usize {
        self.zip.len()
    }
}

impl fmt::Debug for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Package")
            .field("size", &self.size())
            .field("sha256", &self.sha256)
            .field("architecture", &self.architecture)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_packages_share_their_bytes() {
        let [one, other] = [7, 7].map(|byte| Package::of_zip(vec![byte; 4096], Architecture::Arm64));
        assert_eq!(other.sharing([&one]).zip.as_ptr(), one.zip.as_ptr());
        let different = Package::of_zip(vec![8; 4096], Architecture::Arm64);
        assert_ne!(different.sharing([&one]).zip.as_ptr(), one.zip.as_ptr());
    }

    #[test]
    fn the_debug_form_shows_the_size_and_not_the_bytes() {
        let package = Package::of_zip(vec![0; 4096], Architecture::Arm64);
        assert_eq!(
            format!("{package:?}"),
            "Package { size: 4096, sha256: \"rX+sslhvxulmwATX0dFrAk9YBf98tHx6hdq9i0iJLKc=\", architecture: Arm64 }"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = Package::read(Path::new("/nowhere/chat.zip"), Architecture::X86_64, None).unwrap_err();
        assert_eq!(error.message, "cannot read the package `/nowhere/chat.zip`");
    }
}
