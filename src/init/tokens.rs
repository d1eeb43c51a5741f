//! Splits source text into words, numbers, strings and signs, without its comments. It knows how each language writes
//! comments and strings, and nothing else of its grammar.

/// How comments and strings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    /// JavaScript and TypeScript.
    Script,
    Rust,
    Go,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Number(String),
    /// A string's content, with its escapes as they are written.
    Text(String),
    Sign(char),
}

/// A token and where it is.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub token: Token,
    /// The spaces before it, if it is the first of its line.
    pub indent: Option<usize>,
}

pub(super) fn tokens(language: Language, text: &str) -> Vec<Placed> {
    let mut lexer = Lexer { language, rest: text, found: Vec::new(), indent: Some(0) };
    while lexer.step() {}
    lexer.found
}

struct Lexer<'a> {
    language: Language,
    rest: &'a str,
    found: Vec<Placed>,
    indent: Option<usize>,
}

impl Lexer<'_> {
    /// Reads one token, comment or blank. False at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if first == '\n' {
            self.rest = &self.rest[1..];
            self.indent = Some(0);
        } else if first.is_whitespace() {
            self.rest = &self.rest[first.len_utf8()..];
            self.indent = self.indent.map(|indent| indent + 1);
        } else if let Some(length) = self.comment() {
            self.rest = &self.rest[length..];
        } else if let Some((length, content)) = self.string() {
            self.push(Token::Text(content), length);
        } else if is_word(first) {
            let length = self.rest.find(|letter| !is_word(letter)).unwrap_or(self.rest.len());
            let word = self.rest[..length].to_owned();
            let token = if first.is_ascii_digit() { Token::Number(word) } else { Token::Word(word) };
            self.push(token, length);
        } else {
            self.push(Token::Sign(first), first.len_utf8());
        }
        true
    }

    fn push(&mut self, token: Token, length: usize) {
        self.found.push(Placed { token, indent: self.indent.take() });
        self.rest = &self.rest[length..];
    }

    /// The length of the comment that begins here. A regular expression counts as one.
    fn comment(&self) -> Option<usize> {
        let to_line_end = || self.rest.find('\n').unwrap_or(self.rest.len());
        match self.language {
            Language::Python => self.rest.starts_with('#').then(to_line_end),
            _ if self.rest.starts_with("//") => Some(to_line_end()),
            Language::Rust if self.rest.starts_with("/*") => Some(nested_comment(self.rest)),
            _ if self.rest.starts_with("/*") => Some(self.rest.find("*/").map_or(self.rest.len(), |end| end + 2)),
            Language::Script if self.rest.starts_with('/') && self.may_begin_expression() => regex(self.rest),
            _ => None,
        }
    }

    /// Whether a `/` here begins a regular expression, and does not divide.
    fn may_begin_expression(&self) -> bool {
        match self.found.last().map(|last| &last.token) {
            None => true,
            Some(Token::Sign(sign)) => !matches!(sign, ')' | ']' | '}' | '<'),
            Some(Token::Word(word)) => ["return", "typeof", "case", "in", "of"].contains(&word.as_str()),
            Some(Token::Number(_) | Token::Text(_)) => false,
        }
    }

    /// The length and the content of the string that begins here.
    fn string(&self) -> Option<(usize, String)> {
        let prefix = self.rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(0);
        let (before, quoted) = self.rest.split_at(prefix);
        let found = match self.language {
            Language::Python if is_python_prefix(before) => {
                let is_raw = before.contains(['r', 'R']);
                let triple = ["\"\"\"", "'''"].into_iter().find(|quote| quoted.starts_with(quote));
                match triple {
                    Some(quote) => delimited(quoted, quote, !is_raw, true),
                    None => one_of_quotes(quoted, &['"', '\'']),
                }
            }
            Language::Rust if ["", "b", "c"].contains(&before) && quoted.starts_with('"') => {
                delimited(quoted, "\"", true, true)
            }
            Language::Rust if ["r", "br", "cr"].contains(&before) => raw(quoted),
            Language::Rust if ["", "b"].contains(&before) && quoted.starts_with('\'') => character(quoted),
            Language::Script if before.is_empty() && quoted.starts_with('`') => Some(template(quoted)),
            Language::Script if before.is_empty() => one_of_quotes(quoted, &['"', '\'']),
            Language::Go if before.is_empty() && quoted.starts_with('`') => delimited(quoted, "`", false, true),
            Language::Go if before.is_empty() => one_of_quotes(quoted, &['"', '\'']),
            _ => None,
        };
        found.map(|(length, content)| (prefix + length, content.to_owned()))
    }
}

pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

fn is_python_prefix(before: &str) -> bool {
    before.len() <= 2 && before.chars().all(|letter| "rRbBuUfFtT".contains(letter))
}

