//! From a crate's binary, and the files that are packaged beside it, to the package for Lambda.

use std::path::PathBuf;

use super::Assembled;
use super::files;
use super::rules::Selection;
use super::tree::{Content, File, Tree};
use crate::cargo::Built;
use crate::error::{BuildError, list};
use crate::machine::Machine;
use crate::package::Package;
use crate::patterns::Patterns;
use crate::{archive, executable};

/// What Lambda starts.
const BOOTSTRAP: &str = "bootstrap";

/// What is packaged with a crate's binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The crate's.
    pub directory: PathBuf,
    /// Only files that `include` names are packaged, except those that `exclude` names.
    pub selection: Selection,
    /// The text of a script that starts the binary with arguments.
    pub script: Option<String>,
}

impl Beside {
    /// Checks that the files are there. `may_come` is whether the build may write them.
    ///
    /// # Errors
    /// When a file cannot be read, or a pattern matches nothing.
    pub fn check(&self, may_come: bool) -> Result<(), BuildError> {
        let (tree, _) = self.gather()?;
        if may_come { Ok(()) } else { self.refuse_without_match(&tree) }
    }

    /// Zips the binary with the files. Without files, the zip is that of the binary alone.
    ///
    /// # Errors
    /// When the binary could not start on this machine, or in `provided.al2023`; when a file cannot be read, has the
    /// binary's name, or is missing; when the package is too large.
    pub fn package(&self, built: &Built, machine: Machine) -> Result<Assembled, BuildError> {
        if self.selection.include.is_empty() && self.script.is_none() {
            let package = Package::of_binary(&built.bytes, machine, built.is_quick)?;
            return Ok(Assembled { package, notes: Vec::new() });
        }
        executable::check(&built.bytes, machine, "the binary")?;
        let (mut tree, notes) = self.gather()?;
        self.refuse_without_match(&tree)?;
        let program = match &self.script {
            Some(script) => {
                self.insert(&mut tree, BOOTSTRAP.to_owned(), script.clone().into_bytes())?;
                // Where the script looks for programs.
                format!("bin/{}", built.name)
            }
            None => BOOTSTRAP.to_owned(),
        };
        self.insert(&mut tree, program, built.bytes.clone())?;
        archive::check_sizes(&tree.sizes(), &self.subject())?;
        let zip = archive::pack_all(&tree.entries(), &self.subject())?;
        Ok(Assembled { package: Package::of_zip(zip, machine.architecture), notes })
    }

    fn gather(&self) -> Result<(Tree, Vec<String>), BuildError> {
        if self.selection.include.is_empty() {
            return Ok((Tree::default(), Vec::new()));
        }
        files::gather_named(&self.directory, &self.selection).map_err(|error| error.at(&["include"]))
    }

    fn insert(&self, tree: &mut Tree, name: String, bytes: Vec<u8>) -> Result<(), BuildError> {
        let file = File { content: Content::Bytes(bytes), executable: true };
        if tree.insert(name.clone(), file).is_none() {
            return Ok(());
        }
        let error = BuildError::new(format!(
            "cannot package {}: `include` names `{name}`, which is made by the build",
            self.subject()
        ));
        Err(error.at(&["include"]).hint(format!("exclude it: `exclude = [\"{name}\"]`")))
    }

    fn refuse_without_match(&self, tree: &Tree) -> Result<(), BuildError> {
        let mut unmatched = Vec::new();
        for pattern in &self.selection.include {
            let patterns = Patterns::of(std::slice::from_ref(pattern))?;
            if !tree.iter().any(|(name, _)| patterns.match_path(name)) {
                unmatched.push(pattern.as_str());
            }
        }
        if unmatched.is_empty() {
            return Ok(());
        }
        let (names, are) = (list(unmatched.iter().copied()), if unmatched.len() == 1 { "matches" } else { "match" });
        let error = BuildError::new(format!("cannot package {}: {names} in `include` {are} no file", self.subject()));
        Err(error.at(&["include"]).hint(
            "patterns are relative to the crate's directory; files that look like secrets have to be named themselves",
        ))
    }

