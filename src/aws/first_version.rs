//! The version that is published with its function, without a call of its own. Lambda gives it the function's description, so
//! the function has a tag for where the version comes from.

use crate::stack::{Origin, Tags};
use std::collections::HashMap;

/// A tag of the function that no manifest can set, and that plans do not compare: the version's number, and where it comes
/// from.
pub(super) const TAG: &str = "lamstream:first-version";

/// How many other tags a function may have beside this one and [`super::failed::TAG`].
pub(super) const MOST: usize = 48;
/// The longest value of a tag, in characters.
const LONGEST: usize = 256;
/// The usual number. Lambda uses no number again, so that a function that was deleted and created again goes on counting.
const FIRST: &str = "1";

/// Where the version comes from, as the tag says it; `None` if nothing is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FirstVersion(Option<String>);

impl FirstVersion {
    /// `None` if the version has to be published by a call of its own, because AWS would not accept the tag beside `tags`.
    pub(super) fn of(origin: &Origin, tags: &Tags) -> Option<FirstVersion> {
        let origin = origin.write();
        // The number may be longer.
        let accepts = |text: &String| text.chars().count() + 20 <= LONGEST && text.chars().all(is_allowed);
        let fits = tags.iter().count() <= MOST && origin.as_ref().is_none_or(accepts);
        fits.then_some(FirstVersion(origin))
    }

    /// The tag of a function whose first version has this number; `None` if nothing is known.
    fn tag(&self, number: &str) -> Option<(&'static str, String)> {
        self.0.as_ref().map(|origin| (TAG, format!("{number} {origin}")))
    }

    /// The tag of a function that has had no version yet.
    pub(super) fn expected(&self) -> Option<(&'static str, String)> {
        self.tag(FIRST)
    }

    /// The tag for a version with this number, unless it is the expected one.
    pub(super) fn corrected(&self, number: &str) -> Option<(&'static str, String)> {
        self.tag(number).filter(|_| number != FIRST)
    }
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || " +-=._:/@".contains(character)
}

/// Where a version with this description and number comes from, by the function's tags or its own description.
pub(super) fn origin(description: &str, number: Option<&str>, tags: Option<&HashMap<String, String>>) -> Origin {
    let tag = tags.and_then(|tags| tags.get(TAG)).and_then(|value| value.split_once(' '));
    let origin = tag.filter(|(of, _)| Some(*of) == number).map_or(description, |(_, origin)| origin);
    Origin::read(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(origin: &str) -> Option<FirstVersion> {
        FirstVersion::of(&Origin::read(origin), &Tags::default())
    }

    #[test]
    fn a_tag_says_where_the_first_version_comes_from_and_no_other() {
        let text = "commit 3f2a dirty by assumed-role/Deploy/alice";
        for number in ["1", "17"] {
            let tag = first(text).and_then(|first| first.tag(number)).expect("a tag");
            let tags = HashMap::from([(tag.0.to_owned(), tag.1)]);
            for description in ["", "Answers chats.", "Made by user/bob"] {
                assert_eq!(origin(description, Some(number), Some(&tags)), Origin::read(text));
                assert_eq!(origin(description, Some("2"), Some(&tags)), Origin::read(description));
                assert_eq!(origin(description, None, Some(&tags)), Origin::read(description));
            }
        }
        assert_eq!(origin("by root", Some("1"), None), Origin::read("by root"));
    }

    #[test]
    fn what_no_tag_can_say_is_published_by_a_call_of_its_own() {
        assert_eq!(first("commit 3f2a by assumed-role/Deploy/alice,bob"), None);
        assert_eq!(first(&format!("commit 3f2a by user/{}", "x".repeat(230))), None);
        assert_eq!(first(""), Some(FirstVersion(None)));
        assert_eq!(FirstVersion(None).expected(), None);
        let many = (0..49).fold(Tags::default(), |mut tags, number| {
            tags.insert(format!("tag-{number}"), "");
            tags
        });
        assert_eq!(FirstVersion::of(&Origin::read("by user/bob"), &many), None);
    }
}
