//! The files of a package, before they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;

use crate::archive::{Entry, Source};
use crate::error::BuildError;
use crate::patterns;

/// The files of a package by their names in it.
#[derive(Debug, Default)]
pub(super) struct Tree(BTreeMap<String, File>);

#[derive(Debug)]
pub(super) struct File {
    pub content: Content,
    pub executable: bool,
}

#[derive(Debug)]
pub(super) enum Content {
    At(PathBuf),
    Bytes(Vec<u8>),
    /// A link with this text.
    Link(String),
}

/// The number of bytes that identify an ELF file's machine.
const HEAD: u64 = 64;

impl Tree {
    /// Returns the file that was there before.
    pub(super) fn insert(&mut self, name: String, file: File) -> Option<File> {
        self.0.insert(name, file)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &File)> {
        self.0.iter()
    }

    /// Adds the files whose names are not taken. A name is taken, too, if a file has the name of a directory around it, or
    /// if it is the directory of a file.
    pub(super) fn put_beneath(&mut self, other: Tree) {
        let is_free = |name: &str| !patterns::ends(name).any(|end| self.has(&name[..end])) && !self.has_below(name);
        let added: Vec<(String, File)> = other.0.into_iter().filter(|(name, _)| is_free(name)).collect();
        self.0.extend(added);
    }

    /// Adds the files of another tree below a name.
    pub(super) fn put_below(&mut self, name: &str, other: Tree) {
        self.0.extend(other.0.into_iter().map(|(inner, file)| (format!("{name}/{inner}"), file)));
    }

    /// Whether there is something of this name, or below it.
    pub(super) fn has_below(&self, name: &str) -> bool {
        let below = format!("{name}/");
        self.has(name) || self.0.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below))
    }

    /// Without the links that lead to nothing in the tree, and those links: their names and texts. Absolute links lead to
    /// Lambda's own places.
    pub(super) fn without_dangling(mut self) -> (Tree, Vec<(String, String)>) {
        let mut all = Vec::new();
        loop {
            let links = self.0.iter().filter_map(|(name, file)| match &file.content {
                Content::Link(text) if !text.starts_with('/') && self.resolve(name).is_none() => {
                    Some((name.clone(), text.clone()))
                }
                _ => None,
            });
            let found: Vec<(String, String)> = links.collect();
            if found.is_empty() {
                return (self, all);
            }
            // Another link may have led to one of them.
            found.iter().for_each(|(name, _)| drop(self.0.remove(name)));
            all.extend(found);
        }
    }

    /// The name that a name leads to through links; `None` if there is nothing. A link to a place of Lambda's own leads to
    /// itself.
    fn resolve(&self, name: &str) -> Option<String> {
        const MOST: usize = 40;
        let mut at: Vec<String> = Vec::new();
        let mut open: Vec<String> = name.split('/').rev().map(str::to_owned).collect();
        let mut followed = 0;
        while let Some(part) = open.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop()?;
                    continue;
                }
                _ => at.push(part),
            }
            let reached = at.join("/");
            match self.0.get(&reached).map(|file| &file.content) {
                Some(Content::Link(text)) if text.starts_with('/') => return Some(reached),
                Some(Content::Link(text)) => {
                    followed += 1;
                    if followed > MOST {
                        return None;
                    }
                    at.pop();
                    open.extend(text.split('/').rev().map(str::to_owned));
                }
                Some(_) => {}
                None if self.has_below(&reached) => {}
                None => return None,
            }
        }
        Some(at.join("/"))
    }

    /// Makes a file executable for Lambda, whatever its mode in the checkout.
    pub(super) fn make_executable(&mut self, name: &str, subject: &str) -> Result<(), BuildError> {
        let found = self.resolve(name);
        let Some(file) = found.and_then(|found| self.0.get_mut(&found)) else {
            let error = BuildError::new(format!("cannot use {subject}: it has no `{name}` to start the app with"));
            let line = command_line(name).unwrap_or_else(|| format!("exec {name}"));
            return Err(error.at(&["run", "package", "web"]).hint(format!(
                "set `run` to a script in that directory, or to a command line of several words: `{line}`"
            )));
        };
        refuse_what_cannot_start(name, &file.bytes()?).map_err(|error| error.or_at(&["run", "package", "web"]))?;
        file.executable = true;
        Ok(())
    }

    /// The same for an optional file.
    pub(super) fn make_executable_if_there(&mut self, name: &str) {
        if let Some(file) = self.resolve(name).and_then(|found| self.0.get_mut(&found)) {
            file.executable = true;
        }
    }

    /// Whether there is such a file, by its name or through links.
    pub(super) fn has_or_leads_to(&self, name: &str) -> bool {
        self.resolve(name).is_some_and(|found| self.0.contains_key(&found))
    }

    /// The file of this name, or the one that it leads to through links.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.0.get(&self.resolve(name)?).filter(|file| !matches!(file.content, Content::Link(_)))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The size of each file, without reading it.
    pub(super) fn sizes(&self) -> Vec<(&str, u64)> {
        self.0.iter().map(|(name, file)| (name.as_str(), file.size())).collect()
    }

    /// Sorted by name, so that the zip does not depend on the file system.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        fn entry<'t>((name, file): (&'t String, &'t File)) -> Entry<'t> {
            let content = match &file.content {
                Content::Bytes(bytes) => Source::Bytes(bytes),
                Content::At(path) => Source::At(path),
                Content::Link(text) => Source::Link(text),
            };
            Entry { name, content, executable: file.executable }
        }
        self.0.iter().map(entry).collect()
    }
}

