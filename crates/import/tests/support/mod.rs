//! The templates, how one is imported, and the snapshot that it is compared with.

use import::{File, Imported, Invalid, Options, Rules};
use std::fs;
use std::path::{Path, PathBuf};

/// The templates in a directory, by name.
pub fn templates(directory: &Path) -> Vec<PathBuf> {
    let is_template = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name.ends_with(".yaml") || name.ends_with(".json")) && !name.contains("samconfig")
    };
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(is_template).collect();
    paths.sort();
    paths
}

/// Imports a template with the `samconfig` file next to it, if there is one.
pub fn import(path: &Path, rules: &dyn Rules) -> Result<Imported, Invalid> {
    let text = fs::read_to_string(path).unwrap();
    let extension = path.extension().unwrap().to_str().unwrap();
    let config = ["toml", "yaml"].map(|kind| (kind, path.with_extension(format!("samconfig.{kind}"))));
    let config = config.into_iter().find(|(_, path)| path.is_file());
    let config = config.map(|(kind, path)| (format!("samconfig.{kind}"), fs::read_to_string(path).unwrap()));
    let name = format!("template.{extension}");
    import::sam(
        File { name: &name, text: &text },
        config.as_ref().map(|(name, text)| File { name, text }),
        Options { app: "my app", region: None, template_directory: "", rules },
    )
}

/// The manifest, then everything that is left over.
pub fn written(imported: &Imported, rules: &dyn Rules) -> String {
    let left: String =
        imported.left_over.iter().map(|left| format!("# {}\n", rules.printable(&left.to_string()))).collect();
    format!("{}\n# ==== left over ====\n{left}", imported.manifest)
}

/// Compares with the file next to the template; `UPDATE_SNAPSHOTS=1` writes it again.
pub fn compare(path: &Path, found: &str) {
    let snapshot = PathBuf::from(format!("{}.snap", path.display()));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::write(&snapshot, found).unwrap();
    }
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    assert_eq!(found, expected, "{} differs", snapshot.display());
}
