//! The zip that Lambda gets, with the digest by which AWS knows it.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::app::handler;
use super::app::unwanted::{self, Unwanted};
use super::error::BuildError;
use super::{archive, elf};
use crate::{Architecture, Family};

/// The largest zip, in bytes, that can be sent to Lambda itself; a larger one goes by S3. Source: AWS's quotas.
const DIRECT_LIMIT: usize = 52_428_800;

/// A zip that Lambda can unpack, with code for `architecture`.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    pub zip: Bytes,
    /// The zip's SHA-256 in base64, as AWS says `CodeSha256`.
    pub sha256: String,
    pub architecture: Architecture,
}

impl Package {
    /// Zips a binary, the same way every time.
    ///
    /// # Errors
    /// When the binary could not start on `provided.al2023` with this architecture, or is too large.
    pub fn of_bootstrap(binary: &[u8], architecture: Architecture) -> Result<Package, BuildError> {
        elf::check(binary, architecture, "the binary")?;
        Ok(Package::of_zip(archive::pack(binary)?, architecture))
    }

    /// Reads a zip that was built elsewhere. Its bytes are kept as they are, so that its digest is the same
    /// everywhere it is deployed to. `started` is the file that is executed, such as `bootstrap`, if one is.
    ///
    /// # Errors
    /// When it is no zip, is too large, or the file that starts it is missing, may not be executed, or could not start
    /// with this architecture. A script is not looked into.
    pub fn read(zip_path: &Path, architecture: Architecture, started: Option<&str>) -> Result<Package, BuildError> {
        let zip = std::fs::read(zip_path).map_err(|error| {
            BuildError::new(format!("cannot read the package `{}`", zip_path.display())).because(error).at(&["package"])
        })?;
        let subject = format!("the package `{}`", zip_path.display());
        match archive::unpack(&zip, started, &subject)? {
            Some(file) if !file.starts_with(b"#!") => elf::check(&file, architecture, &subject)?,
            _ => {}
        }
        Ok(Package::of_zip(zip, architecture))
    }

    pub(super) fn of_zip(zip: Vec<u8>, architecture: Architecture) -> Package {
        let sha256 = STANDARD.encode(Sha256::digest(&zip));
        Package { zip: zip.into(), sha256, architecture }
    }

    /// What is in it that looks like a secret. It is told and not refused: the bytes of a zip that was made elsewhere stay
    /// as they are.
    pub fn secrets(&self) -> Vec<String> {
        let is_secret =
            |name: &String| Path::new(name).ancestors().any(|part| unwanted::by_name(part) == Some(Unwanted::Secret));
        archive::names(&self.zip).into_iter().filter(is_secret).collect()
    }

    /// # Errors
    /// When it has no file that the handler could be in, as far as the language's rules are known here. `path` is that of
    /// the zip.
    pub fn refuse_without(&self, family: Family, handler: &str, path: &Path) -> Result<(), BuildError> {
        // Lambda unpacks zips of every tool.
        let names = archive::names(&self.zip).into_iter().map(|name| name.replace('\\', "/"));
        let names: Vec<String> = names.map(|name| name.trim_start_matches("./").to_owned()).collect();
        let names = names.iter().map(String::as_str).collect();
        handler::refuse_without(&names, family, handler, &format!("the package `{}`", path.display()))
    }

    /// Whether Lambda takes it only out of an S3 bucket.
    pub fn needs_a_bucket(&self) -> bool {
        self.size() > DIRECT_LIMIT
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
