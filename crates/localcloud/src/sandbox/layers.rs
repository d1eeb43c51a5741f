//! A function's layers, merged into one directory: what it finds at `/opt`.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{AtFlags, CWD, linkat};
use sha2::{Digest, Sha256};

use super::host::Host;
use crate::disk::files::{draft_in, remove_tree};
use crate::disk::uses::Use;
use crate::platform::executables::this_program;
use crate::world::configuration::Layer;

/// The wrapper script of the adapter's layers, which starts the handler instead of the runtime.
const WRAPPER: &str = "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/$_HANDLER\"\n";

/// The directory with all of a function's layers, kept in use; `None` if it has no layers.
///
/// # Errors
/// If the adapter no longer exists, or those of the disk.
pub(super) fn merge(host: &Host, layers: &[Layer]) -> anyhow::Result<Option<(PathBuf, Use)>> {
    if layers.is_empty() {
        return Ok(None);
    }
    let target = target(host, layers)?;
    let begun = host.store.data.uses.begin(target.clone());
    if target.is_dir() {
        return Ok(Some((target, begun)));
    }
    let draft = draft_in(&host.store.data.opt());
    let merged = merge_into(host, layers, &draft).and_then(|()| match fs::rename(&draft, &target) {
        Err(error) if !target.is_dir() => Err(error.into()),
        _ => Ok(()),
    });
    // The draft still exists if it could not be completed, or if another instance was faster.
    let _ = remove_tree(&draft);
    merged.map(|()| Some((target, begun)))
}

/// The directory of a version's layers, whether it exists or not; `None` if the adapter is missing.
pub(crate) fn layers_directory(host: &Host, layers: &[Layer]) -> Option<PathBuf> {
    target(host, layers).ok()
}

fn target(host: &Host, layers: &[Layer]) -> anyhow::Result<PathBuf> {
    let mut key = Sha256::new();
    for layer in layers {
        key.update(layer.digest.as_deref().unwrap_or("adapter"));
        key.update("\n");
    }
    if layers.iter().any(Layer::is_adapter) {
        let adapter = adapter(host)?;
        let metadata = fs::metadata(adapter)?;
        key.update(format!("{} {} {}", adapter.display(), metadata.len(), metadata.mtime_nsec()));
    }
    let name = &key.finalize()[..16];
    Ok(host.store.data.opt().join(hex::encode(name)))
}

fn merge_into(host: &Host, layers: &[Layer], draft: &Path) -> anyhow::Result<()> {
    for layer in layers {
        match &layer.digest {
            Some(digest) => link_tree(&host.store.data.code(digest), draft)?,
            None if layer.is_adapter() => make_adapter(adapter(host)?, draft)?,
            None => bail!("the layer {} is missing", layer.arn),
        }
    }
    Ok(())
}

/// The adapter's program.
///
/// # Errors
/// If there is none.
pub(crate) fn adapter(host: &Host) -> anyhow::Result<&Path> {
    let programs = &host.options.adapters;
    match (programs.iter().find(|program| program.is_file()), programs.last()) {
        (Some(program), _) => Ok(program),
        (None, Some(last)) => bail!("Lambda Web Adapter is not installed here: `{}` does not exist", last.display()),
        (None, None) => bail!("Lambda Web Adapter is not installed here: the local cloud was started without its path"),
    }
}

fn make_adapter(program: &Path, draft: &Path) -> anyhow::Result<()> {
    let extensions = draft.join("extensions");
    // A layer may have a link of this name, which may lead anywhere.
    if fs::symlink_metadata(&extensions).is_ok_and(|found| !found.is_dir()) {
        fs::remove_file(&extensions)?;
    }
    let (wrapper, extension) = (draft.join("bootstrap"), extensions.join("lambda-adapter"));
    make_directory(&extensions)?;
    for path in [&wrapper, &extension] {
        remove_tree(path)?;
    }
    fs::write(&wrapper, WRAPPER)?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o555))?;
    if !link_this_program(program, &extension) {
        fs::copy(program, &extension)?;
        fs::set_permissions(&extension, fs::Permissions::from_mode(0o555))?;
    }
    Ok(())
}

