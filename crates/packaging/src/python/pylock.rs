//! uv's resolution as a `pylock.toml`: each package with the exact file, directory or commit to install.
//!
//! A list of names and versions would be looked up in an index again, which may have another package of that name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use toml::{Table, Value};

use super::indexes::Indexes;
use super::requirement::normalised;
use super::sources::{Declarations, Source};
use super::wheel::of_file;
use crate::error::BuildError;
use crate::{address, tool};

#[derive(Clone, Debug)]
pub(super) struct Pylock {
    table: Table,
}

impl Pylock {
    /// Reads the output of uv, which ran in `base`. Editable directories become normal ones.
    ///
    /// # Errors
    /// When it is not TOML.
    pub(super) fn parse(text: &str, base: &Path) -> Result<Pylock, BuildError> {
        let unreadable =
            |error: toml::de::Error| BuildError::new("cannot read what uv resolved").because(error.message());
        let mut table: Table = text.parse().map_err(unreadable)?;
        // It refers to the installing Python, which may not be the function's.
        table.remove("requires-python");
        let base = tool::absolute(base);
        for package in packages_mut(&mut table) {
            if let Some(directory) = package.get_mut("directory").and_then(Value::as_table_mut) {
                directory.remove("editable");
            }
            for key in ["directory", "archive", "vcs", "sdist"] {
                package.get_mut(key).and_then(Value::as_table_mut).into_iter().for_each(|entry| from(entry, &base));
            }
            wheels_mut(package).for_each(|wheel| from(wheel, &base));
        }
        Ok(Pylock { table })
    }

    pub(super) fn text(&self) -> String {
        self.table.to_string()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages().next().is_none()
    }

    fn packages(&self) -> impl Iterator<Item = (String, &Table)> {
        let packages = self.table.get("packages").and_then(Value::as_array).into_iter().flatten();
        packages.filter_map(Value::as_table).filter_map(|package| Some((name(package)?, package)))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.packages().map(|(name, _)| name).collect()
    }

    /// The packages that come from an index.
    pub(super) fn names_of_indexes(&self) -> Vec<String> {
        self.packages().filter(|(_, package)| is_from_index(package)).map(|(name, _)| name).collect()
    }

    /// The packages that are built on this machine, from a directory, a repository or a source archive.
    pub(super) fn built(&self) -> Vec<String> {
        let is_wheel = |archive: &Value| file_of(archive).is_some_and(|file| file.ends_with(".whl"));
        let is_built = |package: &Table| {
            let is = |key| package.contains_key(key);
            let has_wheels = package.get("wheels").and_then(Value::as_array).is_some_and(|wheels| !wheels.is_empty());
            let is_source = is("sdist") && !has_wheels;
            is("directory")
                || is("vcs")
                || is_source
                || package.get("archive").is_some_and(|archive| !is_wheel(archive))
        };
        self.packages().filter(|(_, package)| is_built(package)).map(|(name, _)| name).collect()
    }

