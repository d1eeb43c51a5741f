//! The data directory: its key pair, lock, state file and code.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::Credentials;
use crate::disk::{make_directory, remove_tree, replace, sync_directory, write_private};
use crate::place::{DIRECTORIES, KEY_PAIR, STATE, mark, prepare};
use crate::uses::{DRAFT, Uses};
use crate::world::World;

#[derive(Serialize, Deserialize)]
struct KeyPair {
    access_key_id: String,
    secret_access_key: String,
}

/// Reads the key pair, or makes it; of two that make it at once, one wins and both use it. With it the directory is
/// complete, and gets its marker.
pub(crate) fn credentials(data: &Path) -> anyhow::Result<Credentials> {
    prepare(data)?;
    let path = data.join(KEY_PAIR);
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
    let pair = read_key_pair(data)?;
    mark(data)?;
    Ok(pair)
}

/// Reads the key pair of a directory that has one.
///
/// # Errors
/// When there is none, or it is not a key pair.
pub(crate) fn read_key_pair(data: &Path) -> anyhow::Result<Credentials> {
    let path = data.join(KEY_PAIR);
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

/// A data directory that this process alone serves.
pub(crate) struct Directory {
    root: PathBuf,
    /// What must not be deleted from `code` and `opt`.
    pub(crate) uses: Uses,
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
        for path in DIRECTORIES.map(|name| root.join(name)) {
            make_directory(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        }
        Ok(Self { root, uses: Uses::default(), _lock: lock })
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
        let path = self.root.join(STATE);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("`{}` is damaged; `local reset` begins anew", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(World::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }

    /// Removes what killed instances and cut writes left: places of instances, drafts, objects and logs that the state
    /// does not name.
    pub(crate) fn clean(&self, world: &World) {
        let objects = world.buckets.values().flat_map(|bucket| bucket.objects.values());
        let objects: HashSet<&str> = objects.map(|object| object.file.as_str()).collect();
        let is_draft = |path: &PathBuf| path.to_string_lossy().ends_with(DRAFT);
        let unknown = |path: &PathBuf| !path.file_name().is_some_and(|name| objects.contains(&*name.to_string_lossy()));
        let code = listed(&self.root.join("code")).filter(is_draft);
        let rests = listed(&self.run()).chain(listed(&self.opt())).chain(code);
        for path in rests.chain(listed(&self.objects()).filter(unknown)) {
            // What cannot be removed now is tried again next time.
            let _ = remove_tree(&path);
        }
    }

    /// The directories of unpacked code and of layers, and the zips, that are there now.
    pub(crate) fn unpacked(&self) -> Vec<PathBuf> {
        let is_whole = |path: &PathBuf| !path.to_string_lossy().ends_with(DRAFT);
        listed(&self.root.join("code")).chain(listed(&self.opt())).filter(is_whole).collect()
    }

    /// Writes all that exists, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written: what was written before is still there.
    pub(crate) fn save(&self, world: &World) -> anyhow::Result<()> {
        replace(&self.root.join(STATE), &self.root.join("state.json.tmp"), &serde_json::to_vec(world)?)?;
        // From here on it is what the next start reads: only a power cut could still undo it.
        if let Err(error) = sync_directory(&self.root) {
            self.note(&format!("cannot make sure of `{}` in case of a power cut: {error}", self.root.display()));
        }
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

fn listed(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}
