//! Other environments of `samconfig.toml`, as stages: what is different from the default one.

use super::draft::{Draft, Item, LeftOver, Said};

/// Adds to `draft` what `other` says differently, under `[stages.NAME]`.
pub fn add(draft: &mut Draft, stage: &str, other: &Draft, file: &str) {
    let base = draft.items.clone();
    let prefix = ["stages".to_owned(), stage.to_owned()];
    let inside = |table: &[String]| [&prefix[..], table].concat();
    let say = |draft: &mut Draft, table: &[String], said: Said| {
        draft.items.push(Item { table: inside(table), said });
    };
    let before = draft.items.len();
    for item in &other.items {
        // The app is one, and a stage of it is deployed beside it.
        let is_app = item.table.is_empty() && matches!(&item.said, Said::Key { name, .. } if name == "app");
        let is_new = matches!(item.said, Said::Key { on: true, .. }) && !base.contains(item);
        if is_new && !is_app {
            say(draft, &item.table, item.said.clone());
        }
    }
    for (table, name) in parts(&base, other) {
        let of = |items: &[Item]| -> Vec<Said> {
            let is_one = |item: &&Item| {
                item.table == table && matches!(&item.said, Said::Part { name: known, .. } if *known == name)
            };
            items.iter().filter(is_one).map(|item| item.said.clone()).collect()
        };
        let (ours, theirs) = (of(&base), of(&other.items));
        if ours != theirs {
            theirs.into_iter().for_each(|said| say(draft, &table, said));
        }
    }
    for item in base.iter().filter(|item| matches!(item.said, Said::Key { on: true, .. })) {
        let Said::Key { name, .. } = &item.said else { continue };
        let is_there = other.items.iter().any(|known| {
            known.table == item.table && matches!(&known.said, Said::Key { name: other, on: true, .. } if other == name)
        });
        if !is_there {
            let path = item.table.iter().chain([name]).cloned().collect::<Vec<_>>().join(".");
            let left = LeftOver {
                file: file.to_owned(),
                line: 1,
                path: format!("{stage}: {path}"),
                what: "this environment of SAM's does without it, and a stage can take no key away".into(),
                advice: "say it only in the stages that shall have it".into(),
            };
            say(draft, &[], Said::Left(left));
        }
    }
    for left in other.left() {
        if !draft.left().any(|known| known == left) {
            say(draft, &[], Said::Left(left.clone()));
        }
    }
    if draft.items.len() == before {
        let said = format!("The environment `{stage}` of samconfig.toml differs in nothing that stands here.");
        say(draft, &[], Said::Comment(said));
    }
}

/// The arrays of tables that either has.
fn parts(base: &[Item], other: &Draft) -> Vec<(Vec<String>, String)> {
    let mut all = Vec::new();
    for item in base.iter().chain(&other.items) {
        if let Said::Part { name, .. } = &item.said {
            let part = (item.table.clone(), name.clone());
            if !all.contains(&part) {
                all.push(part);
            }
        }
    }
    all
}