    /// The directories that packages are built from.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let path = |package: &Table| Some(PathBuf::from(package.get("directory")?.get("path")?.as_str()?));
        self.packages().filter_map(|(_, package)| path(package)).collect()
    }

    /// Everything that decides what is installed; `None` if local directories do, which are built again each time.
    ///
    /// # Errors
    /// When a local file cannot be read.
    pub(super) fn content(&self) -> Result<Option<String>, BuildError> {
        let mut content = self.text();
        for (_, package) in self.packages() {
            if package.contains_key("directory") {
                return Ok(None);
            }
            let archive = package.get("archive").into_iter();
            let files = package.get("wheels").and_then(Value::as_array).into_iter().flatten().chain(archive);
            for path in files.filter_map(|file| file.get("path")?.as_str()) {
                content.push_str(&format!("{}\n", tool::digest(Path::new(path))?));
            }
        }
        Ok(Some(content))
    }

    /// Refuses a package from an index although the project declares another source: the lock is older
    /// than the declaration.
    ///
    /// # Errors
    /// With the package, and where its source is declared.
    pub(super) fn refuse_undeclared(
        &self,
        declarations: &Declarations,
        indexes: &Indexes,
        list: &Path,
    ) -> Result<(), BuildError> {
        for (name, package) in self.packages().filter(|(_, package)| is_from_index(package)) {
            let index = package.get("index").and_then(Value::as_str);
            let Some(entries) = declarations.get(&name) else {
                let others = variables();
                let known = indexes.main.iter().chain(&indexes.extra).chain(&indexes.links).chain(&others);
                let is_known = index.is_none_or(|index| known.into_iter().any(|known| is_same_index(known, index)));
                match &indexes.main {
                    Some(main) if !is_known => {
                        return Err(undeclared(
                            &name,
                            index,
                            list,
                            &format!("the project's index is `{}`", address::without_credentials(main)),
                        ));
                    }
                    _ => continue,
                }
            };
            let is_right = |source: &Source| match (source, index) {
                (Source::Index { address: Some(wanted), .. }, Some(index)) => is_same_index(wanted, index),
                (Source::Index { .. }, _) => true,
                _ => false,
            };
            let is_always = entries.iter().all(|entry| entry.condition.is_empty());
            if let Some(declared) = entries.first().filter(|entry| is_always && !is_right(&entry.source)) {
                let declared = format!("`{}` declares that it comes from {}", declared.place, declared.source.shown());
                return Err(undeclared(&name, index, list, &declared));
            }
        }
        Ok(())
    }

    /// Keeps a package's files with one of these hashes. Each hash has the name of its file, or an empty name for any file.
    ///
    /// # Errors
    /// When no file has one.
    pub(super) fn keep_hashes(
        &mut self,
        package: &str,
        hashes: &[(String, String)],
        list: &Path,
    ) -> Result<(), BuildError> {
        let is_it = |table: &&mut Table| name(table).as_deref() == Some(package);
        for table in packages_mut(&mut self.table).filter(is_it) {
            if let Some(archive) = table.get_mut("archive").and_then(Value::as_table_mut) {
                if !fits(archive, hashes) {
                    return Err(other_digest(package, list));
                }
                continue;
            }
            let is_source = table.get_mut("sdist").and_then(Value::as_table_mut).map(|sdist| fits(sdist, hashes));
            if is_source == Some(false) {
                table.remove("sdist");
            }
            let wheels = table.get_mut("wheels").and_then(Value::as_array_mut).map(|wheels| {
                wheels.retain_mut(|wheel| wheel.as_table_mut().is_some_and(|wheel| fits(wheel, hashes)));
                !wheels.is_empty()
            });
            if is_source != Some(true) && wheels == Some(false) {
                return Err(other_digest(package, list));
            }
        }
        Ok(())
    }

    /// Keeps only the local files of a package that a `--find-links` directory has, not those of an index; except
    /// if the package is pinned to an index.
    ///
    /// # Errors
    /// When uv has chosen a later version from an index.
    pub(super) fn prefer_links(
        &mut self,
        directories: &[PathBuf],
        pinned: &BTreeSet<String>,
        list: &Path,
    ) -> Result<(), BuildError> {
        for directory in directories {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            let files: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            for table in packages_mut(&mut self.table).filter(|table| is_from_index(table)) {
                let Some(package) = name(table).filter(|name| !pinned.contains(name)) else { continue };
                let found = files.iter().filter_map(|file| of_file(file)).find(|(name, _)| *name == package);
                let Some((_, version)) = found else { continue };
                let Some(wheels) = table.get_mut("wheels").and_then(Value::as_array_mut) else { continue };
                wheels.retain(is_of_this_machine);
                if wheels.is_empty() {
                    return Err(in_two_places(&package, &version, directory, list));
                }
            }
        }
        Ok(())
    }
}

fn packages_mut(table: &mut Table) -> impl Iterator<Item = &mut Table> {
    table.get_mut("packages").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_table_mut)
}

fn wheels_mut(package: &mut Table) -> impl Iterator<Item = &mut Table> {
    package.get_mut("wheels").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_table_mut)
}

fn name(package: &Table) -> Option<String> {
    package.get("name").and_then(Value::as_str).map(normalised)
}

fn is_from_index(package: &Table) -> bool {
    !["directory", "vcs", "archive"].iter().any(|key| package.contains_key(*key))
}

/// Paths are relative to the directory that uv ran in.
fn from(entry: &mut Table, base: &Path) {
    if let Some(Value::String(path)) = entry.get_mut("path") {
        *path = base.join(&*path).display().to_string();
    }
}

fn is_of_this_machine(file: &Value) -> bool {
    let is_file = |url: &str| url.starts_with("file:");
    file.get("path").is_some() || file.get("url").and_then(Value::as_str).is_some_and(is_file)
}

/// A directory may be written as a path or as a URL.
fn is_same_index(wanted: &str, found: &str) -> bool {
    let path = |text: &str| {
        let text = text.strip_prefix("file://").unwrap_or(text);
        Path::new(text).canonicalize().ok().filter(|_| !text.contains("://"))
    };
    address::is_same(wanted, found) || path(wanted).is_some_and(|wanted| path(found) == Some(wanted))
}

/// The name of an entry's file.
pub(super) fn file_of(entry: &Value) -> Option<String> {
    let text = |key| entry.get(key).and_then(Value::as_str);
    let address = text("name").or_else(|| text("url")).or_else(|| text("path"))?;
    let address = address.split(['#', '?']).next().unwrap_or_default();
    let last = address.rsplit('/').next().unwrap_or_default();
    Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
}

