//! From a directory with an app to the package that Lambda gets: what is in it, what it depends on, and what starts it.
//!
//! What the directory [holds](files) is gathered, but for what no package [should carry](unwanted). The packages that the
//! app depends on are [installed](dependencies) for the target's runtime and processor into a cache, and lie beneath the
//! app's own files. All of it is [zipped](super::archive) the same way every time.

mod deployment;
mod files;
pub mod handler;
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
mod machine;
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
pub use unwanted::UNFINISHED;

use std::path::PathBuf;

use super::archive;
use super::elf;
use super::error::BuildError;
use super::package::Package;
use crate::{Family, Platform};
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

/// An app of which all is right that can be known before anything is installed.
pub struct Checked {
    app: App,
    tree: Tree,
    notes: Vec<String>,
}

impl App {
    /// Gathers the files, and finds out whether the package can be made. Installs nothing and asks no registry.
    ///
    /// # Errors
    /// When the directory or the list of dependencies cannot be read, or lacks what starts the app; when a tool that
    /// installs packages is missing; when the app's own files are too large for Lambda, or not for its processor. All that
    /// can be found out at once is.
    pub async fn check(self) -> Result<Checked, Vec<BuildError>> {
        let one = |error| vec![error];
        self.refuse_no_directory().map_err(one)?;
        let fills = self.dependencies.fills(&self);
        let (mut tree, mut notes) = files::gather(&self.directory, &self.selection, fills).map_err(one)?;
        let listed = self.dependencies.check(&self).await;
        let mut wrong = Vec::new();
        if let Err(error) = self.write_script(&mut tree) {
            wrong.push(error);
        }
        // What lies deeper may come with a package.
        let may_come = |name: &str| !matches!(listed, Ok(false)) && name.contains('/') && !tree.has(name);
        let started = self.started.as_deref().filter(|started| !may_come(started));
        wrong.extend(started.and_then(|started| tree.make_executable(started, &self.subject()).err()));
        if let Some(handler) = self.handler.as_ref().filter(|_| matches!(listed, Ok(false))) {
            let family = self.platform.runtime.family();
            wrong.extend(handler::refuse_without(&tree.names(), family, handler, &self.subject()).err());
        }
        match self.foreign_extensions(&tree) {
            Ok(note) => notes.extend(note),
            Err(error) => wrong.push(error),
        }
        wrong.extend(archive::check_sizes(&tree.sizes(), &self.subject()).err());
        wrong.extend(listed.err());
        if wrong.is_empty() { Ok(Checked { app: self, tree, notes }) } else { Err(wrong) }
    }

    fn subject(&self) -> String {
        format!("the directory `{}`", self.directory.display())
    }

    fn refuse_no_directory(&self) -> Result<(), BuildError> {
        let why = match self.directory.metadata() {
            Ok(metadata) if metadata.is_dir() => return Ok(()),
            Ok(_) => "it is a file".to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "there is no such directory".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(BuildError::new(format!("cannot use {}: {why}", self.subject())).at(&["web", "package"]))
    }

    fn write_script(&self, tree: &mut Tree) -> Result<(), BuildError> {
        let Some((name, text)) = &self.script else { return Ok(()) };
        let file = File { content: Content::Bytes(text.clone().into_bytes()), executable: true };
        if tree.insert(name.clone(), file).is_none() {
            return Ok(());
        }
        let subject = self.subject();
        let error = BuildError::new(format!("cannot use {subject}: it holds `{name}`, which lamstream writes itself"));
        Err(error.at(&["run"]).hint(format!("name it in `run`, or leave it out: `exclude = [\"{name}\"]`")))
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

impl Checked {
    /// Makes the package. `tell` gets what the tools write that install its dependencies, line by line.
    ///
    /// # Errors
    /// When dependencies cannot be installed, and when something is wrong with the package only together with them.
    pub async fn assemble(self, tell: &(dyn Fn(&str) + Sync)) -> Result<Assembled, BuildError> {
        let Checked { app, mut tree, mut notes } = self;
        let subject = app.subject();
        if let Some(installed) = app.dependencies.install(&app, tell, &mut notes).await? {
            let installed = files::gather_all(&installed)?;
            notes.extend(app.foreign_extensions(&installed)?);
            tree.put_beneath(installed);
        }
        if let Some(started) = &app.started {
            tree.make_executable(started, &subject)?;
        }
        if let Some(called) = &app.called {
            tree.make_executable_if_there(called);
        }
        if let Some(handler) = &app.handler {
            handler::refuse_without(&tree.names(), app.platform.runtime.family(), handler, &subject)?;
        }
        archive::check_sizes(&tree.sizes(), &subject)?;
        let zip = archive::pack_all(&tree.read()?, &subject)?;
        Ok(Assembled { package: Package::of_zip(zip, app.platform.architecture), notes })
    }
}
