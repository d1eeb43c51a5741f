//! What decides whether a file goes into a package: the patterns of the manifest, and what the file is.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::BuildError;
use crate::exclude::{self, Unwanted, copies, deployment};
use crate::patterns::{self, Patterns};

/// Which files are packaged, by glob patterns. One with a `/` is relative to the directory; one without matches files and
/// directories at any depth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Files that are packaged although they would be left out.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// Files and directories of lamstream itself, such as its output and the manifest. They are never packaged.
    pub own: Vec<PathBuf>,
    /// Files that the manifest reads values from, which are usually secrets.
    pub values: Vec<PathBuf>,
}

/// Makes a note about a file from its name.
pub(super) type Note = fn(&str) -> String;

/// Why something is left out.
pub(super) enum Stays {
    Excluded,
    Unwanted { note: Option<Note> },
    InstalledAnew,
}

pub(super) struct Rules<'a> {
    pub directory: &'a Path,
    pub include: Patterns,
    /// What `include` names, so that it is packaged whatever it is.
    names: Patterns,
    exclude: Patterns,
    own: Vec<Identity>,
    values: Vec<Identity>,
    installs: Option<&'a str>,
    /// Whether only files that `include` names are packaged.
    pub only_named: bool,
}

/// Device and inode, which identify a file whatever path leads to it.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl<'a> Rules<'a> {
    /// If `installs` names a directory, lamstream fills it itself.
    pub(super) fn of(
        directory: &'a Path,
        selection: &Selection,
        installs: Option<&'a str>,
    ) -> Result<Rules<'a>, BuildError> {
        let (include, exclude) = (Patterns::of(&selection.include)?, Patterns::of(&selection.exclude)?);
        let names = Patterns::of(&selection.include)?;
        let identities = |paths: &[PathBuf]| paths.iter().filter_map(|path| identity(path)).collect();
        let (own, values) = (identities(&selection.own), identities(&selection.values));
        Ok(Rules { directory, include, names, exclude, own, values, installs, only_named: false })
    }

    /// For nothing but the files that `include` names and `exclude` does not.
    pub(super) fn of_named(directory: &'a Path, selection: &Selection) -> Result<Rules<'a>, BuildError> {
        // Everything in a directory is not a name for the secrets in it.
        let names = selection.include.iter().map(|pattern| pattern.trim_end_matches(['/', '*']).to_owned());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        Ok(Rules { only_named: true, names: Patterns::of(&names)?, ..Rules::of(directory, selection, None)? })
    }

    /// Why something of this name is left out, if it is.
    pub(super) fn judge(&self, name: &str, path: &Path, is_directory: bool) -> Option<Stays> {
        // What `include` matches is packaged with everything in it, except what is unwanted again deeper down.
        let named = patterns::ends(name).rfind(|end| self.names.name(&name[..*end]));
        if self.only_named && (!self.include.match_path(name) || self.exclude.match_path(name)) {
            // Directories that no package should have are searched only where a pattern leads into them.
            let is_unwanted = is_directory && self.unwanted(name, path, true).is_some();
            return Some(if is_unwanted { Stays::Unwanted { note: None } } else { Stays::Excluded });
        }
        let excluded = named.is_none() && self.exclude.match_path(name);
        for end in patterns::ends(name).filter(|end| named.is_none_or(|named| *end > named)) {
            let (part, whole) = (&name[..end], end == name.len());
            let is_directory = is_directory || !whole;
            let path = if whole { path.to_owned() } else { self.directory.join(part) };
            if named.is_none()
                && is_directory
                && self.installs.is_some_and(|installs| part.rsplit('/').next() == Some(installs))
            {
                return Some(Stays::InstalledAnew);
            }
            if let Some(note) = self.unwanted(part, &path, is_directory) {
                // What `exclude` matches needs no note.
                return Some(Stays::Unwanted { note: note.filter(|_| !excluded) });
            }
        }
        excluded.then_some(Stays::Excluded)
    }

    /// Whether it is left out because of what it is, and the note about it.
    fn unwanted(&self, inner: &str, path: &Path, is_directory: bool) -> Option<Option<Note>> {
        // A copy is as secret as the file.
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let known_as: Vec<Identity> =
            copies::with_originals(name).filter_map(|name| identity(&path.with_file_name(name))).collect();
        let is_one_of = |known: &[Identity]| known_as.iter().any(|identity| known.contains(identity));
        match exclude::judge(path, is_directory) {
            Some(Unwanted::Secret) => Some(Some(exclude::note)),
            Some(Unwanted::Clutter) => Some(None),
            Some(Unwanted::Cache) => Some(Some(exclude::note_of_cache)),
            None if is_one_of(&self.own) => Some(None),
            None if is_one_of(&self.values) => Some(Some(exclude::note_of_value)),
            None if deployment::is(inner, path, is_directory) => {
                Some(deployment::is_doubtful(path).then_some(deployment::note))
            }
            None => None,
        }
    }
}
