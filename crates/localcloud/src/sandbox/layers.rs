//! What a function finds at `/opt`: its layers, one laid over the other.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::cloud::Cloud;
use crate::disk::remove_tree;
use crate::uses::{DRAFT, Use};
use crate::world::configuration::Layer;

/// The wrapper script of the adapter's layers: it starts the handler in the runtime's place.
const WRAPPER: &str = "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/$_HANDLER\"\n";

/// The directory with all of a function's layers, in use from now on; none where it has none.
///
/// # Errors
/// When the adapter is not installed any more, or the disk refuses.
pub(super) fn directory(cloud: &Cloud, layers: &[Layer]) -> anyhow::Result<Option<(PathBuf, Use)>> {
    if layers.is_empty() {
        return Ok(None);
    }
    let target = target(cloud, layers)?;
    let begun = cloud.data.uses.begin(target.clone());
    if target.is_dir() {
        return Ok(Some((target, begun)));
    }
    let draft = cloud.data.opt().join(format!("{}{DRAFT}", uuid::Uuid::new_v4()));
    let made = lay(cloud, layers, &draft).and_then(|()| match fs::rename(&draft, &target) {
        Err(error) if !target.is_dir() => Err(error.into()),
        _ => Ok(()),
    });
    // The draft is still there if it could not be finished, or if another instance was faster.
    let _ = remove_tree(&draft);
    made.map(|()| Some((target, begun)))
}

/// Where the layers of a version are, or would be; none where that cannot be told.
pub(crate) fn layers_at(cloud: &Cloud, layers: &[Layer]) -> Option<PathBuf> {
    target(cloud, layers).ok()
}

fn target(cloud: &Cloud, layers: &[Layer]) -> anyhow::Result<PathBuf> {
    let mut key = Sha256::new();
    for layer in layers {
        key.update(layer.digest.as_deref().unwrap_or("adapter"));
        key.update("\n");
    }
    if layers.iter().any(Layer::is_adapter) {
        let adapter = adapter(cloud)?;
        let metadata = fs::metadata(adapter)?;
        key.update(format!("{} {} {}", adapter.display(), metadata.len(), metadata.mtime_nsec()));
    }
    let name: String = key.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(cloud.data.opt().join(name))
}

fn lay(cloud: &Cloud, layers: &[Layer], draft: &Path) -> anyhow::Result<()> {
    for layer in layers {
        match &layer.digest {
            Some(digest) => lay_over(&cloud.data.code(digest), draft)?,
            None if layer.is_adapter() => make_adapter(adapter(cloud)?, draft)?,
            None => bail!("the layer {} is not here", layer.arn),
        }
    }
    Ok(())
}

/// Where the adapter's program is.
///
/// # Errors
/// When it is nowhere.
pub(crate) fn adapter(cloud: &Cloud) -> anyhow::Result<&Path> {
    match &cloud.options.adapter {
        Some(path) if path.is_file() => Ok(path),
        Some(path) => bail!("Lambda Web Adapter is not installed here: there is no `{}`", path.display()),
        None => bail!("Lambda Web Adapter is not installed here: nobody said where it would be"),
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

/// Files are linked: nothing writes into either place.
fn lay_over(from: &Path, to: &Path) -> anyhow::Result<()> {
    make_directory(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read the layer `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            lay_over(&entry.path(), &target)?;
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