impl File {
    pub(super) fn link(text: String) -> File {
        File { content: Content::Link(text), executable: false }
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, BuildError> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::Link(text) => Ok(text.clone().into_bytes()),
            Content::At(path) => std::fs::read(path)
                .map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error)),
        }
    }

    fn size(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Link(text) => text.len() as u64,
            // Reading the file reports the error.
            Content::At(path) => path.metadata().map_or(0, |metadata| metadata.len()),
        }
    }

    /// Its first bytes.
    pub(super) fn head(&self) -> Result<Vec<u8>, BuildError> {
        let Content::At(path) = &self.content else { return self.bytes() };
        let mut head = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        read.map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error))?;
        Ok(head)
    }
}

/// The command lines that start files of these endings, which the kernel cannot execute, with the programs of Lambda's
/// runtimes.
const INTERPRETERS: [(&str, &str); 10] = [
    ("py", "python"),
    ("js", "node"),
    ("mjs", "node"),
    ("cjs", "node"),
    ("ts", "node"),
    ("mts", "node"),
    ("cts", "node"),
    ("rb", "ruby"),
    ("jar", "java -jar"),
    ("dll", "dotnet"),
];

/// What starts a file that an interpreter has to read.
fn command_line(name: &str) -> Option<String> {
    let (_, ending) = name.rsplit('/').next()?.rsplit_once('.')?;
    let (_, interpreter) = INTERPRETERS.iter().find(|(known, _)| *known == ending)?;
    Some(format!("{interpreter} {name}"))
}

fn without_interpreter(name: &str, line: &str) -> BuildError {
    let error = BuildError::new(format!("cannot start `{name}`: it does not name its interpreter")).at(&["run"]);
    let error = error.hint(format!("name it: `run = \"{line}\"`"));
    if name.ends_with("ts") {
        return error
            .hint("compile it to JavaScript first for a runtime before `nodejs22.x`, which cannot run TypeScript");
    }
    error
}

