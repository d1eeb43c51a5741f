//! Ranges of versions: PEP 440's, and Poetry's.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

/// Alternatives, of which a version has to be in one; none at all accept every version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Range(Vec<VersionSpecifiers>);

impl Range {
    /// Such as `>=1,<2`, or in parentheses. `None` if it is not valid.
    pub(super) fn of_specifiers(text: &str) -> Option<Range> {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        match text.trim() {
            "" | "*" => Some(Range::default()),
            text => Some(Range(vec![VersionSpecifiers::from_str(text).ok()?])),
        }
    }

    /// Such as `^1.2`, `~1.2`, `1.*` or `>=1,<2 || >3`. `None` if it is not valid.
    pub(super) fn of_poetry(text: &str) -> Option<Range> {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        let alternatives = text.split('|').map(str::trim).filter(|part| !part.is_empty());
        let mut found = Vec::new();
        for alternative in alternatives {
            let bounds = bounds(alternative);
            if bounds.is_empty() {
                return Some(Range::default());
            }
            found.push(VersionSpecifiers::from_str(&bounds.join(",")).ok()?);
        }
        Some(Range(found))
    }

    pub(super) fn has(&self, version: &Version) -> bool {
        self.0.is_empty() || self.0.iter().any(|alternative| alternative.contains(version))
    }

    /// Whether the version, in this form, is in the range. Text that is not a version is in every range.
    pub(super) fn has_text(&self, version: &str) -> bool {
        Version::from_str(version).is_ok_and(|version| self.has(&version)) || Version::from_str(version).is_err()
    }
}

/// One alternative of Poetry's, as specifiers of PEP 440. The operator may be apart from its version.
fn bounds(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut operator = String::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        let at = word.find(|letter: char| letter.is_ascii_alphanumeric() || letter == '*').unwrap_or(word.len());
        operator.push_str(&word[..at]);
        if at < word.len() {
            found.extend(bound(&std::mem::take(&mut operator), &word[at..]));
        }
    }
    found
}

fn bound(operator: &str, version: &str) -> Vec<String> {
    let release = version.trim_end_matches(".*");
    let parts: Vec<u64> = release.split('.').map_while(|part| part.parse().ok()).collect();
    let next = |at: usize| {
        let kept: Vec<String> = parts[..at].iter().map(u64::to_string).collect();
        let last = parts[at].saturating_add(1).to_string();
        kept.into_iter().chain([last]).collect::<Vec<_>>().join(".")
    };
    match (operator, &parts[..]) {
        (_, []) if version.starts_with('*') => Vec::new(),
        // The first part that is not zero, or the last.
        ("^", [_, ..]) => {
            let at = parts.iter().position(|part| *part != 0).unwrap_or(parts.len() - 1);
            vec![format!(">={release}"), format!("<{}", next(at))]
        }
        ("~", [_, ..]) => vec![format!(">={release}"), format!("<{}", next(usize::from(parts.len() > 1)))],
        ("" | "=", _) => vec![format!("=={version}")],
        (operator, _) if operator.starts_with(['>', '<']) => vec![format!("{operator}{release}")],
        (operator, _) => vec![format!("{operator}{version}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_poetry_are_those_of_its_documentation() {
        let has = |range: &str, version: &str| Range::of_poetry(range).unwrap().has_text(version);
        for (range, inside, outside) in [
            ("^1.2.3", "1.9", "2.0.0"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0", "0.9", "1.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~1", "1.9", "2.0"),
            ("1.2.*", "1.2.7", "1.3"),
            ("==1.2.3", "1.2.3", "1.2.4"),
            ("1.2.3", "1.2.3", "1.2.4"),
            (">= 1.2, < 1.5", "1.4", "1.5"),
            (">=2,<3 || >=4", "4.1", "3.5"),
            ("!=1.5", "1.4", "1.5"),
            ("~=1.4.2", "1.4.9", "1.5"),
            ("(>=1.0,<2.0)", "1.5", "2.5"),
        ] {
            assert!(has(range, inside) && !has(range, outside), "{range}");
        }
        assert!(has("*", "9") && has("", "9") && has("^1.0", "1.0.post1") && has(">=1.*", "1.0"));
        assert_eq!(Range::of_poetry("latest"), None);
    }

    #[test]
    fn a_local_version_is_its_public_one() {
        assert!(Range::of_specifiers("==2.5.0").unwrap().has_text("2.5.0+cpu"));
        assert!(Range::of_specifiers("(>=1)").unwrap().has_text("2"));
        assert_eq!(Range::of_specifiers("^1"), None);
    }
}
