//! The key pair that API calls are signed with.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::files::write_private;
use super::state::UnusableState;
use crate::random::{self, Alphabet};

/// The file with the key pair.
pub(crate) const FILE: &str = "credentials.json";

/// What the access key ids of local clouds begin with.
pub(crate) const PREFIX: &str = "LOCL";

/// The key pair that every API call is signed with.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"…")
            .finish()
    }
}

/// Creates the key pair of a directory that has none. If two processes do so at the same time, both use the same pair.
///
/// # Errors
/// Those of the disk, with the file's path.
pub(crate) fn create(data: &Path) -> anyhow::Result<()> {
    let path = data.join(FILE);
    if path.exists() {
        return Ok(());
    }
    let pair = Credentials {
        access_key_id: format!("{PREFIX}{}", random::text(16, Alphabet::Upper)),
        secret_access_key: random::text(40, Alphabet::Alphanumeric),
    };
    let draft = data.join(format!("credentials.{}.tmp", random::uuid()));
    write_private(&draft, &serde_json::to_vec(&pair)?)?;
    let created = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match created {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("cannot write `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

/// Reads the key pair of a directory that has one.
///
/// # Errors
/// If there is none; an [`UnusableState`] if the file is not a key pair.
pub(crate) fn read(data: &Path) -> anyhow::Result<Credentials> {
    let path = data.join(FILE);
    let text = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    parse(&text).map_err(|why| UnusableState::Damaged { path, why }.into())
}

fn parse(text: &[u8]) -> serde_json::Result<Credentials> {
    let pair: Credentials = serde_json::from_slice(text)?;
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if pair.access_key_id.starts_with(PREFIX) && is_word(&pair.access_key_id) && is_word(&pair.secret_access_key) {
        return Ok(pair);
    }
    Err(serde::de::Error::custom("it is not a local cloud's key pair"))
}

/// Whether a file name is one that [`create`] uses for a moment.
pub(crate) fn is_draft(name: &str) -> bool {
    let id = name.strip_prefix("credentials.").and_then(|rest| rest.strip_suffix(".tmp"));
    id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
}
