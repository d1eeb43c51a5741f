//! Which package and which binary of a crate's directory to build, by cargo's metadata.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::semver::Version;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package, Target};

use super::preference::Order;
use crate::error::{BuildError, list};

/// Preferred among several binaries: Lambda starts a file of this name.
const BOOTSTRAP: &str = "bootstrap";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binary {
    pub package: String,
    /// As cargo's `--package` takes it: a dependency may have the same name.
    pub package_id: String,
    pub bin: String,
    /// Its main file.
    pub source: PathBuf,
    /// The newest `rust-version` of the package and of those of the workspace that it depends on, and the name of its package.
    pub rust_version: Option<(Version, String)>,
    pub workspace_root: PathBuf,
    /// Cargo's own target directory for it.
    pub target_dir: PathBuf,
    /// Whether cargo can keep intermediate artifacts outside the target directory.
    pub splits: bool,
    /// Whether the package has a build script, which may write files of its directory.
    pub has_script: bool,
}

/// Chooses from the output of `cargo metadata` for `crate_dir`, a canonical path.
///
/// # Errors
/// When it is not clear which binary is meant, or the package does not have it, or not with the features of `order`.
pub(super) fn choose(
    metadata: &Metadata,
    crate_dir: &Path,
    bin: Option<&str>,
    order: &Order,
) -> Result<Binary, BuildError> {
    let manifest = crate_dir.join("Cargo.toml");
    let package = metadata
        .packages
        .iter()
        .find(|package| package.manifest_path.as_std_path() == manifest)
        .ok_or_else(|| virtual_workspace(metadata, crate_dir))?;
    let bin = choose_bin(package, bin)?;
    refuse_unknown_features(package, order)?;
    refuse_without_features(package, &bin, order)?;
    let source = package.targets.iter().find(|target| target.is_bin() && target.name == bin);
    Ok(Binary {
        source: source.map(|target| target.src_path.clone().into_std_path_buf()).unwrap_or_default(),
        rust_version: rust_version(metadata, package),
        package: package.name.to_string(),
        package_id: package.id.repr.clone(),
        bin,
        workspace_root: metadata.workspace_root.clone().into_std_path_buf(),
        target_dir: metadata.target_directory.clone().into_std_path_buf(),
        splits: metadata.build_directory.is_some(),
        has_script: package.targets.iter().any(|target| target.is_custom_build()),
    })
}

fn choose_bin(package: &Package, wanted: Option<&str>) -> Result<String, BuildError> {
    let bins: Vec<&str> =
        package.targets.iter().filter(|target| target.is_bin()).map(|target| target.name.as_str()).collect();
    let has = |name: &str| bins.contains(&name).then(|| name.to_string());
    let name = &package.name;
    if let Some(wanted) = wanted {
        return has(wanted).ok_or_else(|| match examples(package).find(|example| example.name == wanted) {
            Some(example) => BuildError::new(format!("cannot build `{name}`: `{wanted}` is an example, not a binary"))
                .at(&["bin"])
                .hint(as_binary(package, example)),
            None => BuildError::new(format!("cannot build `{name}`: it has no binary `{wanted}`"))
                .at(&["bin"])
                .hint(format!("its binaries: {}", list(bins.iter().copied()))),
        });
    }
    match bins.as_slice() {
        [] => Err(without_binary(package)),
        [only] => Ok((*only).to_string()),
        _ => has(BOOTSTRAP).or_else(|| package.default_run.as_deref().and_then(has)).ok_or_else(|| {
            BuildError::new(format!("cannot build `{name}`: it has several binaries: {}", list(bins.iter().copied())))
                .at(&["crate"])
                .hint("name one of them with `bin`, or call it `bootstrap`")
        }),
    }
}

fn without_binary(package: &Package) -> BuildError {
    let name = &package.name;
    let is_program = |target: &Target| target.is_custom_build() || target.is_example();
    let error = match examples(package).next() {
        Some(example) if package.targets.iter().all(is_program) => {
            BuildError::new(format!("cannot build `{name}`: it has examples, but no binary to run"))
                .hint(as_binary(package, example))
        }
        _ => BuildError::new(format!("cannot build `{name}`: it is a library and has no binary to run"))
            .hint("give it a `src/main.rs` that calls the library"),
    };
    error.at(&["crate"])
}

fn examples(package: &Package) -> impl Iterator<Item = &Target> {
    package.targets.iter().filter(|target| target.is_example())
}

