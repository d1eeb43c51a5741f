//! The version that is published with its function, without a call of its own. Lambda gives it the function's description, so
//! the function has a tag for where the version comes from.

use crate::stack::{Origin, Tags};
use std::collections::HashMap;

/// A tag of the function that no manifest can set, and that plans do not compare.
pub(super) const TAG: &str = "lamstream:first-version";

/// The longest value of a tag, in characters, and how many other tags a function may have beside this one and
/// [`super::failed::TAG`].
const LONGEST: usize = 256;
const MOST: usize = 48;

/// The value of the tag: the digest of the version's code, and where it comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FirstVersion(Option<String>);

impl FirstVersion {
    /// `None` if the version has to be published by a call of its own, because AWS would not accept the tag beside `tags`.
    pub(super) fn of(code: &str, origin: &Origin, tags: &Tags) -> Option<FirstVersion> {
        let value = origin.write().map(|origin| format!("{code} {origin}"));
        let accepts = |text: &String| text.chars().count() <= LONGEST && text.chars().all(is_allowed);
        let fits = value.as_ref().is_none_or(|value| accepts(value) && tags.iter().count() <= MOST);
        fits.then_some(FirstVersion(value))
    }

    /// The tag, unless nothing is known.
    pub(super) fn tag(&self) -> Option<(&str, &str)> {
        Some((TAG, self.0.as_deref()?))
    }
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || " +-=._:/@".contains(character)
}

/// Where a version with this description and code comes from, by its own description or the function's tags.
pub(super) fn origin(description: &str, code: Option<&str>, tags: Option<&HashMap<String, String>>) -> Origin {
    let own = Origin::read(description);
    if own.by.is_some() {
        return own;
    }
    let tag = tags.and_then(|tags| tags.get(TAG)).and_then(|value| value.split_once(' '));
    tag.filter(|(of, _)| Some(*of) == code).map_or(own, |(_, origin)| Origin::read(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "Ko/WKb2Nabcdefghijklmnopqrstuvwxyz0123456789+A=";

    fn tagged(origin: &str) -> Option<FirstVersion> {
        FirstVersion::of(CODE, &Origin::read(origin), &Tags::default())
    }

    #[test]
    fn a_tag_says_where_the_first_version_comes_from_and_no_other() {
        let (first, later) = ("commit 3f2a dirty by assumed-role/Deploy/alice", "commit 4b1c by user/bob");
        let tag = tagged(first).and_then(|tag| tag.tag().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let tags = HashMap::from([tag.unwrap()]);
        assert_eq!(origin("", Some(CODE), Some(&tags)), Origin::read(first));
        assert_eq!(origin("Answers chats.", Some(CODE), Some(&tags)), Origin::read(first));
        assert_eq!(origin(later, Some(CODE), Some(&tags)), Origin::read(later));
        for (code, tags) in [(Some("other"), Some(&tags)), (None, Some(&tags)), (Some(CODE), None)] {
            assert_eq!(origin("", code, tags), Origin::default());
        }
    }

    #[test]
    fn what_no_tag_can_say_is_published_by_a_call_of_its_own() {
        assert_eq!(tagged("commit 3f2a by assumed-role/Deploy/alice,bob"), None);
        assert_eq!(tagged(&format!("commit 3f2a by user/{}", "x".repeat(220))), None);
        assert_eq!(tagged("").unwrap().tag(), None);
        let many = (0..49).fold(Tags::default(), |mut tags, number| {
            tags.insert(format!("tag-{number}"), "");
            tags
        });
        assert_eq!(FirstVersion::of(CODE, &Origin::read("by user/bob"), &many), None);
    }
}
