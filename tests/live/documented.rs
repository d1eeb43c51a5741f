//! docs/aws.md marks the facts that are checked, and docs/live.md lists the checks. Both follow the table in `facts/`.

use crate::facts::{self, Asked};
use std::collections::BTreeSet;
use std::path::Path;

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).expect("the document")
}

#[test]
fn the_facts_marked_in_docs_aws_md_are_those_that_are_checked() {
    let text = document("aws.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut marked = BTreeSet::new();
    // A mark is "live: `one`, `two`".
    for mark in text.split("live: `").skip(1) {
        let end = mark.find([')', ';']).expect("a mark ends");
        for id in mark[..end].split("`, `") {
            let id = id.trim_end_matches('`');
            assert!(marked.insert(id.to_owned()), "`{id}` is marked twice");
        }
    }
    let checked: BTreeSet<String> = facts::all().map(|fact| fact.id.to_owned()).collect();
    let unmarked: Vec<_> = checked.difference(&marked).collect();
    let unchecked: Vec<_> = marked.difference(&checked).collect();
    assert!(unmarked.is_empty() && unchecked.is_empty(), "not marked: {unmarked:?}; not checked: {unchecked:?}");
    assert_eq!(facts::all().count(), checked.len(), "two facts have one id");
}

#[test]
fn the_table_in_docs_live_md_lists_all_checks() {
    let mut table = String::from("| Fact | What is checked | Local cloud | AWS |\n|---|---|---|---|\n");
    for fact in facts::all() {
        let local = if fact.asked == Asked::Everywhere { "holds" } else { "not asked" };
        table += &format!("| `{}` | {} | {local} | never run |\n", fact.id, fact.what);
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("facts.md");
    std::fs::write(&file, &table).expect("the table is written");
    assert!(document("live.md").contains(&table), "docs/live.md should contain the table in {}", file.display());
}