    fn subject(&self) -> String {
        format!("the directory `{}`", self.directory.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(include: &[&str], exclude: &[&str]) -> Result<(Vec<String>, Vec<String>), BuildError> {
        let directory = tempfile::tempdir().unwrap();
        for file in [
            "src/main.rs",
            "assets/a.css",
            "assets/.env",
            "assets/raw/b.psd",
            ".env",
            "target/site/x.wasm",
            "target/debug/x",
        ] {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        std::fs::write(directory.path().join("target/CACHEDIR.TAG"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", directory.path().join("broken")).unwrap();
        let list = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let selection = Selection { include: list(include), exclude: list(exclude), ..Selection::default() };
        let beside = Beside { directory: directory.path().to_owned(), selection, script: None };
        beside.check(false)?;
        let (tree, notes) = beside.gather()?;
        Ok((tree.iter().map(|(name, _)| name.clone()).collect(), notes))
    }

    #[test]
    fn only_what_is_included_is_packaged_and_what_is_excluded_is_not() {
        let names = |include: &[&str], exclude: &[&str]| gathered(include, exclude).unwrap().0.join(" ");
        assert_eq!(names(&[], &[]), "");
        assert_eq!(names(&["assets"], &[]), "assets/a.css assets/raw/b.psd");
        assert_eq!(names(&["assets"], &["*.psd"]), "assets/a.css");
        assert_eq!(names(&["assets/**"], &["assets/raw"]), "assets/a.css");
        for pattern in ["target/site", "target/site/**", "target/site/*"] {
            assert_eq!(names(&[pattern], &[]), "target/site/x.wasm", "{pattern}");
        }
        assert_eq!(names(&["target/site/*.wasm", "*.rs"], &[]), "src/main.rs target/site/x.wasm");
    }

    #[test]
    fn a_link_to_a_file_that_is_not_included_is_replaced_by_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["assets/a.css", "src/main.rs", "target/site/x.wasm", ".env"] {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), "x").unwrap();
        }
        for (target, name) in [
            ("a.css", "same.css"),
            ("../src/main.rs", "source.rs"),
            ("../target/site", "site"),
            ("../.env", "secret"),
            ("nowhere", "broken"),
        ] {
            std::os::unix::fs::symlink(target, path("assets").join(name)).unwrap();
        }
        let selection = Selection { include: vec!["assets".to_owned()], ..Selection::default() };
        let beside = Beside { directory: directory.path().to_owned(), selection, script: None };
        let (tree, notes) = beside.gather().unwrap();
        let is_link = |file: &File| matches!(file.content, Content::Link(_));
        let found: Vec<(&str, bool)> = tree.iter().map(|(name, file)| (name.as_str(), is_link(file))).collect();
        let expected = [("a.css", false), ("same.css", true), ("site/x.wasm", false), ("source.rs", false)];
        let expected = expected.map(|(name, is_link)| (format!("assets/{name}"), is_link));
        assert_eq!(found, expected.each_ref().map(|(name, is_link)| (name.as_str(), *is_link)));
        assert!(notes.len() == 2 && notes.iter().any(|note| note.contains("`assets/broken`")), "{notes:?}");
    }

    #[test]
    fn secrets_are_left_out_unless_they_are_named_and_only_those_in_the_way_are_noted() {
        let (_, notes) = gathered(&["assets"], &[]).unwrap();
        assert_eq!(notes, [crate::exclude::note("assets/.env")]);
        assert_eq!(gathered(&["assets/**"], &[]).unwrap().1, [crate::exclude::note("assets/.env")]);
        assert_eq!(gathered(&["assets/.env"], &[]).unwrap(), (vec!["assets/.env".to_owned()], Vec::new()));
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_a_mistake() {
        let error = gathered(&["assets", "config/*.yaml", "assets/**/*.psd"], &["raw"]).unwrap_err();
        assert!(error.message.ends_with("`config/*.yaml` and `assets/**/*.psd` in `include` match no file"), "{error}");
        assert_eq!(error.keys, ["include"]);
    }
}
