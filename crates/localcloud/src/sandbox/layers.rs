//! What a function finds at `/opt`: its layers, one laid over the other.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::cloud::Cloud;
use crate::world::configuration::Layer;

/// The wrapper script of the adapter's layers: it starts the handler in the runtime's place.
const WRAPPER: &str = "#!/bin/sh\nexec \"$LAMBDA_TASK_ROOT/$_HANDLER\"\n";

/// The directory with all of a function's layers; none where it has none.
///
/// # Errors
/// When the adapter is not installed any more, or the disk refuses.
pub(super) fn directory(cloud: &Cloud, layers: &[Layer]) -> anyhow::Result<Option<PathBuf>> {
    if layers.is_empty() {
        return Ok(None);
    }
    let adapter = layers.iter().any(Layer::is_adapter).then(|| adapter(cloud)).transpose()?;
    let mut key = Sha256::new();
    for layer in layers {
        key.update(layer.digest.as_deref().unwrap_or("adapter"));
        key.update("\n");
    }
    if let Some(adapter) = &adapter {
        let metadata = fs::metadata(adapter)?;
        key.update(format!("{} {} {}", adapter.display(), metadata.len(), metadata.mtime_nsec()));
    }
    let name: String = key.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let target = cloud.data.opt().join(name);
    if target.is_dir() {
        return Ok(Some(target));
    }
    let draft = cloud.data.opt().join(format!("{}.tmp", uuid::Uuid::new_v4()));
    for layer in layers {
        match (&layer.digest, &adapter) {
            (Some(digest), _) => lay_over(&cloud.data.code(digest), &draft)?,
            (None, Some(adapter)) => make_adapter(adapter, &draft)?,
            (None, None) => bail!("the layer {} is not here", layer.arn),
        }
    }
    match fs::rename(&draft, &target) {
        Err(error) if !target.is_dir() => return Err(error.into()),
        Err(_) => drop(fs::remove_dir_all(&draft)),
        Ok(()) => {}
    }
    Ok(Some(target))
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
