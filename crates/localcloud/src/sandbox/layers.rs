//! A function's layers, merged into one directory: what it finds at `/opt`.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::host::Host;
use crate::disk::files::{draft_in, remove_tree};
use crate::disk::uses::Use;
use crate::world::configuration::Layer;

/// The wrapper script of the adapter's layers, which starts the handler instead of the runtime.
const WRAPPER: &str = "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/$_HANDLER\"\n";

/// The directory with all of a function's layers, kept in use; `None` if it has no layers.
///
/// # Errors
/// If the adapter is no longer installed, or those of the disk.
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
    let name: String = key.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(host.store.data.opt().join(name))
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
/// If it is not installed.
pub(crate) fn adapter(host: &Host) -> anyhow::Result<&Path> {
    match &host.options.adapter {
        Some(path) if path.is_file() => Ok(path),
        Some(path) => bail!("Lambda Web Adapter is not installed here: there is no `{}`", path.display()),
        None => bail!("Lambda Web Adapter is not installed here: the local cloud was started without its path"),
    }
}

fn make_adapter(program: &Path, draft: &Path) -> anyhow::Result<()> {
    make_directory(&draft.join("extensions"))?;
    let file = |name: &str, write: &dyn Fn(&Path) -> std::io::Result<()>| {
        let path = draft.join(name);
        let _ = fs::remove_file(&path);
        write(&path).and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o555)))
    };
    file("bootstrap", &|path| fs::write(path, WRAPPER))?;
    file("extensions/lambda-adapter", &|path| fs::copy(program, path).map(|_| ()))?;
    Ok(())
}

/// Adds the files of one layer to a directory. They are hard-linked, as nothing ever writes to them.
fn link_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    make_directory(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read the layer `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link_tree(&entry.path(), &target)?;
        } else {
            let _ = fs::remove_file(&target);
            fs::hard_link(entry.path(), &target).or_else(|_| fs::copy(entry.path(), &target).map(|_| ()))?;
        }
    }
    Ok(())
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}
