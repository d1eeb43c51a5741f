//! No file needs, by way of others, itself.

use crate::{read, root, rust_files};
use std::collections::{BTreeMap, BTreeSet};

/// The path of a module, such as `["aws", "release"]`.
type Module = Vec<String>;

/// The modules below a directory, with the code of each: without comments and tests.
struct Tree {
    code: BTreeMap<Module, String>,
    /// Where the names are that a module takes from those below it and hands on.
    exports: BTreeMap<Module, BTreeMap<String, Module>>,
}

impl Tree {
    fn of(directory: &str) -> Tree {
        let mut code = BTreeMap::new();
        for path in rust_files(directory) {
            let inside = path.strip_prefix(root().join(directory)).unwrap().with_extension("");
            let mut module: Module = inside.iter().map(|step| step.to_string_lossy().into_owned()).collect();
            module.pop_if(|last| ["lib", "mod"].contains(&last.as_str()));
            let text = read(&path);
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = product.lines().filter(|line| !line.trim_start().starts_with("//"));
            code.insert(module, lines.collect::<Vec<_>>().join("\n"));
        }
        let mut tree = Tree { code, exports: BTreeMap::new() };
        for (module, code) in &tree.code {
            let handed_on = code.match_indices("pub").filter_map(|(at, _)| {
                let rest = &code[at + "pub".len()..];
                let rest =
                    rest.strip_prefix('(').map_or(rest, |scope| scope.split_once(')').map_or("", |(_, rest)| rest));
                rest.trim_start().strip_prefix("use ")
            });
            let below = |path: &Module| path.first().is_some_and(|first| tree.code.contains_key(&child(module, first)));
            let names = handed_on.flat_map(paths).filter(below);
            let names = names.filter_map(|path| Some((path.last()?.clone(), path.clone()))).collect();
            tree.exports.insert(module.clone(), names);
        }
        tree
    }

    /// The module in which what a path names is declared.
    fn declaring(&self, start: Module, path: &[String]) -> Option<Module> {
        let mut module = start;
        for step in path {
            let below = child(&module, step);
            if self.code.contains_key(&below) {
                module = below;
            } else if let Some(path) = self.exports.get(&module).and_then(|names| names.get(step)) {
                return self.declaring(module.clone(), &path[..path.len() - 1]);
            } else {
                break;
            }
        }
        self.code.contains_key(&module).then_some(module)
    }

    /// The modules that a module uses, except the one that holds all.
    fn used_by(&self, module: &Module) -> BTreeSet<Module> {
        let code = &self.code[module];
        let rooted = ["super::", "crate::"].into_iter().flat_map(|head| code.match_indices(head));
        // In the middle of a path it is not the head.
        let rooted = rooted.filter(|(at, _)| !code[..*at].ends_with("::")).flat_map(|(at, _)| paths(&code[at..]));
        let own = code.lines().filter_map(|line| line.trim_start().strip_prefix("use ")).flat_map(paths);
        let own = own.filter(|path| path.first().is_some_and(|first| self.code.contains_key(&child(module, first))));
        let used = rooted.chain(own).filter_map(|path| {
            let up = path.iter().take_while(|step| *step == "super").count();
            let (start, rest) = match path.first().map(String::as_str) {
                Some("crate") => (Vec::new(), &path[1..]),
                _ => (module[..module.len().saturating_sub(up)].to_vec(), &path[up..]),
            };
            self.declaring(start, rest)
        });
        used.filter(|used| used != module && !used.is_empty()).collect()
    }
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// All paths that a text begins with: one, or those of a tree in braces.
fn paths(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut rest = text;
    read_tree(&mut rest, &Vec::new(), &mut found);
    found
}

fn read_tree(rest: &mut &str, above: &Module, found: &mut Vec<Module>) {
    *rest = rest.trim_start();
    if let Some(inner) = rest.strip_prefix('{') {
        *rest = inner;
        while !rest.trim_start().is_empty() && !rest.trim_start().starts_with('}') {
            read_tree(rest, above, found);
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            *rest = rest[end..].trim_start_matches(',');
        }
        *rest = rest.trim_start().strip_prefix('}').unwrap_or_default();
        return;
    }
    let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    let path = if name.is_empty() || name == "self" { above.clone() } else { child(above, name) };
    *rest = after;
    match after.strip_prefix("::") {
        Some(inner) if !name.is_empty() => {
            *rest = inner;
            read_tree(rest, &path, found);
        }
        _ => found.push(path),
    }
}

/// The modules that a module needs, directly and by way of others.
fn needed_by<'a>(module: &Module, uses: &'a BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let (mut needed, mut open) = (BTreeSet::new(), vec![module]);
    while let Some(next) = open.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if needed.insert(used) {
                open.push(used);
            }
        }
    }
    needed
}

/// The modules below a directory that need themselves.
pub(crate) fn cycles(directory: &str) -> Vec<String> {
    let tree = Tree::of(directory);
    let uses: BTreeMap<Module, BTreeSet<Module>> =
        tree.code.keys().map(|module| (module.clone(), tree.used_by(module))).collect();
    let in_circle = uses.keys().filter(|module| needed_by(module, &uses).contains(module));
    in_circle.map(|module| module.join("/")).collect()
}
