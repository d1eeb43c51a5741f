//! Files of variables, such as `.env`: one `NAME=value` per line.
//!
//! Values are taken as written. What other readers of such files would replace (`${NAME}`) is refused, because it would
//! silently be another value here.

use super::environment::{accepts_variable, why_not};

/// The variables of a file, in its order; a later one of the same name takes precedence.
///
/// # Errors
/// The number of a line, and what is wrong with it. Never quotes a value.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: &str| format!("line {}: {why}", number + 1);
        let assignment = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = assignment.split_once('=').ok_or_else(|| wrong("expected `NAME=value`"))?;
        let (name, mut value) = (name.trim(), value.trim_start().to_owned());
        if !accepts_variable(name) {
            return Err(wrong(&why_not(name)));
        }
        // A quoted value may go on on the next lines.
        while let Some(quote) = value.chars().next().filter(|first| is_quote(*first))
            && end_of(&value, quote).is_none()
        {
            let (_, next) = lines.next().ok_or_else(|| wrong("the quote has no end"))?;
            value = format!("{value}\n{next}");
        }
        variables.push((name.to_owned(), read_value(&value).map_err(wrong)?));
    }
    Ok(variables)
}

fn is_quote(letter: char) -> bool {
    letter == '"' || letter == '\''
}

/// Where a quoted text ends, as the index of its second quote.
fn end_of(text: &str, quote: char) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if quote == '"' => drop(letters.next()),
            letter if letter == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn read_value(text: &str) -> Result<String, &'static str> {
    let quote = text.chars().next().filter(|first| is_quote(*first));
    let Some((quote, end)) = quote.and_then(|quote| Some((quote, end_of(text, quote)?))) else {
        // A comment begins after a space.
        let end = text.find(" #").or(text.find("\t#")).or(text.starts_with('#').then_some(0));
        return unexpanded(text[..end.unwrap_or(text.len())].trim_end()).map(str::to_owned);
    };
    let (inside, rest) = (&text[1..end], text[end + 1..].trim());
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err("there is text after the quote");
    }
    if quote == '\'' { Ok(inside.to_owned()) } else { unexpanded(inside).map(unescaped) }
}

fn unexpanded(value: &str) -> Result<&str, &'static str> {
    let is_replaced = value.contains("${") || value.contains("$(");
    let why = "lamstream replaces no `${NAME}`; write the value itself, or put it in single quotes to keep it as it is";
    if is_replaced { Err(why) } else { Ok(value) }
}

fn unescaped(text: &str) -> String {
    let (mut value, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(other @ ('"' | '\\' | '$')) => value.push(other),
                other => value.extend(['\\'].into_iter().chain(other)),
            },
            (letter, false) => value.push(letter),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_other_readers_of_such_files_do() {
        let text = "\u{feff}# a comment\n\nAA=plain\nexport BB = spaced \r\nCC=\"double \\\"quoted\\\" # no comment\\n\" # one\n\
                    DD='single ${kept} \\n'\nEE=a#b # c\nFF=\nGG=\"two\nlines\"\nHH=pa$$word=1\nAA=again\nII=#none\n";
        let expected = [
            ("AA", "plain"),
            ("BB", "spaced"),
            ("CC", "double \"quoted\" # no comment\n"),
            ("DD", "single ${kept} \\n"),
            ("EE", "a#b"),
            ("FF", ""),
            ("GG", "two\nlines"),
            ("HH", "pa$$word=1"),
            ("AA", "again"),
            ("II", ""),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(text).unwrap(), expected);
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_would_be_another_value_elsewhere_is_refused_by_its_line_and_no_value_is_quoted() {
        for (text, expected) in [
            ("AA=1\nsecret", "line 2: expected `NAME=value`"),
            ("AA=secret${B}", "line 1: lamstream replaces no `${NAME}`"),
            ("AA=\"secret$(b)\"", "line 1: lamstream replaces no `${NAME}`"),
            ("AA=\"secret\nmore", "line 1: the quote has no end"),
            ("AA='secret' more", "line 1: there is text after the quote"),
            ("A-B=secret", "line 1: `A-B` is not a valid name"),
            ("AWS_REGION=secret", "line 1: `AWS_REGION` is reserved"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.starts_with(expected) && !why.contains("secret"), "{why}");
        }
    }
}
