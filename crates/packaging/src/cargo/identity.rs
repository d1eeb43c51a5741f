//! Path dependencies outside the workspace, and how they become the same in every checkout.
//!
//! Cargo identifies a package of the workspace by its path in it, but one outside by its absolute path. The identity is
//! part of the symbols of the package and of all that depend on it, so two checkouts would give two binaries. A script
//! between cargo and the compiler gives each package an identity that follows from its place relative to the workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, Package};
use toml::Table;

use super::configuration::{Configuration, lookup, patch_paths};
use super::toolchain::Toolchain;
use crate::error::BuildError;

/// The name of the workspace's root in a binary.
pub(super) const WORKSPACE: &str = "/workspace";
/// The script's name in the build directory.
const SCRIPT: &str = ".lamstream-rustc";

/// The directories of the packages outside the workspace that the crate depends on by a path, or that a `[patch]`
/// replaces others with.
pub(super) async fn outside(
    toolchain: &Toolchain,
    crate_dir: &Path,
    metadata: &Metadata,
    manifest: &Table,
    configuration: &Configuration,
) -> Vec<PathBuf> {
    let root = metadata.workspace_root.as_std_path();
    let reached = reached(toolchain, crate_dir, metadata, manifest, configuration).await;
    reached.into_iter().filter(|directory| !directory.starts_with(root)).collect()
}

/// The directories of all packages that the crate is built from and that are on this machine: its own, those that it
/// depends on by a path, and those that a `[patch]` replaces others with.
pub(super) async fn reached(
    toolchain: &Toolchain,
    crate_dir: &Path,
    metadata: &Metadata,
    manifest: &Table,
    configuration: &Configuration,
) -> BTreeSet<PathBuf> {
    let root = metadata.workspace_root.as_std_path();
    let mut known: Vec<Package> = metadata.packages.clone();
    let patches = lookup(manifest, &["patch"]).into_iter().flat_map(patch_paths).map(|path| root.join(path));
    let mut open: Vec<PathBuf> = patches.chain(configuration.patches()).map(|path| normal(&path)).collect();
    open.push(crate_dir.to_path_buf());
    let mut seen = BTreeSet::new();
    while let Some(directory) = open.pop() {
        if !seen.insert(directory.clone()) {
            continue;
        }
        let is_it = |package: &&Package| package.manifest_path.as_std_path().parent() == Some(&directory);
        if !known.iter().any(|package| is_it(&package))
            // Cargo itself reports a package that cannot be read.
            && let Ok(found) = toolchain.metadata(&directory).await
        {
            known.extend(found.packages);
        }
        let dependencies = known.iter().find(is_it).into_iter().flat_map(|package| &package.dependencies);
        let built = dependencies.filter(|needed| needed.kind != DependencyKind::Development);
        open.extend(built.filter_map(|needed| Some(needed.path.clone()?.into_std_path_buf())));
    }
    seen
}

/// The path without `.` and `..`, as cargo writes it: links are not resolved.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    path.components().fold(PathBuf::new(), |mut normal, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
        normal
    })
}

/// The name of a directory in the binary, such as `/workspace/../libs/words`. `None` if it has nothing in common with the
/// workspace: then its absolute path is the same in every checkout, or nothing is.
pub(super) fn place(directory: &Path, root: &Path) -> Option<String> {
    let common = directory.components().zip(root.components()).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..".into(), root.components().count() - common);
    let down = directory.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = std::iter::once(WORKSPACE.into()).chain(up).chain(down).collect();
    (common > 1).then(|| parts.join("/"))
}

/// A program between cargo and the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script(String);

impl Script {
    /// Returns its path.
    ///
    /// # Errors
    /// When the build directory cannot be written.
    pub(super) fn write(&self, build_dir: &Path) -> Result<PathBuf, BuildError> {
        use std::os::unix::fs::PermissionsExt;
        let path = build_dir.join(SCRIPT);
        // If the file changes, cargo asks the compiler for its version again.
        if std::fs::read_to_string(&path).is_ok_and(|known| known == self.0) {
            return Ok(path);
        }
        let written = std::fs::write(&path, &self.0);
        let written = written.and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)));
        written.map_err(|error| BuildError::new(format!("cannot write `{}`", path.display())).because(error))?;
        Ok(path)
    }
}

/// `places` are directories and their names in the binary, `wrapper` is a program that the user has put before the
/// compiler.
pub(super) fn script(places: &[(&Path, String)], wrapper: Option<&Path>) -> Script {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut places: Vec<_> = places.iter().collect();
    // Of two nested directories, the inner one counts.
    places.sort_by_key(|(path, _)| std::cmp::Reverse(path.components().count()));
    let cases = places.iter().map(|(path, place)| {
        let (path, place) = (quoted(&path.to_string_lossy()), quoted(place));
        format!("{path}|{path}/*) place={place}${{CARGO_MANIFEST_DIR#{path}}} ;;\n")
    });
    let cases: String = cases.collect();
    let wrapper = wrapper.map(|wrapper| format!("{} ", quoted(&wrapper.to_string_lossy()))).unwrap_or_default();
    Script(format!(
        "#!/bin/sh\n\
         # Written by lamstream: the same crate is the same to the compiler, wherever it is checked out.\n\
         case $CARGO_MANIFEST_DIR in\n{cases}*) place=$CARGO_MANIFEST_DIR ;;\nesac\n\
         for argument do\n  shift\n  case $argument in\n\
         \x20 metadata=*) argument=\"metadata=$place $CARGO_PKG_NAME $CARGO_PKG_VERSION\" ;;\n  esac\n\
         \x20 set -- \"$@\" \"$argument\"\ndone\n\
         if [ -n \"$OUT_DIR\" ]; then\n  set -- \"$@\" \"--remap-path-prefix=$OUT_DIR=/target/build/$CARGO_PKG_NAME/out\"\nfi\n\
         exec {wrapper}\"$@\"\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_relative_to_the_workspace() {
        let of = |directory: &str| place(Path::new(directory), Path::new("/home/me/app"));
        assert_eq!(of("/home/me/libs/words"), Some("/workspace/../libs/words".into()));
        assert_eq!(of("/home/other/words"), Some("/workspace/../../other/words".into()));
        assert_eq!(of("/opt/words"), None);
    }

    #[test]
    fn paths_are_written_as_cargo_writes_them() {
        assert_eq!(normal(Path::new("/w/app/../libs/./words")), Path::new("/w/libs/words"));
    }
}