/// How to build an example as a binary.
fn as_binary(package: &Package, example: &Target) -> String {
    let directory = package.manifest_path.parent();
    let path = directory.and_then(|directory| example.src_path.strip_prefix(directory).ok());
    let (name, path) = (&example.name, path.unwrap_or(&example.src_path));
    format!("make it a binary: add `[[bin]]` with `name = \"{name}\"` and `path = \"{path}\"` to its `Cargo.toml`")
}

/// Only a package of the workspace is known here; cargo compares the others.
fn rust_version(metadata: &Metadata, package: &Package) -> Option<(Version, String)> {
    let (mut open, mut seen) = (vec![package], BTreeSet::new());
    while let Some(package) = open.pop() {
        if !seen.insert(&package.id) {
            continue;
        }
        let is_built = |needed: &&Dependency| {
            needed.kind != DependencyKind::Development && !needed.optional && needed.target.is_none()
        };
        let paths = package.dependencies.iter().filter(is_built).filter_map(|needed| needed.path.as_ref());
        let at = |path: &Utf8PathBuf| metadata.packages.iter().find(|it| it.manifest_path.parent() == Some(path));
        open.extend(paths.filter_map(at));
    }
    let packages = metadata.packages.iter().filter(|package| seen.contains(&package.id));
    packages.filter_map(|package| Some((package.rust_version.clone()?, package.name.to_string()))).max()
}

impl Binary {
    /// What cargo would refuse about the package before it compiles anything; `release` is the compiler's version.
    pub(super) fn refused(&self, release: &str) -> Vec<BuildError> {
        let mut wrong = Vec::new();
        let package = &self.package;
        if !self.source.is_file() {
            let (bin, source) = (&self.bin, self.source.display());
            let error =
                format!("cannot build `{package}`: its binary `{bin}` has no source: `{source}` does not exist");
            wrong.push(BuildError::new(error).hint("correct `path` in its `[[bin]]`, or create the file"));
        }
        let number = |version: &Version| (version.major, version.minor, version.patch);
        if let (Some((wanted, of)), Ok(release)) = (&self.rust_version, Version::parse(release))
            && number(wanted) > number(&release)
        {
            let of = if of == package { "it".to_owned() } else { format!("`{of}`, which it depends on,") };
            let error =
                format!("cannot build `{package}`: {of} requires rustc {wanted}, but the compiler is {release}");
            wrong.push(BuildError::new(error).hint("update Rust, or lower `rust-version` in its `Cargo.toml`"));
        }
        wrong
    }
}