/// The kernel can execute ELF files, and scripts that name their interpreter.
pub(super) fn refuse_what_cannot_start(name: &str, bytes: &[u8]) -> Result<(), BuildError> {
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if bytes.starts_with(b"\x7fELF") || (first_line.starts_with(b"#!") && !first_line.ends_with(b"\r")) {
        return Ok(());
    }
    if bytes.starts_with(b"\xef\xbb\xbf#!") {
        let error = BuildError::new(format!("cannot start `{name}`: it starts with a byte order mark instead of `#!`"));
        return Err(error.hint(format!("save it without one: `sed -i '1s/^\\xEF\\xBB\\xBF//' {name}`")));
    }
    if let Some(line) = command_line(name).filter(|_| !first_line.starts_with(b"#!")) {
        return Err(without_interpreter(name, &line));
    }
    if first_line.ends_with(b"\r") {
        let error = BuildError::new(format!(
            "cannot start `{name}`: it has Windows line endings, so Linux does not find its interpreter"
        ));
        return Err(
            error.hint(format!("convert it: `sed -i 's/\\r$//' {name}`, and `*.sh text eol=lf` in .gitattributes"))
        );
    }
    let error =
        BuildError::new(format!("cannot start `{name}`: it is neither an ELF file nor a script that starts with `#!`"));
    Err(error.hint("start it with a line such as `#!/bin/bash`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, Option<&str>)]) -> Tree {
        let file = |text: Option<&str>| match text {
            Some(text) => File::link(text.to_owned()),
            None => File { content: Content::Bytes(Vec::new()), executable: false },
        };
        Tree(files.iter().map(|(name, text)| ((*name).to_owned(), file(*text))).collect())
    }

    #[test]
    fn links_are_followed_by_their_names() {
        let tree = tree(&[
            ("a/b/file", None),
            ("a/up", Some("..")),
            ("c", Some("a/b")),
            ("d", Some("c/../b/file")),
            ("e", Some("e")),
            ("f", Some("nothing")),
            ("g", Some("f")),
            ("h", Some("../outside")),
            ("opt", Some("/opt/x")),
        ]);
        let resolve = |name: &str| tree.resolve(name);
        assert_eq!(resolve("c/file").as_deref(), Some("a/b/file"));
        assert_eq!(resolve("d").as_deref(), Some("a/b/file"));
        assert_eq!(resolve("a/up/c/file").as_deref(), Some("a/b/file"));
        assert_eq!(resolve("opt/y").as_deref(), Some("opt"));
        for name in ["e", "f", "g", "h", "c/none", "nothing"] {
            assert_eq!(resolve(name), None, "{name}");
        }
        let dangling: Vec<String> = tree.without_dangling().1.into_iter().map(|(name, _)| name).collect();
        assert_eq!(dangling, ["e", "f", "g", "h"]);
    }

    #[test]
    fn what_is_put_beneath_replaces_nothing() {
        let mut tree = tree(&[("a/b", None), ("c", None), ("d/e", None)]);
        tree.put_beneath(self::tree(&[("a/x", None), ("c/x", None), ("d", Some("a")), ("f", Some("c"))]));
        assert_eq!(tree.names().into_iter().collect::<Vec<_>>(), ["a/b", "a/x", "c", "d/e", "f"]);
    }

    #[test]
    fn what_cannot_start_is_refused_with_what_helps() {
        let refused = |bytes: &[u8]| refuse_what_cannot_start("run.sh", bytes).unwrap_err();
        assert!(refused(b"python main.py\n").hints[0].contains("#!/bin/bash"));
        assert!(refused(b"#!/bin/bash\r\nexec x\r\n").hints[0].contains("sed -i"));
        assert!(refused(b"\xef\xbb\xbf#!/bin/sh\n").message.contains("byte order mark"));
        for (name, line) in [
            ("main.py", "python main.py"),
            ("dist/server.js", "node dist/server.js"),
            ("app.rb", "ruby app.rb"),
            ("main.ts", "node main.ts"),
            ("target/app.jar", "java -jar target/app.jar"),
        ] {
            let error = refuse_what_cannot_start(name, b"import os\r\n").unwrap_err();
            assert_eq!(error.hints[0], format!("name it: `run = \"{line}\"`"));
        }
        refuse_what_cannot_start("main.py", b"#!/usr/bin/env python\n").unwrap();
        refuse_what_cannot_start("run.sh", b"#!/bin/bash\nexec x\n").unwrap();
        refuse_what_cannot_start("server", b"\x7fELF...").unwrap();
    }
}
