//! From a directory with an app to the package that Lambda gets: what is in it, what it depends on, and what starts it.
//!
//! What the directory [holds](files) is gathered, but for what no package [should carry](unwanted). The packages that the
//! app depends on are [installed](dependencies) for the target's runtime and processor into a cache, and lie beneath the
//! app's own files. All of it is [zipped](super::archive) the same way every time.

mod files;
mod handler;
mod patterns;
mod tree;
pub mod unwanted;

mod address;
mod dependencies;
mod local;
mod node;
mod node_locks;
mod registries;
mod tool;
mod yaml;

mod closure;
mod elsewhere;
mod installed;
mod list;
mod packages;
mod pip;
mod pip_log;
mod poetry;
mod project;
mod pylock;
mod python;
mod requirement;
mod requirements;
mod sources;
mod synthetic;
mod tidy;
mod uv;

mod interpreter;

pub use dependencies::Dependencies;
pub use files::Selection;
pub use interpreter::platform_here;

use std::path::PathBuf;

use super::archive;
use super::elf;
use super::error::BuildError;
use super::package::Package;
use crate::stack::{Family, Platform};
use tree::{Content, File, Tree};

/// A package that is to be made of a directory.
pub struct App {
    pub directory: PathBuf,
    pub selection: Selection,
    pub dependencies: Dependencies,
    pub platform: Platform,
    /// A file that is written into the package, executable: its name and its text.
    pub script: Option<(String, String)>,
    /// The file of the package that is executed to start it, if one is.
    pub started: Option<String>,
    /// What the runtime calls, where it has to be in the package.
    pub handler: Option<String>,
    /// A file that becomes executable where it is in the package.
    pub called: Option<String>,
    /// Where installed packages are kept.
    pub cache: PathBuf,
}

/// A package, and what there is to say of how it was made.
pub struct Assembled {
    pub package: Package,
    pub notes: Vec<String>,
}

impl App {
    /// Makes the package. `tell` gets what the tools write that install its dependencies, line by line.
    ///
    /// # Errors
    /// When the directory cannot be read, or lacks what starts it; when dependencies cannot be installed; when the
    /// package is too large for Lambda, or holds a Python extension that the target's processor cannot load.
    pub async fn assemble(&self, tell: &(dyn Fn(&str) + Sync)) -> Result<Assembled, BuildError> {
        let subject = format!("the directory `{}`", self.directory.display());
        let fills = self.dependencies.fills(self);
        let (mut tree, mut notes) = files::gather(&self.directory, &self.selection, fills)?;
        if let Some(installed) = self.dependencies.install(self, tell, &mut notes).await? {
            tree.put_beneath(files::gather_all(&installed)?);
        }
        if let Some((name, text)) = &self.script {
            let file = File { content: Content::Bytes(text.clone().into_bytes()), executable: true };
            if tree.insert(name.clone(), file).is_some() {
                let error =
                    BuildError::new(format!("cannot use {subject}: it holds `{name}`, which lamstream writes itself"));
                return Err(error.hint(format!("name it in `run`, or leave it out: `exclude = [\"{name}\"]`")));
            }
        }
        if let Some(started) = &self.started {
            tree.make_executable(started, &subject)?;
        }
        if let Some(called) = &self.called {
            tree.make_executable_if_there(called);
        }
        if let Some(handler) = &self.handler {
            handler::refuse_without(&tree, self.platform.runtime.family(), handler, &subject)?;
        }
        notes.extend(self.foreign_extensions(&tree)?);
        archive::check_sizes(&tree.sizes(), &subject)?;
        let zip = archive::pack_all(&tree.read()?, &subject)?;
        Ok(Assembled { package: Package::of_zip(zip, self.platform.architecture), notes })
    }

    /// A Python extension for another processor is found out only when it is imported; better here. What Python would not
    /// import by its name may be there to be chosen from, and is told.
    fn foreign_extensions(&self, tree: &Tree) -> Result<Option<String>, BuildError> {
        if self.platform.runtime.family() != Family::Python {
            return Ok(None);
        }
        let mut foreign = Vec::new();
        for (name, file) in tree.iter().filter(|(name, _)| name.ends_with(".so")) {
            let checked =
                elf::check_machine(&file.head()?, self.platform.architecture, &format!("the extension `{name}`"));
            let last = name.rsplit('/').next().unwrap_or(name);
            match checked {
                Err(error) if last.contains(".cpython-") || last.ends_with(".abi3.so") => return Err(error),
                Err(_) => foreign.push(format!("`{name}`")),
                Ok(()) => {}
            }
        }
        let told = || format!("not for `{}`: {}", self.platform.architecture, foreign.join(", "));
        Ok((!foreign.is_empty()).then(told))
    }
}
