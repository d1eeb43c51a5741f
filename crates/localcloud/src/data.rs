//! The data directory: its marker, key pair, lock, state file and code.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::world::World;
use crate::world::function::Version;
use crate::{Credentials, MARKER};

#[derive(Serialize, Deserialize)]
struct KeyPair {
    access_key_id: String,
    secret_access_key: String,
}

/// Makes the directory and its marker, so that nobody else can read what is in it.
pub(crate) fn prepare(data: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(data).with_context(|| format!("cannot create `{}`", data.display()))?;
    if !data.join(MARKER).exists() {
        // Taking over a directory full of something else would let `reset` delete it.
        // Somebody else may have marked it since: then it is not empty, and ours.
        if fs::read_dir(data)?.next().is_some() && !data.join(MARKER).exists() {
            bail!("`{}` is neither empty nor a data directory of the local cloud", data.display());
        }
        write_private(&data.join(MARKER), b"a data directory of the local cloud; `reset` deletes it\n")?;
    }
    fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// Reads the key pair, or makes it; of two that make it at once, one wins and both use it.
pub(crate) fn credentials(data: &Path) -> anyhow::Result<Credentials> {
    prepare(data)?;
    let path = data.join("credentials.json");
    if !path.exists() {
        let pair = KeyPair { access_key_id: format!("LOCL{}", random(16, 26)), secret_access_key: random(40, 62) };
        let draft = data.join(format!("credentials.{}.tmp", uuid::Uuid::new_v4()));
        write_private(&draft, &serde_json::to_vec(&pair)?)?;
        let made = fs::hard_link(&draft, &path);
        fs::remove_file(&draft)?;
        if let Err(error) = made
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(error).with_context(|| format!("cannot write `{}`", path.display()));
        }
    }
    let text = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let pair: KeyPair =
        serde_json::from_slice(&text).with_context(|| format!("`{}` is not a key pair", path.display()))?;
    Ok(Credentials { access_key_id: pair.access_key_id, secret_access_key: pair.secret_access_key })
}

/// Letters and digits that nobody can guess, from the beginning of the alphabet.
pub(crate) fn random(length: usize, alphabet: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(LETTERS[rng.random_range(0..alphabet)])).collect()
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(bytes)?;
    Ok(())
}

/// A data directory that this process alone serves.
pub(crate) struct Directory {
    root: PathBuf,
    _lock: File,
}

impl Directory {
    /// Takes the directory; an error says so when another cloud has it.
    pub(crate) fn take(root: &Path) -> anyhow::Result<Self> {
        prepare(root)?;
        let root = fs::canonicalize(root)?;
        let path = root.join("lock");
        let lock = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .with_context(|| format!("another local cloud already serves `{}`", root.display()))?;
        for name in ["code", "logs", "opt", "run", "s3"] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(root.join(name))?;
        }
        Ok(Self { root, _lock: lock })
    }

    /// Where an unpacked zip lies, named by its digest in hex.
    pub(crate) fn code(&self, digest: &str) -> PathBuf {
        self.root.join("code").join(digest)
    }

    /// The zip itself.
    pub(crate) fn zip(&self, digest: &str) -> PathBuf {
        self.root.join("code").join(format!("{digest}.zip"))
    }

    /// Where log streams lie.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Where layers lie as functions find them, one over the other.
    pub(crate) fn opt(&self) -> PathBuf {
        self.root.join("opt")
    }

    /// Where the objects of buckets lie.
    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("s3")
    }

    /// Where an instance has its own HOME and TMPDIR.
    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The root, without links in its path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Reads all that exists; an empty world on the first day.
    pub(crate) fn load(&self) -> anyhow::Result<World> {
        let path = self.root.join("state.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("`{}` is damaged; `local reset` begins anew", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(World::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// Removes code that nothing uses any more, and what killed instances left.
    pub(crate) fn clean<'a>(&self, world: &'a World) {
        let functions = world.regions.values().flat_map(|region| region.functions.values());
        let versions = functions.flat_map(|function| function.versions.values().chain([&function.latest]));
        let of_version = |version: &'a Version| {
            let (running, code, _) = version.runs();
            let layers = version.configuration.layers.iter().chain(&running.layers);
            let layers = layers.filter_map(|layer| layer.digest.as_deref());
            layers.chain([version.code.digest.as_str(), code.digest.as_str()])
        };
        let published = world.regions.values().flat_map(|region| region.layers.values());
        let published = published.flat_map(|layer| layer.versions.values()).map(|version| version.digest.as_str());
        let used: HashSet<&str> = versions.flat_map(of_version).chain(published).collect();
        for entry in fs::read_dir(self.root.join("code")).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !used.contains(name.trim_end_matches(".zip")) {
                // What cannot be removed now is tried again next time.
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
        let rests = [self.run(), self.opt()].map(|place| fs::read_dir(place).into_iter().flatten().flatten());
        for entry in rests.into_iter().flatten() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }

    /// Writes all that exists, whole or not at all.
    pub(crate) fn save(&self, world: &World) -> anyhow::Result<()> {
        let draft = self.root.join("state.json.tmp");
        write_private(&draft, &serde_json::to_vec(world)?)?;
        fs::rename(&draft, self.root.join("state.json"))?;
        Ok(())
    }

    /// Appends a line to `cloud.log`; a full disk must not stop the cloud, so this never fails.
    pub(crate) fn note(&self, line: &str) {
        let at = crate::wire::date::log(crate::wire::date::now());
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(self.root.join("cloud.log"));
        if let Ok(mut file) = file {
            let _ = file.write_all(format!("{at} {}\n", line.replace('\n', "\\n")).as_bytes());
        }
    }
}
