//! One source file as tokens, and ways to look for calls, arguments and assignments in it.

use super::tokens::{Language, Placed, Token, tokens};
use std::ops::Range;

/// Stands for any word in a pattern.
pub(super) const WORD: &str = "WORD";
/// Stands for any string in a pattern.
pub(super) const TEXT: &str = "TEXT";
/// Stands for any number in a pattern.
pub(super) const NUMBER: &str = "NUMBER";

pub(super) struct Source {
    tokens: Vec<Placed>,
}

impl Source {
    pub(super) fn new(language: Language, text: &str) -> Source {
        Source { tokens: tokens(language, text) }
    }

    pub(super) fn all(&self) -> Range<usize> {
        0..self.tokens.len()
    }

    pub(super) fn word(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.token {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn text(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.token {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, at: usize) -> Option<u32> {
        match &self.tokens.get(at)?.token {
            Token::Number(number) => {
                let digits: String = number.chars().filter(|letter| *letter != '_').collect();
                let digits = digits.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
                digits.trim_end_matches("u16").parse().ok()
            }
            _ => None,
        }
    }

    pub(super) fn is_sign(&self, at: usize, sign: char) -> bool {
        self.tokens.get(at).is_some_and(|placed| placed.token == Token::Sign(sign))
    }

    /// The spaces before a token, if it is the first of its line.
    pub(super) fn indent(&self, at: usize) -> Option<usize> {
        self.tokens.get(at)?.indent
    }

    /// Whether the tokens from here on are these: words, signs and numbers as they are written, or a placeholder.
    pub(super) fn is_at(&self, at: usize, pattern: &[&str]) -> bool {
        pattern.iter().enumerate().all(|(nth, expected)| match self.tokens.get(at + nth).map(|placed| &placed.token) {
            Some(Token::Word(word)) => *expected == WORD || word == expected,
            Some(Token::Number(number)) => *expected == NUMBER || number == expected,
            Some(Token::Text(_)) => *expected == TEXT,
            Some(Token::Sign(sign)) => expected.chars().eq([*sign]),
            None => false,
        })
    }

    /// Where a pattern begins in a range.
    pub(super) fn matches(&self, within: Range<usize>, pattern: &[&str]) -> Vec<usize> {
        within.filter(|at| self.is_at(*at, pattern)).collect()
    }

    pub(super) fn has(&self, within: Range<usize>, pattern: &[&str]) -> bool {
        within.into_iter().any(|at| self.is_at(at, pattern))
    }

    pub(super) fn has_word(&self, within: Range<usize>, words: &[&str]) -> bool {
        within.into_iter().any(|at| self.word(at).is_some_and(|word| words.contains(&word)))
    }

    pub(super) fn has_text(&self, within: Range<usize>, part: &str) -> bool {
        within.into_iter().any(|at| self.text(at).is_some_and(|text| text.contains(part)))
    }

    /// Where the bracket that opens here is closed; the end of the file if it is not.
    pub(super) fn close(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for at in open..self.tokens.len() {
            match self.tokens[at].token {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// What is between the bracket that opens here and its end, split at the commas of that level.
    pub(super) fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let close = self.close(open);
        let (mut found, mut start, mut at) = (Vec::new(), open + 1, open + 1);
        while at < close {
            match self.tokens[at].token {
                Token::Sign('(' | '[' | '{') => at = self.close(at),
                Token::Sign(',') => {
                    found.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        found.push(start..close);
        found.retain(|range| range.start < range.end);
        found
    }

    /// The value of `name=value` or `name: value` in brackets.
    pub(super) fn keyword(&self, open: usize, name: &str) -> Option<Range<usize>> {
        let is_named = |range: &Range<usize>| {
            self.word(range.start) == Some(name)
                && (self.is_sign(range.start + 1, '=') || self.is_sign(range.start + 1, ':'))
        };
        self.arguments(open).into_iter().find(is_named).map(|range| range.start + 2..range.end)
    }

    /// The dotted name that begins here, and where it ends: `a.b.c`.
    pub(super) fn dotted(&self, at: usize) -> Option<(String, usize)> {
        let (mut name, mut at) = (self.word(at)?.to_owned(), at + 1);
        while self.is_sign(at, '.')
            && let Some(next) = self.word(at + 1)
        {
            name = format!("{name}.{next}");
            at += 2;
        }
        Some((name, at))
    }

    /// From a token that begins a line to the next line that is indented no more: the block that a Python line opens.
    pub(super) fn indented_block(&self, start: usize) -> Range<usize> {
        let indent = self.indent(start).unwrap_or(0);
        let mut at = start + 1;
        while at < self.tokens.len() {
            match self.tokens[at].token {
                // Lines in brackets may have any indent.
                Token::Sign('(' | '[' | '{') => at = self.close(at),
                _ if self.tokens[at].indent.is_some_and(|found| found <= indent) => break,
                _ => {}
            }
            at += 1;
        }
        start..at.min(self.tokens.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_their_arguments_are_found() {
        let source = Source::new(Language::Python, "app = make(1, port=80, x=[2, 3], **rest)\nother()");
        assert_eq!(source.matches(source.all(), &["make", "("]), [2]);
        assert_eq!(source.arguments(3).len(), 4);
        assert_eq!(source.keyword(3, "port").and_then(|value| source.number(value.start)), Some(80));
        assert_eq!(source.keyword(3, "y"), None);
    }

    #[test]
    fn a_block_ends_where_the_indent_does_except_in_brackets() {
        let source = Source::new(Language::Python, "def a(\nb,\n):\n  c(\n1)\n  d\ne");
        let block = source.indented_block(0);
        assert!(source.has_word(block.clone(), &["d"]) && !source.has_word(block, &["e"]));
    }

    #[test]
    fn numbers_are_read_as_each_language_writes_them() {
        let source = Source::new(Language::Rust, "3_000 8080u16 70_000");
        assert_eq!([0, 1, 2].map(|at| source.number(at)), [Some(3000), Some(8080), Some(70_000)]);
    }
}
