//! The files of a package, before they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;

use crate::archive::Entry;
use crate::error::BuildError;

/// The files of a package by their names in it.
#[derive(Debug, Default)]
pub struct Tree(BTreeMap<String, File>);

#[derive(Debug)]
pub struct File {
    pub content: Content,
    pub executable: bool,
}

#[derive(Debug)]
pub enum Content {
    At(PathBuf),
    Bytes(Vec<u8>),
}

/// The number of bytes that identify an ELF file's machine.
const HEAD: u64 = 64;

impl Tree {
    /// Returns the file that was there before.
    pub fn insert(&mut self, name: String, file: File) -> Option<File> {
        self.0.insert(name, file)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &File)> {
        self.0.iter()
    }

    /// Adds the files whose names are not taken.
    pub fn put_beneath(&mut self, other: Tree) {
        for (name, file) in other.0 {
            self.0.entry(name).or_insert(file);
        }
    }

    /// Makes a file executable for Lambda, whatever its mode in the checkout.
    pub fn make_executable(&mut self, name: &str, subject: &str) -> Result<(), BuildError> {
        let Some(file) = self.0.get_mut(name) else {
            let error = BuildError::new(format!("cannot use {subject}: it has no `{name}` to start the app with"));
            return Err(error.at(&["run", "package", "web"]).hint(format!(
                "set `run` to a script in that directory, or to a command line of several words: `exec {name}`"
            )));
        };
        refuse_what_cannot_start(name, &file.bytes()?)?;
        file.executable = true;
        Ok(())
    }

    /// The same for an optional file.
    pub fn make_executable_if_there(&mut self, name: &str) {
        if let Some(file) = self.0.get_mut(name) {
            file.executable = true;
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn names(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// The size of each file, without reading it.
    pub fn sizes(&self) -> Vec<(&str, u64)> {
        self.0.iter().map(|(name, file)| (name.as_str(), file.size())).collect()
    }

    /// Sorted by name, so that the zip does not depend on the file system.
    pub fn read(&self) -> Result<Vec<Entry>, BuildError> {
        let read = |(name, file): (&String, &File)| {
            Ok(Entry { name: name.clone(), bytes: file.bytes()?, executable: file.executable })
        };
        self.0.iter().map(read).collect()
    }
}

impl File {
    fn bytes(&self) -> Result<Vec<u8>, BuildError> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::At(path) => std::fs::read(path)
                .map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error)),
        }
    }

    fn size(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            // Reading the file reports the error.
            Content::At(path) => path.metadata().map_or(0, |metadata| metadata.len()),
        }
    }

    /// Its first bytes.
    pub fn head(&self) -> Result<Vec<u8>, BuildError> {
        let Content::At(path) = &self.content else { return self.bytes() };
        let mut head = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        read.map_err(|error| BuildError::new(format!("cannot read `{}`", path.display())).because(error))?;
        Ok(head)
    }
}

/// The kernel can execute ELF files, and scripts that name their interpreter.
pub fn refuse_what_cannot_start(name: &str, bytes: &[u8]) -> Result<(), BuildError> {
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if bytes.starts_with(b"\x7fELF") || (first_line.starts_with(b"#!") && !first_line.ends_with(b"\r")) {
        return Ok(());
    }
    if first_line.ends_with(b"\r") {
        let error = BuildError::new(format!(
            "cannot start `{name}`: it has Windows line endings, so Linux does not find its interpreter"
        ));
        return Err(
            error.hint(format!("convert it: `sed -i 's/\\r$//' {name}`, and `*.sh text eol=lf` in .gitattributes"))
        );
    }
    if bytes.starts_with(b"\xef\xbb\xbf#!") {
        let error = BuildError::new(format!("cannot start `{name}`: it starts with a byte order mark instead of `#!`"));
        return Err(error.hint(format!("save it without one: `sed -i '1s/^\\xEF\\xBB\\xBF//' {name}`")));
    }
    let error =
        BuildError::new(format!("cannot start `{name}`: it is neither an ELF file nor a script that starts with `#!`"));
    Err(error.hint("start it with a line such as `#!/bin/bash`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_start_is_refused_with_what_helps() {
        let refused = |bytes: &[u8]| refuse_what_cannot_start("run.sh", bytes).unwrap_err();
        assert!(refused(b"python main.py\n").hints[0].contains("#!/bin/bash"));
        assert!(refused(b"#!/bin/bash\r\nexec x\r\n").hints[0].contains("sed -i"));
        assert!(refused(b"\xef\xbb\xbf#!/bin/sh\n").message.contains("byte order mark"));
        refuse_what_cannot_start("run.sh", b"#!/bin/bash\nexec x\n").unwrap();
        refuse_what_cannot_start("server", b"\x7fELF...").unwrap();
    }
}
