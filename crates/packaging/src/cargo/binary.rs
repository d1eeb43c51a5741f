//! Which package and which binary of a crate's directory to build, by cargo's metadata.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, Package};

use crate::error::{BuildError, list};

/// Preferred among several binaries: Lambda starts a file of this name.
const BOOTSTRAP: &str = "bootstrap";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    pub package: String,
    /// As cargo's `--package` takes it: a dependency may have the same name.
    pub package_id: String,
    pub bin: String,
    pub workspace_root: PathBuf,
    /// Cargo's own target directory for it.
    pub target_dir: PathBuf,
    /// Whether cargo can keep intermediate artifacts outside the target directory.
    pub splits: bool,
}

/// Chooses from the output of `cargo metadata` for `crate_dir`, a canonical path.
pub fn choose(metadata: &Metadata, crate_dir: &Path, bin: Option<&str>) -> Result<Binary, BuildError> {
    let manifest = crate_dir.join("Cargo.toml");
    let package = metadata
        .packages
        .iter()
        .find(|package| package.manifest_path.as_std_path() == manifest)
        .ok_or_else(|| virtual_workspace(metadata, crate_dir))?;
    let bin = choose_bin(package, bin)?;
    refuse_without_features(package, &bin)?;
    Ok(Binary {
        package: package.name.to_string(),
        package_id: package.id.repr.clone(),
        bin,
        workspace_root: metadata.workspace_root.clone().into_std_path_buf(),
        target_dir: metadata.target_directory.clone().into_std_path_buf(),
        splits: metadata.build_directory.is_some(),
    })
}

fn choose_bin(package: &Package, wanted: Option<&str>) -> Result<String, BuildError> {
    let bins: Vec<&str> =
        package.targets.iter().filter(|target| target.is_bin()).map(|target| target.name.as_str()).collect();
    let has = |name: &str| bins.contains(&name).then(|| name.to_string());
    let name = &package.name;
    if let Some(wanted) = wanted {
        return has(wanted).ok_or_else(|| {
            BuildError::new(format!("cannot build `{name}`: it has no binary `{wanted}`"))
                .at(&["bin"])
                .hint(format!("its binaries: {}", list(bins.iter().copied())))
        });
    }
    match bins.as_slice() {
        [] => Err(BuildError::new(format!("cannot build `{name}`: it is a library and has no binary to run"))
            .at(&["crate"])
            .hint("give it a `src/main.rs` that calls the library")),
        [only] => Ok((*only).to_string()),
        _ => has(BOOTSTRAP).or_else(|| package.default_run.as_deref().and_then(has)).ok_or_else(|| {
            BuildError::new(format!("cannot build `{name}`: it has several binaries: {}", list(bins.iter().copied())))
                .at(&["crate"])
                .hint("name one of them with `bin`, or call it `bootstrap`")
        }),
    }
}

/// Cargo builds with the default features, and refuses a binary that requires others.
fn refuse_without_features(package: &Package, bin: &str) -> Result<(), BuildError> {
    let target = package.targets.iter().find(|target| target.is_bin() && target.name == bin);
    let (mut on, mut open) = (BTreeSet::new(), vec!["default"]);
    while let Some(feature) = open.pop() {
        if on.insert(feature) {
            open.extend(package.features.get(feature).into_iter().flatten().map(String::as_str));
        }
    }
    // A dependency's feature may be enabled in other ways.
    let is_off = |feature: &&str| !on.contains(feature) && !feature.contains('/');
    let required = target.into_iter().flat_map(|target| &target.required_features);
    let off: Vec<&str> = required.map(String::as_str).filter(is_off).collect();
    if off.is_empty() {
        return Ok(());
    }
    let (name, list) = (&package.name, list(off.iter().copied()));
    Err(BuildError::new(format!(
        "cannot build `{name}`: its binary `{bin}` requires {list}, which its default features do not include"
    ))
    .at(&["bin", "crate"])
    .hint(format!("add {list} to `default` in the `[features]` of `{}`", package.manifest_path)))
}

fn virtual_workspace(metadata: &Metadata, crate_dir: &Path) -> BuildError {
    let mut packages: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|package| package.manifest_path.parent())
        .map(|dir| dir.strip_prefix(crate_dir).unwrap_or(dir).to_string())
        .collect();
    packages.sort();
    BuildError::new(format!("cannot build `{}`: it is a workspace without a root package", crate_dir.display()))
        .at(&["crate"])
        .hint(format!("choose one of its packages: {}", list(packages.iter().map(String::as_str))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(bins: &[&str], default_run: Option<&str>) -> Metadata {
        let target = |name: &str, kind: &str| {
            json!({"name": name, "kind": [kind], "crate_types": [kind], "src_path": "/w/chat/src/x.rs",
                   "edition": "2024", "doctest": false, "test": true, "doc": true})
        };
        let mut targets: Vec<_> = bins.iter().map(|name| target(name, "bin")).collect();
        targets.push(target("chat", "lib"));
        serde_json::from_value(json!({
            "packages": [{
                "name": "chat", "version": "0.1.0", "id": "path+file:///w/chat#0.1.0", "dependencies": [],
                "targets": targets, "features": {}, "manifest_path": "/w/chat/Cargo.toml", "default_run": default_run,
            }],
            "workspace_members": ["path+file:///w/chat#0.1.0"], "resolve": null, "workspace_root": "/w",
            "target_directory": "/w/target", "version": 1,
        }))
        .unwrap()
    }

    fn chosen(bins: &[&str], default_run: Option<&str>, wanted: Option<&str>) -> Result<String, BuildError> {
        choose(&metadata(bins, default_run), Path::new("/w/chat"), wanted).map(|binary| binary.bin)
    }

    #[test]
    fn the_binary_is_the_wanted_the_only_the_bootstrap_or_the_default_one() {
        assert_eq!(chosen(&["a", "b"], None, Some("b")).unwrap(), "b");
        assert_eq!(chosen(&["a"], None, None).unwrap(), "a");
        assert_eq!(chosen(&["a", "bootstrap"], Some("a"), None).unwrap(), "bootstrap");
        assert_eq!(chosen(&["a", "b"], Some("b"), None).unwrap(), "b");
    }

    #[test]
    fn no_clear_binary_is_an_error_that_lists_them() {
        let several = chosen(&["a", "b", "c"], None, None).unwrap_err();
        assert_eq!(several.message, "cannot build `chat`: it has several binaries: `a`, `b` and `c`");
        let missing = chosen(&["a", "b"], None, Some("z")).unwrap_err();
        assert_eq!(missing.message, "cannot build `chat`: it has no binary `z`");
        assert_eq!(missing.hints, ["its binaries: `a` and `b`"]);
        let library = chosen(&[], None, None).unwrap_err();
        assert_eq!(library.message, "cannot build `chat`: it is a library and has no binary to run");
    }

    #[test]
    fn a_virtual_workspace_is_an_error_that_lists_its_packages() {
        let error = choose(&metadata(&["a"], None), Path::new("/w"), None).unwrap_err();
        assert_eq!(error.message, "cannot build `/w`: it is a workspace without a root package");
        assert_eq!(error.hints, ["choose one of its packages: `chat`"]);
    }
}
