//! The templates, how one is imported, and the snapshot that it is compared with.

use import::{File, Files, Imported, Invalid, Options, Rules};
use std::fs;
use std::path::{Path, PathBuf};

/// No file at all.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn text(&self, _: &str) -> Option<String> {
        None
    }

    fn is_directory(&self, _: &str) -> bool {
        false
    }
}

/// The files in a directory.
pub(crate) struct Directory(pub PathBuf);

impl Files for Directory {
    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok()
    }

    fn is_directory(&self, path: &str) -> bool {
        self.0.join(path).is_dir()
    }
}

/// The templates in a directory, by name.
pub(crate) fn templates(directory: &Path) -> Vec<PathBuf> {
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
pub(crate) fn import(path: &Path, rules: &dyn Rules) -> Result<Imported, Invalid> {
    let text = fs::read_to_string(path).unwrap();
    let extension = path.extension().unwrap().to_str().unwrap();
    let config = ["toml", "yaml"].map(|kind| (kind, path.with_extension(format!("samconfig.{kind}"))));
    let config = config.into_iter().find(|(_, path)| path.is_file());
    let config = config.map(|(kind, path)| (format!("samconfig.{kind}"), fs::read_to_string(path).unwrap()));
    let name = format!("template.{extension}");
    // The files of `50-app.yaml` are in `50-app`.
    let files = Directory(path.with_extension(""));
    import::sam(
        File { name: &name, text: &text },
        config.as_ref().map(|(name, text)| File { name, text }),
        Options { app: "my app", region: None, account: None, template_directory: "", rules, files: &files },
    )
}

/// The manifest, then everything that is left over.
pub(crate) fn written(imported: &Imported, rules: &dyn Rules) -> String {
    let left: String =
        imported.left_over.iter().map(|left| format!("# {}\n", rules.printable(&left.to_string()))).collect();
    format!("{}\n# ==== left over ====\n{left}", imported.manifest)
}

/// Compares with the file next to the template; `UPDATE_SNAPSHOTS=1` writes it again.
pub(crate) fn compare(path: &Path, found: &str) {
    let snapshot = PathBuf::from(format!("{}.snap", path.display()));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::write(&snapshot, found).unwrap();
    }
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    assert_eq!(found, expected, "{} differs", snapshot.display());
}
