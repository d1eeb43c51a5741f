//! Converts another environment of `samconfig.toml` to a stage, which contains only the differences from the default
//! one.

use super::draft::{Draft, Entry, Item, LeftOver};

/// Adds the settings of `other` that differ to `draft`, under `[stages.NAME]`. `file` is the samconfig file.
pub(crate) fn add(draft: &mut Draft, stage: &str, other: &Draft, file: &str) {
    let prefix = ["stages".to_owned(), stage.to_owned()];
    let base = draft.clone();
    let mut new: Vec<Item> = other.items.iter().filter(|item| is_new(item, &base)).cloned().collect();
    new.extend(changed_elements(&base, other));
    for item in base.items.iter().filter(|item| matches!(item.entry, Entry::Key { enabled: true, .. })) {
        let path = item.path();
        let is_there = |known: &Item| matches!(known.entry, Entry::Key { enabled: true, .. }) && known.path() == path;
        if !other.items.iter().any(is_there) {
            new.push(at_top(Entry::LeftOver(missing(file, stage, &path.join(".")))));
        }
    }
    for item in other.items.iter().filter(|item| matches!(item.entry, Entry::LeftOver(_))) {
        if !base.items.iter().chain(&new).any(|known| known.entry == item.entry) {
            new.push(at_top(item.entry.clone()));
        }
    }
    if new.is_empty() {
        let text = format!("The environment `{stage}` of {file} does not differ in anything that was imported.");
        new.push(at_top(Entry::Comment(text)));
    }
    for item in new {
        draft.push(&[&prefix[..], &item.table].concat(), item.entry);
    }
}

fn at_top(entry: Entry) -> Item {
    Item { table: Vec::new(), entry }
}

/// Whether this is an enabled key that `base` does not have. The app does not count: a stage is deployed under the same
/// app.
fn is_new(item: &Item, base: &Draft) -> bool {
    let Entry::Key { name, enabled: true, .. } = &item.entry else { return false };
    let is_app = item.table.is_empty() && name == "app";
    !is_app && !base.items.contains(item)
}

/// The elements of `other`'s arrays of tables that are not the same in `base`: a stage replaces an array as a whole.
fn changed_elements(base: &Draft, other: &Draft) -> Vec<Item> {
    let is_element = |item: &&Item| matches!(item.entry, Entry::Element { .. });
    let of = |draft: &Draft, path: &[String]| -> Vec<Item> {
        draft.items.iter().filter(is_element).filter(|item| item.path() == path).cloned().collect()
    };
    let mut paths: Vec<Vec<String>> = Vec::new();
    for path in base.items.iter().chain(&other.items).filter(is_element).map(Item::path) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let changed = paths.into_iter().filter(|path| of(base, path) != of(other, path));
    changed.flat_map(|path| of(other, &path)).collect()
}

fn missing(file: &str, stage: &str, path: &str) -> LeftOver {
    LeftOver {
        file: file.to_owned(),
        line: 1,
        path: format!("{stage}: {path}"),
        what: "this environment does not set it, but a stage cannot remove a key".into(),
        advice: "set it only in the stages that need it".into(),
        blocks: false,
    }
}
