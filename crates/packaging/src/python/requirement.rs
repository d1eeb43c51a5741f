//! The name, URL and marker of a PEP 508 requirement.
//!
//! Only split, and neither checked nor evaluated: uv and pip do that, and accept forms that PEP 508 does not.

/// `name[extras] specifier ; condition`, or `name[extras] @ place ; condition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Normalized by PEP 503.
    pub name: String,
    /// `[a,b]`, or empty.
    pub extras: String,
    /// Such as `>=1,<2`; empty if there is a place.
    pub specifier: String,
    pub place: Option<String>,
    pub condition: String,
}

impl Requirement {
    /// `None` if it does not start with a name.
    pub(super) fn parse(text: &str) -> Option<Requirement> {
        let text = text.trim();
        let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        if !name.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
            return None;
        }
        let rest = rest.trim_start();
        let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((extras, rest)) => (format!("[{}]", extras.trim()), rest.trim_start()),
            None => (String::new(), rest),
        };
        let name = normalised(name);
        if let Some(place) = rest.strip_prefix('@') {
            // A URL may contain a semicolon; the one before a marker follows a space.
            let (place, condition) = place.split_once(" ;").unwrap_or((place, ""));
            let place = place.split_whitespace().next()?.to_owned();
            let (specifier, condition) = (String::new(), condition.trim().to_owned());
            return Some(Requirement { name, extras, specifier, place: Some(place), condition });
        }
        let (specifier, condition) = rest.split_once(';').unwrap_or((rest, ""));
        let specifier = specifier.trim();
        let is_specifier = specifier.is_empty() || specifier.starts_with(['=', '<', '>', '!', '~', '(']);
        let (specifier, condition) = (specifier.to_owned(), condition.trim().to_owned());
        is_specifier.then_some(Requirement { name, extras, specifier, place: None, condition })
    }
}

/// A name normalized by PEP 503: `Foo_.Bar` is `foo-bar`.
pub(super) fn normalised(name: &str) -> String {
    let mut normal = String::new();
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            letter => normal.push(letter.to_ascii_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_have_a_name_and_perhaps_a_place() {
        let parsed = |text: &str| {
            let found = Requirement::parse(text)?;
            Some((found.name, found.extras, found.specifier, found.place.unwrap_or_default(), found.condition))
        };
        let of = |name: &str, extras: &str, specifier: &str, place: &str, condition: &str| {
            Some((name.into(), extras.into(), specifier.into(), place.into(), condition.into()))
        };
        assert_eq!(parsed("Six"), of("six", "", "", "", ""));
        assert_eq!(parsed("a_B [x,y] >=1,<2; os_name=='nt'"), of("a-b", "[x,y]", ">=1,<2", "", "os_name=='nt'"));
        assert_eq!(parsed("six (>=1)"), of("six", "", "(>=1)", "", ""));
        assert_eq!(parsed("six@ git+https://h/x;y ; a"), of("six", "", "", "git+https://h/x;y", "a"));
        assert_eq!(parsed("six @ ./x --hash=sha256:aa"), of("six", "", "", "./x", ""));
        assert_eq!(parsed("./six"), None);
        assert_eq!(parsed("vendor/six.whl"), None);
    }
}
