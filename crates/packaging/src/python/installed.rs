//! The packages of Python that are installed in a directory.

use std::path::{Path, PathBuf};

use super::requirement::normalised;

/// One package.
#[derive(Debug)]
pub(super) struct Distribution {
    /// Normalized by PEP 503.
    pub name: String,
    pub version: String,
    /// Whether it came from a given path or URL, and not from an index.
    pub is_direct: bool,
    /// Whether it was built on this machine.
    pub is_built: bool,
    /// Such as `py3-none-any`.
    pub tags: Vec<String>,
    /// Its list of files.
    record: String,
}

impl Distribution {
    /// Its files with machine code, in the directory of the packages.
    pub(super) fn libraries(&self, place: &Path) -> Vec<PathBuf> {
        let files = self.record.lines().filter_map(|line| line.split(',').next());
        files.filter(|file| file.ends_with(".so") || file.contains(".so.")).map(|file| place.join(file)).collect()
    }
}

#[derive(Debug)]
pub(super) struct Installed(Vec<Distribution>);

impl Installed {
    pub(super) fn read(place: &Path) -> Installed {
        let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
        Installed(entries.filter_map(|entry| distribution(&entry.path())).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Distribution> {
        self.0.iter()
    }
}

fn distribution(path: &Path) -> Option<Distribution> {
    let directory = path.file_name()?.to_str()?.strip_suffix(".dist-info")?;
    let (name, version) = directory.split_once('-')?;
    let text = |file: &str| std::fs::read_to_string(path.join(file)).unwrap_or_default();
    let direct: serde_json::Value = serde_json::from_str(&text("direct_url.json")).unwrap_or_default();
    let is_wheel = direct["url"].as_str().is_some_and(|url| url.ends_with(".whl"));
    let tags =
        text("WHEEL").lines().filter_map(|line| line.strip_prefix("Tag:")).map(|tag| tag.trim().to_owned()).collect();
    let (name, version, record) = (normalised(name), version.to_owned(), text("RECORD"));
    let (is_direct, is_built) = (direct.is_object(), direct.is_object() && !is_wheel);
    Some(Distribution { name, version, is_direct, is_built, tags, record })
}
