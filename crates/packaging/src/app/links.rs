//! Where the links of an app lead, and what becomes of them in a package.
//!
//! A link stays a link if what it leads to is in the package, or is a place of Lambda's own. What it leads to is packaged
//! in its place if that belongs to the project. Everything else is on this machine only, and is left out with a note.

use std::path::{Component, Path, PathBuf};

use crate::tool;

/// Places that exist on Lambda, too: the package itself, its layers, and what the function writes.
const OF_LAMBDA: [&str; 3] = ["/var/task", "/opt", "/tmp"];

/// Where a link leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To another part of the package, or to a place of Lambda's: the text of a link.
    Within(String),
    /// To a file or directory of the project, whose content takes the link's place.
    ToPart(PathBuf),
    /// From a `node_modules` to packages that are installed elsewhere in the project.
    ToPackages,
    /// To this machine, as the link says it.
    Out(String),
}

/// Canonical directories.
pub(super) struct Links {
    app: PathBuf,
    project: PathBuf,
}

impl Links {
    /// `around` is a directory that the project contains. A repository is one project.
    pub(super) fn of(app: &Path, around: &Path) -> Links {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| tool::absolute(path));
        let (app, around) = (canonical(app), canonical(around));
        let around = if app.starts_with(&around) { around } else { app.clone() };
        Links { app, project: tool::project(&around) }
    }

    /// The project, and the app's directory in it.
    pub(super) fn place(&self) -> (&Path, Option<&str>) {
        (&self.project, self.app.strip_prefix(&self.project).ok().and_then(Path::to_str))
    }

    /// The name in the package of a file of the app.
    pub(super) fn inner(&self, path: &Path) -> Option<String> {
        path.strip_prefix(&self.app).ok().and_then(Path::to_str).map(str::to_owned)
    }

    /// `name` is the link's name in the package. `is_asked` is whether it is named for being packaged. `followed` is the
    /// directory that another link led to, if the link is in one.
    pub(super) fn judge(&self, path: &Path, name: &str, is_asked: bool, followed: Option<&Path>) -> Leads {
        let Ok(target) = std::fs::read_link(path) else { return Leads::Out(String::new()) };
        let text = target.to_string_lossy().into_owned();
        let around = path.parent().and_then(|around| around.canonicalize().ok()).unwrap_or_default();
        let near = normal(&around.join(&target));
        let root = followed.unwrap_or(&self.app);
        if target.is_relative() && near.starts_with(root) {
            return Leads::Within(staying(&around, root, &near, text));
        }
        let real = path.canonicalize().ok();
        if let Some(inner) = real.as_deref().and_then(|real| self.inner(real)).or_else(|| self.inner(&near)) {
            return Leads::Within(relative(name, &inner));
        }
        let of_packages = name.split('/').any(|part| part == "node_modules");
        match real {
            Some(real) if is_asked => Leads::ToPart(real),
            Some(real) if real.starts_with(&self.project) && of_packages => Leads::ToPackages,
            // What is around the app is not a part of it.
            Some(real) if real.starts_with(&self.project) && !self.app.starts_with(&real) => Leads::ToPart(real),
            _ if OF_LAMBDA.iter().any(|place| target.starts_with(place)) => Leads::Within(text),
            _ => Leads::Out(text),
        }
    }
}

/// The text of a link in `around` to `near`, which are both in `root`: the link's own text, unless it leaves `root` on its
/// way, whose name in the package is another.
fn staying(around: &Path, root: &Path, near: &Path, text: String) -> String {
    let inner = |path: &Path| path.strip_prefix(root).ok().map(|inner| Path::new("/").join(inner));
    match (inner(around), inner(near)) {
        (Some(from), Some(to)) if normal(&from.join(&text)) != to => {
            relative(&from.join("link").to_string_lossy(), &to.to_string_lossy())
        }
        _ => text,
    }
}

/// The note about a link that is left out.
pub(super) fn note(name: &str, target: &str) -> String {
    format!(
        "`{name}` is left out: it is a link to `{target}`, which is not part of the app; add it to `include` to package \
         what it leads to"
    )
}

/// The note about a link to something that is not in the package.
pub(super) fn note_of_dangling(name: &str, target: &str) -> String {
    format!("`{name}` is left out: it is a link to `{target}`, which is not in the package")
}

/// Without `.` and `..`, by the names alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// The text of a link from one name of a package to another.
pub(super) fn relative(from: &str, to: &str) -> String {
    let parts = |name: &str| name.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (mut from, to) = (parts(from), parts(to));
    from.pop();
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let text = up.chain(to.into_iter().skip(common)).collect::<Vec<_>>().join("/");
    if text.is_empty() { ".".to_owned() } else { text }
}
