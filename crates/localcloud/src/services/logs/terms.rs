//! Filter patterns.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::wire::error::Fault;

/// A filter pattern of literal terms: all of them, any of the `?` ones, none of the `-` ones.
#[derive(Default)]
pub(super) struct Terms {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    /// What a text must contain so that a message in it may match: for each searcher, one of its terms as it is in
    /// JSON.
    searchers: Vec<AhoCorasick>,
}

impl Terms {
    pub(super) fn read(pattern: &str) -> Result<Self, Fault> {
        let mut terms = Self::default();
        let mut rest = pattern.trim();
        if rest.starts_with(['{', '[', '%']) {
            let message = format!("the local cloud filters by literal terms only, not by `{pattern}`");
            return Err(Fault::new(400, "InvalidParameterException", message));
        }
        while !rest.is_empty() {
            let list = match rest.chars().next() {
                Some('?') => &mut terms.any,
                Some('-') => &mut terms.none,
                _ => &mut terms.all,
            };
            rest = rest.trim_start_matches(['?', '-']);
            let (term, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            if !term.is_empty() {
                list.push(term.to_owned());
            }
            rest = after.trim_start();
        }
        let any = Some(&terms.any[..]).filter(|any| !any.is_empty());
        terms.searchers =
            terms.all.iter().map(std::slice::from_ref).chain(any).map(searcher).collect::<Result<_, _>>()?;
        Ok(terms)
    }

    /// Whether a message in a text, which is one or more lines of JSON, may match; this does not parse the text. Each
    /// character is always written the same way, so a text without the written term has no message with the term.
    pub(super) fn may_match(&self, text: &[u8]) -> bool {
        self.searchers.iter().all(|searcher| searcher.is_match(text))
    }

    /// Whether a message matches.
    pub(super) fn match_(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term)))
            && !self.none.iter().any(|term| message.contains(term))
    }
}

/// A search for any of some terms, as they are in JSON.
fn searcher(terms: &[String]) -> Result<AhoCorasick, Fault> {
    let mut builder = AhoCorasick::builder();
    // The tables are fast in debug builds, too, but the prefilter's vector instructions are not.
    builder.kind(Some(AhoCorasickKind::DFA)).prefilter(!cfg!(debug_assertions));
    builder.build(terms.iter().map(|term| written(term))).map_err(Fault::internal)
}

/// A term as it is inside a string of JSON.
fn written(term: &str) -> String {
    let quoted = serde_json::Value::from(term).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::Terms;

    #[test]
    fn terms_are_literal() {
        let matches = |pattern: &str, message: &str| Terms::read(pattern).is_ok_and(|terms| terms.match_(message));
        assert!(matches("", "anything"));
        assert!(matches("ERROR \"not found\"", "ERROR: page not found"));
        assert!(!matches("ERROR timeout", "ERROR: page not found"));
        assert!(matches("?ERROR ?WARN", "WARN x"));
        assert!(!matches("WARN -quiet", "WARN quiet"));
        assert!(Terms::read("{ $.a = 1 }").is_err());
    }

    #[test]
    fn no_line_is_passed_over_that_has_a_term() {
        for message in ["plain", "a \"quoted\" word", "back\\slash \"", "tab\tand\u{1}", "ümläut 🦀", "\"", "\\"] {
            let line = serde_json::json!({"t": 1, "m": message}).to_string();
            for term in message.split(' ').chain([message]) {
                let list = || vec![term.to_owned()];
                let searchers = || vec![super::searcher(&list()).expect("a searcher")];
                let all = Terms { all: list(), searchers: searchers(), ..Terms::default() };
                let any = Terms { any: list(), searchers: searchers(), ..Terms::default() };
                for terms in [all, any] {
                    assert!(terms.match_(message) && terms.may_match(line.as_bytes()), "{term} in {line}");
                }
            }
        }
        assert!(!Terms::read("absent").is_ok_and(|terms| terms.may_match(b"{\"t\":1,\"m\":\"present\"}")));
    }
}
