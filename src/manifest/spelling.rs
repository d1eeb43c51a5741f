//! Suggests the word that was meant by a misspelt one.

/// How similar a misspelt word must be to the word that was meant.
const ALIKE: f64 = 0.8;

/// The word in `known` that is most similar to `word`.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&word, &known.to_lowercase());
    let best = known.iter().copied().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(best) > ALIKE).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_recognised_and_strangers_are_not() {
        let known = ["memory", "timeout", "ephemeral_storage", "environment", "description"];
        for (word, expected) in [("memroy", "memory"), ("Timeout", "timeout"), ("env", "environment")] {
            assert_eq!(nearest(word, &known), Some(expected));
        }
        for word in ["runtime", "vpc", "x", ""] {
            assert_eq!(nearest(word, &known), None, "{word}");
        }
    }
}
