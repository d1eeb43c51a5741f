//! Manifests in files, and beside each what is expected of it.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Name and text of every manifest in `tests/fixtures/KIND`.
pub(crate) fn manifests(kind: &str) -> Vec<(PathBuf, String)> {
    let directory = root().join("tests/fixtures").join(kind);
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

/// What differs from the snapshots beside the manifests. `UPDATE_SNAPSHOTS=1` writes them instead.
pub(crate) fn compare(kind: &str, show: impl Fn(&str) -> String) {
    let mut differences = Vec::new();
    for (path, text) in manifests(kind) {
        let (snapshot, shown) = (path.with_extension("txt"), show(&text) + "\n");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
            fs::write(&snapshot, shown).unwrap();
            continue;
        }
        match fs::read_to_string(&snapshot) {
            Ok(expected) if expected == shown => {}
            Ok(expected) => {
                differences.push(format!("{}\nexpected:\n{expected}\nfound:\n{shown}", snapshot.display()));
            }
            Err(_) => differences.push(format!("{} is missing; found:\n{shown}", snapshot.display())),
        }
    }
    assert!(differences.is_empty(), "{}\nUPDATE_SNAPSHOTS=1 accepts this", differences.join("\n"));
}

/// A snapshot whose manifest is gone proves nothing.
pub(crate) fn orphans(kind: &str) -> Vec<PathBuf> {
    let directory = root().join("tests/fixtures").join(kind);
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !path.with_extension("toml").exists()).collect()
}
