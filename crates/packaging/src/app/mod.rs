//! From an app's directory to the package for Lambda: its files, its dependencies, and what starts it.
//!
//! The directory's [files](files) are gathered, except those that [no package should have](crate::exclude). The packages
//! that the app [depends](dependencies) on are installed for the runtime and processor into a cache, and added unless the
//! app has a file of the same name. Everything is [zipped](crate::archive) deterministically.

mod beside;
mod dependencies;
mod files;
mod layout;
mod links;
mod rules;
mod tree;

pub use beside::Beside;
pub use dependencies::Dependencies;
pub use rules::Selection;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::archive::Store;
use crate::error::BuildError;
use crate::package::Package;
use crate::runtime::{Family, Platform};
use crate::{archive, exclude, executable, handler, modules};
use dependencies::Installed;
use links::Links;
use tree::{Content, File, Tree};

/// A directory to package.
pub struct App {
    pub directory: PathBuf,
    /// The directory of the project around it. What links lead to there belongs to the app.
    pub project: PathBuf,
    pub selection: Selection,
    pub dependencies: Dependencies,
    pub platform: Platform,
    /// Whether the tests of packages are removed.
    pub slim: bool,
    /// An executable file to add to the package: its name and its text.
    pub script: Option<(String, String)>,
    /// The file of the package that starts the app, if there is one.
    pub started: Option<String>,
    /// The handler that the runtime calls, if it must be in the package.
    pub handler: Option<String>,
    /// A file to make executable if it is in the package.
    pub called: Option<String>,
    /// A file of the package that a command line needs.
    pub required: Option<String>,
    /// Python modules that a command line imports, if they must be in the package.
    pub modules: Vec<String>,
    /// The cache of installed packages.
    pub cache: PathBuf,
}

/// A package, and notes about how it was made.
pub struct Assembled {
    pub package: Package,
    pub notes: Vec<String>,
}

/// An app without any problem that can be found before packages are installed.
pub struct Checked {
    app: App,
    tree: Tree,
    notes: Vec<String>,
}

impl App {
    /// Gathers the files and checks that the package can be made. Installs nothing and queries no registry.
    ///
    /// # Errors
    /// When the directory or the list of dependencies cannot be read, or lacks what starts the app; when a tool that
    /// installs packages is missing; when the app's own files are too large for Lambda, or for another processor.
    /// Independent problems are reported together.
    pub async fn check(self) -> Result<Checked, Vec<BuildError>> {
        let one = |error| vec![error];
        self.refuse_no_directory().map_err(one)?;
        exclude::mark_cache(&self.cache);
        let fills = self.dependencies.fills(&self.directory, self.platform.runtime.family());
        let gathered = files::gather(&self.directory, &self.project, &self.selection, fills).map_err(one)?;
        let (mut tree, mut notes) = (gathered.tree, gathered.notes);
        if gathered.leads_to_packages {
            tree.put_beneath(self.packages_of_project().map_err(one)?);
        }
        let listed = self.dependencies.check(&self.directory, &self.platform).await;
        let mut wrong = Vec::new();
        if let Err(error) = self.write_script(&mut tree) {
            wrong.push(error);
        }
        // A file in a subdirectory may come with a dependency.
        let may_come = |name: &str| !matches!(listed, Ok(false)) && name.contains('/') && !tree.has(name);
        if let Some(required) = self.required.as_deref().filter(|required| !may_come(required)) {
            wrong.extend(self.refuse_without(&tree, required).err());
        }
        let started = self.started.as_deref().filter(|started| !may_come(started));
        wrong.extend(started.and_then(|started| tree.make_executable(started, &self.subject()).err()));
        if let Some(handler) = self.handler.as_ref().filter(|_| matches!(listed, Ok(false))) {
            let family = self.platform.runtime.family();
            wrong.extend(handler::refuse_without(&tree.names(), family, handler, &self.subject()).err());
        }
        if matches!(listed, Ok(false)) {
            wrong.extend(modules::refuse_without(&tree.names(), &self.modules, &self.subject()).err());
        }
        wrong.extend(self.refuse_program(&tree).err());
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
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(BuildError::new(format!("cannot use {}: {why}", self.subject())).at(&["web", "package"]))
    }

    /// The app's `node_modules` whose links lead to packages elsewhere in the project.
    fn packages_of_project(&self) -> Result<Tree, BuildError> {
        let links = Links::of(&self.directory, &self.project);
        match links.place() {
            (project, Some(app)) => layout::own(project, app),
            (_, None) => Ok(Tree::default()),
        }
    }

    /// Refuses a package without a file that the command line starts.
    fn refuse_without(&self, tree: &Tree, required: &str) -> Result<(), BuildError> {
        if tree.has_or_leads_to(required) {
            return Ok(());
        }
        let subject = self.subject();
        let error =
            |why: &str| BuildError::new(format!("cannot use {subject}: `run` starts `{required}`, {why}")).at(&["run"]);
        Err(match self.directory.join(required).exists() {
            true => error("which is left out of the package")
                .hint(format!("remove it from `exclude`, or add it to `include`: `include = [\"{required}\"]`")),
            false => error("which does not exist").hint("correct `run`, which starts in that directory"),
        })
    }

