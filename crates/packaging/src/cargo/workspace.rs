//! The packages of a workspace, as cargo sees them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, Package, Target};

use super::configuration::{Configuration, cargo_home, environment};
use super::identity;
use super::toolchain::Toolchain;
use crate::error::BuildError;
use crate::tool;

/// A workspace, or a package that is one by itself.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub directory: PathBuf,
    pub packages: Vec<Member>,
}

/// A package of a workspace.
#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub directory: PathBuf,
    /// Each with the features that it requires and that the defaults do not include.
    pub binaries: Vec<(String, Vec<String>)>,
    pub features: Vec<String>,
    /// The packages that it depends on when it is built.
    pub dependencies: Vec<String>,
}

/// What the crate in a directory is built from on this machine: the directories of packages, and files at the workspace's
/// root.
///
/// # Errors
/// If cargo is missing, or cannot read the crate.
pub async fn local_packages(directory: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let Opened { directory, configuration, toolchain, metadata } = Opened::read(directory).await?;
    let root = metadata.workspace_root.as_std_path();
    let manifest = tool::read_table(&root.join("Cargo.toml"))?;
    let reached = identity::reached(&toolchain, &directory, &metadata, &manifest, &configuration).await;
    // Cargo reads these at the workspace's root, too.
    let of_root = ["Cargo.toml", "Cargo.lock", ".cargo"].map(|name| root.join(name));
    Ok(reached.into_iter().chain(of_root).collect())
}

/// A crate's metadata, and what read it.
struct Opened {
    directory: PathBuf,
    configuration: Configuration,
    toolchain: Toolchain,
    metadata: Metadata,
}

impl Opened {
    async fn read(directory: &Path) -> Result<Opened, BuildError> {
        let directory = directory.canonicalize().map_err(|error| {
            BuildError::new(format!("cannot read the directory `{}`", directory.display())).because(error)
        })?;
        let environment = environment();
        let configuration = Configuration::read(&directory, &cargo_home(&environment, &directory))?;
        let toolchain = Toolchain::find(&directory, &configuration, &environment, None);
        let metadata = toolchain.metadata(&directory).await?;
        Ok(Opened { directory, configuration, toolchain, metadata })
    }
}

impl Workspace {
    /// Reads the workspace of the `Cargo.toml` in a directory. Builds nothing.
    ///
    /// # Errors
    /// If cargo is missing, or cannot read it.
    pub async fn read(directory: &Path) -> Result<Workspace, BuildError> {
        let Opened { metadata, .. } = Opened::read(directory).await?;
        Ok(Workspace::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Workspace {
        let members = metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id));
        Workspace {
            directory: metadata.workspace_root.clone().into_std_path_buf(),
            packages: members.map(Member::of).collect(),
        }
    }
}

impl Member {
    fn of(package: &Package) -> Member {
        let binaries = package.targets.iter().filter(|target| target.is_bin());
        let needed = package.dependencies.iter().filter(|one| one.kind == DependencyKind::Normal);
        Member {
            name: package.name.to_string(),
            directory: package.manifest_path.parent().map(|parent| parent.as_std_path().to_owned()).unwrap_or_default(),
            binaries: binaries.map(|target| (target.name.clone(), missing_features(package, target))).collect(),
            features: package.features.keys().cloned().collect(),
            dependencies: needed.map(|one| one.name.clone()).collect(),
        }
    }
}

/// The features that a binary requires and that the defaults do not include. A dependency's feature may be enabled in
/// other ways.
pub(super) fn missing_features(package: &Package, target: &Target) -> Vec<String> {
    let (mut on, mut open) = (BTreeSet::new(), vec!["default"]);
    while let Some(feature) = open.pop() {
        if on.insert(feature) {
            open.extend(package.features.get(feature).into_iter().flatten().map(String::as_str));
        }
    }
    let is_off = |feature: &&String| !on.contains(feature.as_str()) && !feature.contains('/');
    target.required_features.iter().filter(is_off).cloned().collect()
}