/// Whether a program is this one and could be linked, which takes no space. Nothing writes to a program that runs, so the
/// link stays what it is. Functions must be allowed to run it as it is: its mode is that of the original.
fn link_this_program(program: &Path, path: &Path) -> bool {
    program == this_program()
        && fs::metadata(program).is_ok_and(|found| found.permissions().mode() & 0o5 == 0o5)
        && linkat(CWD, program, CWD, path, AtFlags::SYMLINK_FOLLOW).is_ok()
}

/// Adds the files of one layer to a directory. They are hard-linked, as nothing ever writes to them; so are symbolic
/// links. A directory that functions may not read stays one.
fn link_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(to).is_ok_and(|found| !found.is_dir()) {
        fs::remove_file(to)?;
    }
    make_directory(to)?;
    if fs::metadata(from)?.permissions().mode() & 0o5 != 0o5 {
        return Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o000))?);
    }
    for entry in fs::read_dir(from).with_context(|| format!("cannot read the layer `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_tree(&entry.path(), &target)?;
        } else {
            remove_tree(&target)?;
            fs::hard_link(entry.path(), &target).or_else(|_| copy(&entry.path(), &target))?;
        }
    }
    Ok(())
}

/// Copies a file, or a symbolic link, where hard links are not supported.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::read_link(from) {
        Ok(target) => std::os::unix::fs::symlink(target, to),
        Err(_) => fs::copy(from, to).map(|_| ()),
    }
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of the adapter in its layer, and that of the program which it was made of.
    fn made_of(program: &Path) -> (fs::Metadata, fs::Metadata) {
        // Links do not lead to another file system.
        let here = std::env::current_exe().expect("this program");
        let draft = tempfile::tempdir_in(here.parent().expect("its directory")).expect("a directory");
        make_adapter(program, draft.path()).expect("it is made");
        make_adapter(program, draft.path()).expect("it is made again");
        let file = fs::metadata(draft.path().join("extensions/lambda-adapter")).expect("the adapter");
        (file, fs::metadata(program).expect("the program"))
    }

    #[test]
    fn this_program_is_linked_and_another_one_is_copied_and_executable() {
        let (file, program) = made_of(&this_program());
        assert_eq!((file.ino(), file.mode()), (program.ino(), program.mode()));
        let other = tempfile::NamedTempFile::new().expect("a file");
        let (file, program) = made_of(other.path());
        assert_ne!(file.ino(), program.ino());
        assert_eq!((file.mode() & 0o777, program.mode() & 0o777), (0o555, 0o600));
    }

    #[test]
    fn nothing_is_written_through_the_link_of_a_layer() {
        let outer = tempfile::tempdir().expect("a directory");
        let (draft, outside) = (outer.path().join("draft"), outer.path().join("outside"));
        let program = outer.path().join("program");
        fs::write(&program, "the adapter").expect("a program");
        for directory in [&draft, &outside] {
            fs::create_dir(directory).expect("a directory");
        }
        fs::write(outside.join("lambda-adapter"), "another file").expect("a file");
        std::os::unix::fs::symlink(&outside, draft.join("extensions")).expect("a link");
        make_adapter(&program, &draft).expect("the adapter");
        assert_eq!(fs::read_to_string(outside.join("lambda-adapter")).expect("it stays"), "another file");
        assert_eq!(fs::read_to_string(draft.join("extensions/lambda-adapter")).expect("it is there"), "the adapter");
        let layer = outer.path().join("layer");
        fs::create_dir_all(layer.join("sub")).expect("a directory");
        fs::write(layer.join("sub/file"), "new").expect("a file");
        std::os::unix::fs::symlink(&outside, draft.join("sub")).expect("a link");
        link_tree(&layer, &draft).expect("merged");
        assert!(!outside.join("file").exists());
        assert_eq!(fs::read_to_string(draft.join("sub/file")).expect("it is there"), "new");
    }
}
