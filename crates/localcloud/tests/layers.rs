//! Holds the layers of this crate: which module of `src/` may use which, and that no files use each other in a cycle.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules from bottom to top, and what each may use. Every module may use [`FOUNDATION`], too.
const MODULES: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("options", &[]),
    ("platform", &[]),
    ("random", &[]),
    ("sync", &[]),
    ("wire", &[]),
    ("net", &["platform", "wire"]),
    ("world", &["wire"]),
    ("disk", &["wire", "world"]),
    ("store", &["disk", "wire", "world"]),
    ("signature", &["disk", "store", "wire"]),
    ("limits", &["wire", "world"]),
    ("sandbox", &["disk", "limits", "net", "platform", "store", "wire", "world"]),
    ("url", &["net", "platform", "sandbox", "signature", "wire", "world"]),
    ("cloud", &["disk", "limits", "net", "sandbox", "url", "world"]),
    ("services", &["cloud", "disk", "sandbox", "signature", "store", "url", "wire", "world"]),
    ("server", &["cloud", "net", "services", "signature", "wire"]),
];

const FOUNDATION: [&str; 4] = ["clock", "options", "random", "sync"];

/// Services stand side by side: each uses only the files that all of them share.
const SHARED: [&str; 6] = ["call", "download", "form", "mod", "paging", "response"];

/// Every file below a directory, as its path without `.rs`, with its text.
type Sources = BTreeMap<String, String>;

fn sources(root: &Path) -> Sources {
    let mut sources = Sources::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().with_extension("");
                sources.insert(name.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

/// Replaces comments and texts by nothing, as far as they could be taken for paths.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]").next().unwrap();
    let lines = product.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join(" ")
}

/// All paths that a text uses from this crate: those that begin with `crate` or `super`, with the groups in `use`
/// expanded.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for word in ["crate::", "super::"] {
        for (at, _) in text.match_indices(word) {
            let is_whole =
                !text[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':');
            if is_whole {
                expand(&text[at..], &mut Vec::new(), &mut paths);
            }
        }
    }
    paths
}

/// Reads one path, or one tree of them, from the beginning of a text; returns what follows it.
fn expand<'a>(text: &'a str, before: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let depth = before.len();
    let mut rest = text;
    loop {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        before.push(rest[..end].to_owned());
        rest = &rest[end..];
        let Some(next) = rest.strip_prefix("::") else { break };
        rest = next;
        if let Some(mut group) = rest.strip_prefix('{') {
            while !group.trim_start().starts_with('}') {
                group = expand(group.trim_start(), before, paths).trim_start().trim_start_matches(',');
            }
            rest = &group.trim_start()[1..];
            before.truncate(depth);
            return rest;
        }
    }
    paths.push(before.clone());
    before.truncate(depth);
    rest
}

/// The file that a path leads to, seen from another one: that of the longest beginning which is a module.
fn target(sources: &Sources, file: &str, path: &[String]) -> Option<String> {
    let mut module: Vec<&str> = file.strip_suffix("/mod").unwrap_or(file).split('/').collect();
    let mut names = path.iter().map(String::as_str).peekable();
    match names.next() {
        Some("crate") => module.clear(),
        _ => drop(module.pop()),
    }
    while names.next_if_eq(&"super").is_some() {
        module.pop();
    }
    for name in names {
        let longer = [module.join("/"), name.to_owned()].join("/");
        let longer = longer.trim_start_matches('/');
        let is_module = sources.contains_key(longer) || sources.contains_key(&format!("{longer}/mod"));
        if !is_module {
            break;
        }
        module.push(name);
    }
    let found = module.join("/");
    [found.clone(), format!("{found}/mod")].into_iter().find(|name| sources.contains_key(name))
}

/// Which files each file uses.
fn uses(sources: &Sources) -> BTreeMap<&str, BTreeSet<String>> {
    let used = |(file, text): (&'_ String, &'_ String)| {
        let targets = paths(&code(text)).into_iter().filter_map(|path| target(sources, file, &path));
        targets.filter(|target| target != file).collect()
    };
    sources.iter().filter(|(file, _)| *file != "lib").map(|entry| (entry.0.as_str(), used(entry))).collect()
}