/// A feature of a dependency, with a `/`, is left to cargo.
fn refuse_unknown_features(package: &Package, order: &Order) -> Result<(), BuildError> {
    let is_known = |feature: &str| feature.contains('/') || package.features.contains_key(feature);
    let unknown: Vec<&str> = order.features.iter().map(String::as_str).filter(|feature| !is_known(feature)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let (name, unknown) = (&package.name, list(unknown));
    let error = BuildError::new(format!("cannot build `{name}`: it has no feature {unknown}")).at(&["build.features"]);
    let known = package.features.keys().map(String::as_str).filter(|feature| *feature != "default");
    Err(error.hint(format!("its features: {}", list(known))))
}

/// Cargo refuses a binary that requires a feature which is not enabled.
fn refuse_without_features(package: &Package, bin: &str, order: &Order) -> Result<(), BuildError> {
    let target = package.targets.iter().find(|target| target.is_bin() && target.name == bin);
    let default = order.default_features.then_some("default");
    let (mut on, mut open) = (BTreeSet::new(), default.into_iter().collect::<Vec<_>>());
    open.extend(order.features.iter().map(String::as_str));
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
    let all = order.features.iter().map(String::as_str).chain(off.iter().copied());
    let key = all.map(|feature| format!("\"{feature}\"")).collect::<Vec<_>>().join(", ");
    let (name, off, s) = (&package.name, list(off.iter().copied()), if off.len() == 1 { "" } else { "s" });
    Err(BuildError::new(format!("cannot build `{name}`: its binary `{bin}` requires the feature{s} {off}"))
        .at(&["build.features", "bin", "crate"])
        .hint(format!("set `build.features = [{key}]`")))
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
        choose(&metadata(bins, default_run), Path::new("/w/chat"), wanted, &Order::default()).map(|binary| binary.bin)
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
    fn an_example_is_named_with_what_makes_it_a_binary() {
        let mut metadata = metadata(&["server"], None);
        let package = &mut metadata.packages[0];
        package.targets[1].name = "sse".into();
        package.targets[1].kind = vec![cargo_metadata::TargetKind::Example];
        package.targets[1].src_path = "/w/chat/examples/sse.rs".into();
        let chosen =
            |metadata: &Metadata, bin| choose(metadata, Path::new("/w/chat"), bin, &Order::default()).unwrap_err();
        let hints = [
            "make it a binary: add `[[bin]]` with `name = \"sse\"` and `path = \"examples/sse.rs\"` to its `Cargo.toml`",
        ];
        let named = chosen(&metadata, Some("sse"));
        assert_eq!(
            (named.message, named.hints),
            ("cannot build `chat`: `sse` is an example, not a binary".into(), hints.map(String::from).to_vec())
        );
        metadata.packages[0].targets.remove(0);
        let only = chosen(&metadata, None);
        assert_eq!(
            (only.message, only.hints),
            ("cannot build `chat`: it has examples, but no binary to run".into(), hints.map(String::from).to_vec())
        );
    }

    #[test]
    fn what_cargo_would_refuse_is_known_before() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("main.rs");
        let mut binary = choose(&metadata(&["chat"], None), Path::new("/w/chat"), None, &Order::default()).unwrap();
        assert_eq!(
            binary.refused("1.95.0")[0].message,
            "cannot build `chat`: its binary `chat` has no source: `/w/chat/src/x.rs` does not exist"
        );
        std::fs::write(&source, "").unwrap();
        binary.source = source;
        for (wanted, of, release, expected) in [
            ("1.96.0", "chat", "1.95.0", Some("it requires rustc 1.96.0, but the compiler is 1.95.0")),
            (
                "1.96.0",
                "words",
                "1.95.0",
                Some("`words`, which it depends on, requires rustc 1.96.0, but the compiler is 1.95.0"),
            ),
            ("1.96.0", "chat", "1.96.0-nightly", None),
            ("1.96.0", "chat", "unknown", None),
        ] {
            binary.rust_version = Some((Version::parse(wanted).unwrap(), of.into()));
            let expected: Vec<String> = expected.iter().map(|why| format!("cannot build `chat`: {why}")).collect();
            let told: Vec<String> = binary.refused(release).into_iter().map(|error| error.message).collect();
            assert_eq!(told, expected, "{wanted} {release}");
        }
    }

    #[test]
    fn a_virtual_workspace_is_an_error_that_lists_its_packages() {
        let error = choose(&metadata(&["a"], None), Path::new("/w"), None, &Order::default()).unwrap_err();
        assert_eq!(error.message, "cannot build `/w`: it is a workspace without a root package");
        assert_eq!(error.hints, ["choose one of its packages: `chat`"]);
    }

    /// What is said about a binary that requires `lambda`, which `all` enables, with these features enabled.
    fn refused_with(features: &[&str], default: &[&str], default_features: bool) -> Option<BuildError> {
        let mut metadata = metadata(&["chat"], None);
        let package = &mut metadata.packages[0];
        package.targets[0].required_features = vec!["lambda".into(), "words/extra".into()];
        for (name, enables) in [("lambda", &[][..]), ("all", &["lambda"]), ("other", &[]), ("default", default)] {
            package.features.insert(name.into(), enables.iter().map(|name| (*name).to_owned()).collect());
        }
        let features = features.iter().map(|name| (*name).to_owned()).collect();
        let order = Order { features, default_features, ..Order::default() };
        choose(&metadata, Path::new("/w/chat"), None, &order).err()
    }

    #[test]
    fn a_feature_that_a_binary_requires_is_named_with_the_key_to_write() {
        for enabled in ["lambda", "all"] {
            assert_eq!(refused_with(&[enabled], &[], true), None);
            assert_eq!(refused_with(&[], &[enabled], true), None);
        }
        let error = refused_with(&["other", "words/extra"], &["all"], false).unwrap();
        assert_eq!(error.message, "cannot build `chat`: its binary `chat` requires the feature `lambda`");
        assert_eq!(error.hints, ["set `build.features = [\"other\", \"words/extra\", \"lambda\"]`"]);
        let error = refused_with(&["lambd"], &[], true).unwrap();
        assert_eq!(error.message, "cannot build `chat`: it has no feature `lambd`");
        assert_eq!(error.hints, ["its features: `all`, `lambda` and `other`"]);
    }
}