    fn write_script(&self, tree: &mut Tree) -> Result<(), BuildError> {
        let Some((name, text)) = &self.script else { return Ok(()) };
        let file = File { content: Content::Bytes(text.clone().into_bytes()), executable: true };
        if tree.insert(name.clone(), file).is_none() {
            return Ok(());
        }
        let subject = self.subject();
        let error = BuildError::new(format!("cannot use {subject}: it contains `{name}`, which lamstream generates"));
        Err(error.at(&["run"]).hint(format!("set `run` to it, or exclude it: `exclude = [\"{name}\"]`")))
    }

    /// Refuses a program for another processor or a newer glibc, if the app starts with it.
    fn refuse_program(&self, tree: &Tree) -> Result<(), BuildError> {
        // Runtimes of languages have their own programs, which come first in `PATH`.
        let is_alone = !self.platform.runtime.is_managed();
        let in_path = self.called.iter().filter(|called| is_alone && !called.contains('/'));
        let names =
            self.started.iter().chain(&self.called).cloned().chain(in_path.map(|called| format!("bin/{called}")));
        for name in names {
            let Some(file) = tree.file(&name) else { continue };
            if executable::is_machine_code(&file.head()?) {
                let checked = executable::check_program(&file.bytes()?, &self.platform, &format!("`{name}`"));
                checked.map_err(|error| error.at(&["run", "package", "web"]))?;
            }
        }
        Ok(())
    }

    /// Python notices an extension for another processor only on import, so it is refused here. A file that Python would
    /// not import by its name may be one of several variants, and is only noted; so is one whose name says that it is for
    /// another system.
    fn foreign_extensions(&self, tree: &Tree) -> Result<Option<String>, BuildError> {
        if self.platform.runtime.family() != Family::Python {
            return Ok(None);
        }
        let mut foreign = Vec::new();
        let is_link = |file: &File| matches!(file.content, Content::Link(_));
        for (name, file) in tree.iter().filter(|(name, file)| name.ends_with(".so") && !is_link(file)) {
            let (head, machine) = (file.head()?, self.platform.machine());
            let checked = executable::check_head(&head, machine, &format!("the extension `{name}`"));
            let last = name.rsplit('/').next().unwrap_or(name);
            let is_named = last.contains(".cpython-") && !executable::is_foreign(&head, machine.system);
            match checked {
                Err(error) if is_named || last.ends_with(".abi3.so") => return Err(error),
                Err(_) => foreign.push(format!("`{name}`")),
                Ok(()) => {}
            }
        }
        let told =
            || format!("built for another architecture than `{}`: {}", self.platform.machine(), foreign.join(", "));
        Ok((!foreign.is_empty()).then(told))
    }
}

impl Checked {
    /// Makes the package. `tell` receives the output of the tools that install dependencies, line by line. `accepted` is
    /// called once they are installed, and what starts the app is there.
    ///
    /// # Errors
    /// When dependencies cannot be installed, or make the package invalid.
    pub async fn assemble(
        self,
        tell: &(dyn Fn(&str) + Sync),
        accepted: &(dyn Fn() + Sync),
    ) -> Result<Assembled, BuildError> {
        let Checked { app, mut tree, mut notes } = self;
        let subject = app.subject();
        let (directory, platform) = (&app.directory, &app.platform);
        let own: BTreeSet<String> = tree.names().into_iter().map(str::to_owned).collect();
        let dependencies = &app.dependencies;
        let installed = dependencies.install(directory, platform, app.slim, &app.cache, tell, &mut notes).await?;
        if let Some(installed) = installed {
            let installed = match installed {
                Installed::Flat(directory) => files::gather_all(&directory)?,
                Installed::Node(node) => layout::installed(&node.place, &node.project, &node.app, &node.needed)?,
            };
            app.refuse_program(&installed)?;
            notes.extend(app.foreign_extensions(&installed)?);
            tree.put_beneath(installed);
        }
        let (mut tree, dangling) = tree.without_dangling();
        let dangling = dangling.iter().filter(|(name, _)| own.contains(name));
        notes.extend(dangling.map(|(name, text)| links::note_of_dangling(name, text)));
        if let Some(started) = &app.started {
            tree.make_executable(started, &subject)?;
        }
        if let Some(called) = &app.called {
            tree.make_executable_if_there(called);
        }
        if let Some(handler) = &app.handler {
            handler::refuse_without(&tree.names(), app.platform.runtime.family(), handler, &subject)?;
        }
        modules::refuse_without(&tree.names(), &app.modules, &subject)?;
        archive::check_sizes(&tree.sizes(), &subject)?;
        accepted();
        let zip = archive::pack_again(&tree.entries(), &Store::open(&app.cache, &app.directory), &subject)?;
        exclude::mark_cache(&app.cache);
        Ok(Assembled { package: Package::of_zip(zip, app.platform.architecture), notes })
    }
}
