//! Glob patterns: one with a `/` is relative to the directory, one without matches names at any depth.

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use crate::error::BuildError;

pub(crate) struct Patterns {
    /// Of whole paths.
    paths: GlobSet,
    /// Of single names.
    names: GlobSet,
    /// Each of `paths`, name by name up to the first `*` or `**`; and whether it has one.
    parts: Vec<(Vec<GlobMatcher>, bool)>,
}

impl Patterns {
    /// # Errors
    /// When one of them is not a valid pattern.
    pub(crate) fn of(patterns: &[String]) -> Result<Patterns, BuildError> {
        let unusable = |error: globset::Error| BuildError::new("cannot use a pattern").because(error);
        // `docs/` matches at any depth, as in a `.gitignore`.
        let patterns = patterns.iter().map(|pattern| pattern.trim_end_matches('/'));
        let (paths, names): (Vec<&str>, Vec<&str>) = patterns.partition(|pattern| pattern.contains('/'));
        let set = |patterns: &[&str]| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                set.add(glob(pattern).map_err(unusable)?);
            }
            set.build().map_err(unusable)
        };
        let is_any = |part: &str| part.chars().all(|letter| letter == '*');
        let parts = paths.iter().map(|path| {
            let named = path.split('/').take_while(|part| !is_any(part)).filter_map(|part| glob(part).ok());
            (named.map(|part| part.compile_matcher()).collect(), path.split('/').any(is_any))
        });
        Ok(Patterns { paths: set(&paths)?, names: set(&names)?, parts: parts.collect() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.names.is_empty()
    }

    /// Whether the path itself matches.
    pub(crate) fn name(&self, path: &str) -> bool {
        self.paths.is_match(path) || self.names.is_match(path.rsplit('/').next().unwrap_or(path))
    }

    /// Whether the path, or a directory around it, matches.
    pub(crate) fn match_path(&self, path: &str) -> bool {
        ends(path).any(|end| self.name(&path[..end]))
    }

    /// Whether a pattern may match something inside the directory.
    pub(crate) fn lead_into(&self, directory: &str) -> bool {
        let count = directory.split('/').count();
        let leads = |(parts, deeper): &(Vec<GlobMatcher>, bool)| {
            (parts.len() >= count || (*deeper && !parts.is_empty()))
                && directory.split('/').zip(parts).all(|(name, part)| part.is_match(name))
        };
        self.match_path(directory) || self.parts.iter().any(leads)
    }
}

/// The lengths of the paths of all directories around it, and its own.
pub(crate) fn ends(path: &str) -> impl DoubleEndedIterator<Item = usize> {
    path.match_indices('/').map(|(at, _)| at).chain([path.len()])
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}
