//! What `lamstream init` finds in a directory, and the manifest that it writes; pure. Each language has a directory of its
//! own, which reads its files as tokens: comments and strings are not taken for code.

mod found;
mod go;
mod imports;
mod manifest;
mod name;
mod node;
mod python;
mod route;
mod runtime;
mod rust;
mod source;
mod template;
mod tokens;
mod tree;

#[cfg(test)]
mod tests;

pub use found::{Found, Survey};
pub use manifest::{SMALLEST, manifest};
pub use name::valid_name;
pub use runtime::Installed;
pub use template::{TEMPLATES, Template};
pub use tree::{DEEPEST_FILE, LARGEST, Tree, is_read, is_searched};

use tree::{DEEPEST, depth, is_aside};

/// What a directory has: another tool's configuration, or apps.
pub fn survey(tree: &Tree, installed: &Installed) -> Survey {
    if let Some(import) = imports::find(tree) {
        return import;
    }
    let all = [rust::find(tree), python::find(tree, installed), node::find(tree, installed), go::find(tree)];
    let mut apps: Vec<Found> = all.into_iter().flatten().filter(|found| depth(&found.directory) <= DEEPEST).collect();
    // Apps further up are those that the directory is about; examples and tests are not.
    let rank = |found: &Found| (is_aside(&found.directory), depth(&found.directory));
    let Some(best) = apps.iter().map(rank).min() else { return Survey::Nothing };
    apps.retain(|found| rank(found) == best);
    Survey::Apps(apps)
}
