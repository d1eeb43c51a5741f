//! The file with everything that exists: its format, its version, and the formats of earlier versions.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::files::replace;
use crate::world::World;

/// The state file, and the file that replaces it when it is complete.
pub(crate) const FILE: &str = "state.json";
pub(crate) const DRAFT: &str = "state.json.tmp";

/// The version of the format that is written. It grows whenever an earlier reader would misread the file; [`parse`]
/// keeps reading every earlier version.
const VERSION: u32 = 1;

/// What every version of the file has.
#[derive(Deserialize)]
struct Header {
    /// Absent in files from before there were versions.
    #[serde(default)]
    version: u32,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(flatten)]
    world: &'a World,
}

/// Why a file of the data directory that can be read cannot be used.
#[derive(Debug)]
pub enum UnusableState {
    /// It is not a state file, or not a key pair.
    Damaged { path: PathBuf, why: serde_json::Error },
    /// A newer version of this crate wrote it.
    Newer { path: PathBuf, version: u32 },
}

impl fmt::Display for UnusableState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { path, .. } => write!(formatter, "`{}` is damaged", path.display()),
            Self::Newer { path, version } => write!(
                formatter,
                "`{}` has format version {version}, and this program supports versions up to {VERSION}",
                path.display()
            ),
        }
    }
}

impl Error for UnusableState {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Damaged { why, .. } => Some(why),
            Self::Newer { .. } => None,
        }
    }
}

/// Reads everything that exists; an empty world if nothing was ever written.
///
/// # Errors
/// If the file cannot be read; an [`UnusableState`] if it is damaged, or was written by a newer version.
pub(crate) fn load(data: &Path) -> anyhow::Result<World> {
    let path = data.join(FILE);
    match fs::read(&path) {
        Ok(text) => Ok(parse(&text, &path)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(World::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

fn parse(text: &[u8], path: &Path) -> Result<World, UnusableState> {
    let damaged = |why| UnusableState::Damaged { path: path.to_owned(), why };
    let Header { version } = serde_json::from_slice(text).map_err(damaged)?;
    match version {
        // Version 1 only added the number: the same members, read alike.
        0 | VERSION => serde_json::from_slice(text).map_err(damaged),
        version => Err(UnusableState::Newer { path: path.to_owned(), version }),
    }
}

/// Whether a text is a state file's.
pub(crate) fn is_state(text: &[u8]) -> bool {
    serde_json::from_slice::<World>(text).is_ok()
}

/// Writes everything that exists, completely or not at all. The directory is not synced, which would take as long again: a
/// power cut may undo the last change, but never leaves half of one.
///
/// # Errors
/// If it cannot be written: the file is then as it was.
pub(crate) fn save(data: &Path, world: &World) -> anyhow::Result<()> {
    replace(&data.join(FILE), &data.join(DRAFT), &serde_json::to_vec(&Written { version: VERSION, world })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_version_is_read_and_gets_one() {
        let data = tempfile::tempdir().expect("a directory");
        let bucket = r#"{"region":"us-east-1","tags":null,"objects":{}}"#;
        let layer = r#"{"last_version":3,"versions":{"3":{"digest":"d","sha256":"s","size":1,"created":0,"description":"","license":null,"runtimes":[],"architectures":[]}}}"#;
        let region = format!(r#"{{"log_groups":{{}},"functions":{{}},"layers":{{"l":{layer}}}}}"#);
        let text = format!(r#"{{"roles":{{}},"regions":{{"us-east-1":{region}}},"buckets":{{"b":{bucket}}}}}"#);
        fs::write(data.path().join(FILE), &text).expect("written");
        let world = load(data.path()).expect("read");
        assert!(world.buckets.contains_key("b"));
        save(data.path(), &world).expect("saved");
        let saved = fs::read(data.path().join(FILE)).expect("the file");
        let mut saved: serde_json::Value = serde_json::from_slice(&saved).expect("JSON");
        assert_eq!(saved["version"], 1);
        // Everything that was there still is.
        let again = load(data.path()).expect("read");
        assert_eq!(again.regions["us-east-1"].layers["l"].versions[&3].digest, "d");
        assert_eq!(
            saved["buckets"].take(),
            serde_json::json!({"b": {"region": "us-east-1", "tags": null, "objects": {}, "visible": 0}})
        );
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused_by_name_and_left_alone() {
        let data = tempfile::tempdir().expect("a directory");
        let path = data.path().join(FILE);
        let newer = r#"{"version":2,"accounts":{}}"#;
        fs::write(&path, newer).expect("written");
        let error = load(data.path()).expect_err("refused");
        assert!(matches!(error.downcast_ref(), Some(UnusableState::Newer { version: 2, .. })), "{error:?}");
        let expected = "` has format version 2, and this program supports versions up to 1";
        assert_eq!(error.to_string(), format!("`{}{expected}", path.display()));
        assert_eq!(fs::read_to_string(&path).expect("the file"), newer);
    }

    #[test]
    fn what_is_no_state_is_damaged() {
        let data = tempfile::tempdir().expect("a directory");
        for text in ["", "no json", "[]", r#"{"version":1}"#, r#"{"version":"x"}"#] {
            fs::write(data.path().join(FILE), text).expect("written");
            let error = load(data.path()).expect_err("refused");
            assert!(matches!(error.downcast_ref(), Some(UnusableState::Damaged { .. })), "{text}: {error:?}");
            assert!(error.to_string().ends_with("state.json` is damaged"), "{text}: {error}");
        }
    }
}