fn module(file: &str) -> &str {
    file.split('/').next().unwrap()
}

/// The service of a file, unless it is one that all services share.
fn service(file: &str) -> Option<&str> {
    file.strip_prefix("services/")?.split('/').next().filter(|name| !SHARED.contains(name))
}

/// Every use that the map does not allow.
fn wrong_uses(sources: &Sources) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, targets) in uses(sources) {
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module(file)) else {
            wrong.push(format!("{file} is in no module of the map"));
            continue;
        };
        for target in targets {
            let (from, to) = (module(file), module(&target));
            if from != to && !FOUNDATION.contains(&to) && !allowed.contains(&to) {
                wrong.push(format!("{file} may not use {target}"));
            }
            if let (Some(one), Some(other)) = (service(file), service(&target))
                && one != other
            {
                wrong.push(format!("{file} may not use the service of {target}"));
            }
        }
    }
    wrong
}

/// One cycle of files that use each other, if there is any.
fn cycle(sources: &Sources) -> Option<Vec<String>> {
    let uses = uses(sources);
    let mut left: BTreeSet<&str> = uses.keys().copied().collect();
    // Whatever uses nothing that is left cannot be part of a cycle.
    loop {
        let free: Vec<&str> = left
            .iter()
            .copied()
            .filter(|file| !uses[file].iter().any(|target| left.contains(target.as_str())))
            .collect();
        if free.is_empty() {
            break;
        }
        for file in free {
            left.remove(file);
        }
    }
    let mut cycle = vec![(*left.first()?).to_owned()];
    loop {
        let next = uses[cycle.last()?.as_str()].iter().find(|target| left.contains(target.as_str()))?;
        if let Some(begin) = cycle.iter().position(|file| file == next) {
            cycle.push(next.clone());
            return Some(cycle.split_off(begin));
        }
        cycle.push(next.clone());
    }
}

fn this_crate() -> Sources {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn rooms_use_only_what_is_below_them() {
    let wrong = wrong_uses(&this_crate());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_goes_from_bottom_to_top_and_has_no_entry_too_many() {
    let sources = this_crate();
    let used: BTreeSet<(String, String)> = uses(&sources)
        .into_iter()
        .flat_map(|(file, targets)| {
            targets.into_iter().map(|target| (module(file).to_owned(), module(&target).to_owned()))
        })
        .collect();
    for (at, (name, allowed)) in MODULES.iter().enumerate() {
        assert!(sources.keys().any(|file| module(file) == *name), "the module {name} has no files");
        for below in *allowed {
            assert!(MODULES[..at].iter().any(|(other, _)| other == below), "{below} is not below {name}");
            let is_used = used.contains(&((*name).to_owned(), (*below).to_owned()));
            assert!(is_used, "{name} may use {below}, but does not");
        }
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let cycle = cycle(&this_crate());
    assert!(cycle.is_none(), "{}", cycle.unwrap().join(" -> "));
}

#[test]
fn the_checks_can_fail() {
    let with = |file: &str, line: &str| {
        let mut sources = this_crate();
        sources.entry(file.to_owned()).or_default().insert_str(0, &format!("{line}\n"));
        sources
    };
    for (file, line, message) in [
        ("world/role", "use crate::disk::files::remove_tree;", "world/role may not use disk/files"),
        ("sandbox/instance", "use crate::{sync::lock, cloud::Cloud};", "sandbox/instance may not use cloud"),
        ("net/peer", "fn f() { super::super::server::accept() }", "net/peer may not use server"),
        ("services/ssm", "use super::iam;", "services/ssm may not use the service of services/iam/mod"),
        ("other/new", "use crate::clock;", "other/new is in no module of the map"),
    ] {
        assert_eq!(wrong_uses(&with(file, line)), [message], "{line}");
    }
    for line in ["// use crate::cloud::Cloud;", "use crate::wire::{error::{Fault, full}, date};"] {
        assert!(wrong_uses(&with("world/role", line)).is_empty(), "{line}");
    }
    let cycle = cycle(&with("wire/xml", "use super::{error::{Body, Fault}, date};")).unwrap();
    assert_eq!(cycle, ["wire/error", "wire/xml", "wire/error"]);
}