/// Whether a file may have one of these hashes. The list's hashes replace the index's.
fn fits(entry: &mut Table, hashes: &[(String, String)]) -> bool {
    let file = file_of(&Value::Table(entry.clone())).unwrap_or_default();
    let named: Vec<&(String, String)> = hashes.iter().filter(|(of, _)| *of == file).collect();
    let found = entry.get("hashes").and_then(Value::as_table);
    let is_found = |hash: &str| {
        let (kind, digest) = hash.split_once(':').unwrap_or(("sha256", hash));
        let found = found.and_then(|found| found.get(kind)).and_then(Value::as_str);
        found.is_some_and(|found| found.eq_ignore_ascii_case(digest))
    };
    if named.is_empty() {
        return hashes.iter().any(|(of, hash)| of.is_empty() && is_found(hash));
    }
    let digest = |(_, hash): &&(String, String)| {
        let (kind, digest) = hash.split_once(':')?;
        Some((kind.to_owned(), Value::String(digest.to_owned())))
    };
    let digests: Table = named.iter().filter_map(digest).collect();
    entry.insert("hashes".to_owned(), Value::Table(digests));
    true
}

fn undeclared(name: &str, index: Option<&str>, list: &Path, declared: &str) -> BuildError {
    let from = index.map(|index| format!("the index `{}`", address::without_credentials(index)));
    let (list, from) = (list.display(), from.unwrap_or_else(|| "an index".to_owned()));
    let error = BuildError::new(format!("cannot install `{name}`: `{list}` resolves it from {from}"));
    error.because(declared).hint("update the lock: `uv lock`")
}

/// The indexes in uv's variables, which may have a name prefix.
fn variables() -> Vec<String> {
    let values = ["UV_INDEX", "UV_EXTRA_INDEX_URL"].into_iter().filter_map(|name| std::env::var(name).ok());
    let address = |text: &str| match text.split_once("=") {
        Some((name, address)) if !name.contains(':') => address.to_owned(),
        _ => text.to_owned(),
    };
    values.flat_map(|value| value.split_whitespace().map(address).collect::<Vec<_>>()).collect()
}

fn other_digest(package: &str, list: &Path) -> BuildError {
    let list = list.display();
    BuildError::new(format!("cannot install `{package}`: no file in the index matches a hash in `{list}`"))
        .hint("check that the index is the one that the list was made from")
}

fn in_two_places(package: &str, version: &str, here: &Path, list: &Path) -> BuildError {
    let (list, here) = (list.display(), here.display());
    let error = BuildError::new(format!("cannot install `{package}` of `{list}`: it is in more than one place"));
    error
        .because(format!("`{here}` has version {version}, and an index has another one, which would be installed"))
        .hint(format!("list the file itself: `{package} @ file:…/{package}-{version}-….whl`"))
        .hint(format!("or require the version: `{package}=={version}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "requires-python = '>=3.14'\n\
        [[packages]]\nname = 'six'\nversion = '1.0'\nindex = 'http://corp/simple'\n\
        wheels = [{ url = 'http://corp/six-1.0%2Bx-py3-none-any.whl', hashes = { sha256 = 'aa' } }]\n\
        [[packages]]\nname = 'own'\ndirectory = { path = '../own', editable = true }\n\
        [[packages]]\nname = 'whole'\narchive = { url = 'http://corp/whole-1.0-py3-none-any.whl' }\n";

    fn pylock() -> Pylock {
        Pylock::parse(TEXT, Path::new("/app/here")).unwrap()
    }

    #[test]
    fn directories_are_built_and_the_installing_python_is_any() {
        let text = pylock().text();
        assert!(text.contains("\"/app/here/../own\"") && !text.contains("editable"), "{text}");
        assert!(!text.contains("requires-python"));
        assert_eq!((pylock().names_of_indexes(), pylock().built()), (vec!["six".to_owned()], vec!["own".to_owned()]));
        assert_eq!(pylock().content().unwrap(), None);
    }

    #[test]
    fn only_files_with_a_listed_digest_are_left() {
        let keep = |file: &str, hash: &str| {
            let mut pylock = pylock();
            pylock.keep_hashes("six", &[(file.to_owned(), hash.to_owned())], Path::new("list")).map(|()| pylock.text())
        };
        assert!(keep("", "sha256:AA").unwrap().contains("aa"));
        assert!(keep("", "sha256:bb").unwrap_err().message.contains("`six`"));
        // The file must have the list's own hash.
        assert!(keep("six-1.0+x-py3-none-any.whl", "sha256:bb").unwrap().contains("\"bb\""));
        assert!(keep("six-2.0-py3-none-any.whl", "sha256:aa").is_err());
    }
}
