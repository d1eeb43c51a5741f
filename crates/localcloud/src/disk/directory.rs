//! The data directory of a running cloud, and where everything is in it.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};

use super::contents::Contents;
use super::files::{DRAFT, make_directory, remove_tree};
use super::key_pair::{self, Credentials};
use super::ownership::{self, DIRECTORIES, prepare};
use super::state;
use super::uses::Uses;
use crate::clock;
use crate::wire::date;
use crate::world::World;

/// Creates the key pair of a data directory if it has none, and reads it. This completes the directory, which then gets
/// its marker.
///
/// # Errors
/// If the directory cannot be used, or belongs to another user.
pub(crate) fn credentials(data: &Path) -> anyhow::Result<Credentials> {
    ownership::prepare(data)?;
    key_pair::create(data)?;
    let pair = key_pair::read(data)?;
    ownership::mark(data)?;
    Ok(pair)
}

/// A data directory that this process alone serves.
pub(crate) struct Directory {
    root: PathBuf,
    /// The paths in `code` and `opt` that must not be deleted.
    pub(crate) uses: Uses,
    /// The files in `code`.
    pub(crate) contents: Contents,
    lock: File,
}

impl Drop for Directory {
    /// Closing the file is not enough: a child that was forked a moment ago shares the lock until its exec.
    fn drop(&mut self) {
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

impl Directory {
    /// Takes the directory.
    ///
    /// # Errors
    /// If it cannot be used, or another cloud serves it.
    pub(crate) fn take(root: &Path) -> anyhow::Result<Self> {
        prepare(root)?;
        let root = fs::canonicalize(root)?;
        let path = root.join("lock");
        let lock = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .with_context(|| format!("another local cloud already serves `{}`", root.display()))?;
        for path in DIRECTORIES.map(|name| root.join(name)) {
            make_directory(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        }
        let contents = Contents::new(root.join("files"));
        Ok(Self { root, uses: Uses::default(), contents, lock })
    }

    /// The directory of an unpacked zip, named by the digest in hex.
    pub(crate) fn code(&self, digest: &str) -> PathBuf {
        self.root.join("code").join(digest)
    }

    /// The zip itself.
    pub(crate) fn zip(&self, digest: &str) -> PathBuf {
        self.root.join("code").join(format!("{digest}.zip"))
    }

    /// The directory of the log streams.
    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The directory of the layers as functions see them, merged into one tree per combination.
    pub(crate) fn opt(&self) -> PathBuf {
        self.root.join("opt")
    }

    /// The directory of the objects in buckets.
    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("s3")
    }

    /// The directory in which each instance has its own HOME and TMPDIR.
    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The directory where all versions of a function see their code, each in its own mount namespace.
    pub(crate) fn task(&self, region: &str, function: &str) -> PathBuf {
        self.root.join("task").join(region).join(function)
    }

    /// The directory of the modules that Python has compiled.
    pub(crate) fn python_cache(&self) -> PathBuf {
        self.root.join("pycache")
    }

    /// The data directory itself, without symbolic links in its path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Reads everything that exists; an empty world in a new directory.
    ///
    /// # Errors
    /// If the state file cannot be read, is damaged, or was written by a newer version.
    pub(crate) fn load(&self) -> anyhow::Result<World> {
        state::load(&self.root)
    }

    /// Removes what a killed cloud left behind: directories of instances, drafts, and objects that the state does not
    /// name.
    pub(crate) fn clean(&self, world: &World) {
        let objects: HashSet<&str> = world.buckets.values().flat_map(|bucket| bucket.files()).collect();
        let is_draft = |path: &PathBuf| path.to_string_lossy().ends_with(DRAFT);
        let unknown = |path: &PathBuf| !path.file_name().is_some_and(|name| objects.contains(&*name.to_string_lossy()));
        let code = listed(&self.root.join("code")).chain(listed(&self.root.join("files"))).filter(is_draft);
        let leftovers = listed(&self.run()).chain(listed(&self.opt())).chain(code);
        for path in leftovers.chain(listed(&self.objects()).filter(unknown)) {
            // What cannot be removed now is tried again at the next start.
            let _ = remove_tree(&path);
        }
        self.contents.remove_unused();
        self.clean_tasks(world);
    }

    /// Removes the places of functions that do not exist, with the modules that Python compiled there.
    fn clean_tasks(&self, world: &World) {
        let tasks = self.root.join("task");
        let compiled = self.python_cache().join(tasks.strip_prefix("/").unwrap_or(&tasks));
        let exists = |region: &str, function: &str| {
            world.regions.get(region).is_some_and(|region| region.functions.contains_key(function))
        };
        for region in listed(&tasks) {
            for task in listed(&region) {
                let (Ok(name), Ok(of)) = (task.strip_prefix(&region), region.strip_prefix(&tasks)) else { continue };
                if !exists(&of.to_string_lossy(), &name.to_string_lossy()) {
                    let _ = remove_tree(&compiled.join(of).join(name));
                    let _ = remove_tree(&task);
                }
            }
        }
    }

    /// All directories of unpacked code and of merged layers, and all zips.
    pub(crate) fn unpacked(&self) -> Vec<PathBuf> {
        let is_whole = |path: &PathBuf| !path.to_string_lossy().ends_with(DRAFT);
        listed(&self.root.join("code")).chain(listed(&self.opt())).filter(is_whole).collect()
    }

    /// Writes everything that exists, completely or not at all.
    ///
    /// # Errors
    /// If it cannot be written: what was written before is still there.
    pub(crate) fn save(&self, world: &World) -> anyhow::Result<()> {
        state::save(&self.root, world)
    }

    /// Appends a line to `cloud.log`. This never fails: a full disk must not stop the cloud.
    pub(crate) fn note(&self, line: &str) {
        let at = date::log(clock::now());
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(self.root.join("cloud.log"));
        if let Ok(mut file) = file {
            let _ = file.write_all(format!("{at} {}\n", line.replace('\n', "\\n")).as_bytes());
        }
    }
}

fn listed(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}
