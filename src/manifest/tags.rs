//! The user's own tags, limited to what Lambda, IAM and CloudWatch Logs all accept.

use super::section::{Entry, Section};
use crate::stack::Tags;
use std::collections::BTreeMap;

const LIMIT: usize = 50;
/// How many tags lamstream adds: app, function, region and, if there is one, the stage.
const OURS: usize = 3;
const NAME_LIMIT: usize = 128;
const VALUE_LIMIT: usize = 256;
const CHARACTERS: &str = "letters, digits, spaces and `_.:/=+-@`";

pub(super) fn read(keys: &Section<'_>) -> Tags {
    let Some(section) = keys.section("tags") else { return Tags::default() };
    let mut tags = Tags::default();
    let mut seen = BTreeMap::new();
    for entry in section.all() {
        let name = entry.name;
        refuse_name(&entry);
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            entry.problem_with_name(format!(
                "the tags `{other}` and `{name}` differ only in case, which IAM ignores, expected one of them"
            ));
        }
        let Some(value) = entry.string("a string") else { continue };
        let value = value.into_inner();
        if value.chars().count() > VALUE_LIMIT || !value.chars().all(is_allowed) {
            entry.problem(format!("the tag `{name}` is `{value}`, expected at most {VALUE_LIMIT} {CHARACTERS}"));
        }
        tags.insert(name, value);
    }
    tags
}

pub(super) fn refuse_too_many(tags: &Tags, has_stage: bool, function: &Entry<'_>) {
    let (count, limit) = (tags.iter().count(), LIMIT - OURS - usize::from(has_stage));
    if count > limit {
        let name = function.name;
        function.problem_with_name(format!(
            "the function `{name}` has {count} tags, expected at most {limit}: \
             AWS allows {LIMIT}, including lamstream's own"
        ));
    }
}

fn refuse_name(entry: &Entry<'_>) {
    let name = entry.name;
    let lower = name.to_lowercase();
    if let Some(prefix) = ["aws:", "lamstream:"].into_iter().find(|prefix| lower.starts_with(prefix)) {
        entry.problem_with_name(format!(
            "the tag `{name}` begins with `{prefix}`, which is reserved, expected another name"
        ));
    } else if name.is_empty() || name.chars().count() > NAME_LIMIT || !name.chars().all(is_allowed) {
        entry.problem_with_name(format!("`{name}` is not a valid tag name, expected 1 to {NAME_LIMIT} {CHARACTERS}"));
    }
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || " _.:/=+-@".contains(character)
}