fn one_of_quotes<'a>(text: &'a str, quotes: &[char]) -> Option<(usize, &'a str)> {
    let quote = quotes.iter().find(|quote| text.starts_with(**quote))?;
    delimited(text, if *quote == '"' { "\"" } else { "'" }, true, false)
}

/// A string that `quote` begins and ends. Without an end, it ends with its line, or with the text if it may have several.
fn delimited<'a>(text: &'a str, quote: &str, has_escapes: bool, has_lines: bool) -> Option<(usize, &'a str)> {
    let content = text.strip_prefix(quote)?;
    let mut escaped = false;
    for (at, letter) in content.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' && has_escapes {
            escaped = true;
        } else if content[at..].starts_with(quote) {
            return Some((quote.len() + at + quote.len(), &content[..at]));
        } else if letter == '\n' && !has_lines {
            return Some((quote.len() + at, &content[..at]));
        }
    }
    Some((text.len(), content))
}

/// Rust's `"…"` or `#"…"#`, without the `r` before it.
fn raw(text: &str) -> Option<(usize, &str)> {
    let hashes = text.len() - text.trim_start_matches('#').len();
    let content = text[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = content.find(&end).unwrap_or(content.len());
    Some(((hashes + 1 + length + end.len()).min(text.len()), &content[..length]))
}

/// Rust's `'x'`; a lifetime is none.
fn character(text: &str) -> Option<(usize, &str)> {
    let content = &text[1..];
    let first = content.chars().next()?;
    if first == '\\' {
        let end = content.get(2..)?.find('\'')? + 2;
        return Some((end + 2, &content[..end]));
    }
    let length = first.len_utf8();
    content[length..].starts_with('\'').then(|| (length + 2, &content[..length]))
}

/// A template literal. What is between `${` and `}` belongs to it.
fn template(text: &str) -> (usize, &str) {
    let (mut depth, mut escaped) = (0_usize, false);
    let letters: Vec<(usize, char)> = text.char_indices().skip(1).collect();
    for (nth, (at, letter)) in letters.iter().enumerate() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' if depth > 0 || letters.get(nth.wrapping_sub(1)).is_some_and(|(_, before)| *before == '$') => {
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            '`' if depth == 0 => return (at + 1, &text[1..*at]),
            _ => {}
        }
    }
    (text.len(), &text[1..])
}

fn nested_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a regular expression, which ends on its line.
fn regex(text: &str) -> Option<usize> {
    let (mut escaped, mut in_class) = (false, false);
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as text: strings between quotes.
    fn read(language: Language, text: &str) -> String {
        let shown = tokens(language, text).into_iter().map(|placed| match placed.token {
            Token::Word(word) | Token::Number(word) => word,
            Token::Text(text) => format!("<{text}>"),
            Token::Sign(sign) => sign.to_string(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_strings_of_each_language_are_seen_as_such() {
        let table = [
            (Language::Python, "a = 1 # b = 'c\nd = f\"e#{g}\" rb'\\' x'", "a = 1 d = <e#{g}> <\\' x>"),
            (Language::Python, "'''a\n\"b' # c''' \"it's\" r'\\'", "<a\n\"b' # c> <it's> <\\'>"),
            (Language::Python, "'no end\nx", "<no end> x"),
            (Language::Script, "a // b\n/* c */ d('e//') + `f ${g('`')} \\` h`", "a d ( <e//> ) + <f ${g('`')} \\` h>"),
            (Language::Script, "x = a / b / c; y = /['\"/]\\//g.test(z)", "x = a / b / c ; y = g . test ( z )"),
            (Language::Rust, "/* a /* b */ c */ d::<'e>('f', '\\'') // g", "d : : < ' e > ( <f> , <\\'> )"),
            (Language::Rust, "r#\"a\"b\"# b\"c\\\"d\" r\"e\\\"", "<a\"b> <c\\\"d> <e\\>"),
            (Language::Go, "a := `b\n\"c` + \"d // e\" // f", "a : = <b\n\"c> + <d // e>"),
        ];
        for (language, text, expected) in table {
            assert_eq!(read(language, text), expected, "{text}");
        }
    }

    #[test]
    fn no_text_is_too_broken_to_be_read() {
        let pieces = ["'", "\"", "`", "/*", "*/", "//", "r#\"", "'''", "\\", "${", "}", "é", "\n", "a", "'\\"];
        for language in [Language::Python, Language::Script, Language::Rust, Language::Go] {
            for first in pieces {
                for second in pieces {
                    for third in pieces {
                        tokens(language, &format!("{first}{second}{third}"));
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_token_of_a_line_has_its_indent() {
        let indents: Vec<_> = tokens(Language::Python, "a = 1\n    b\n").into_iter().map(|one| one.indent).collect();
        assert_eq!(indents, [Some(0), None, None, Some(4)]);
    }
}
