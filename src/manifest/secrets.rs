//! Finds the bytes of a manifest that may be secret, so that no error shows them.

use super::keys;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys whose values are shown even if the text is not valid TOML, in addition to numbers and switches.
const HARMLESS: [&str; 17] = [
    "account",
    "app",
    "architecture",
    "arn",
    "auth",
    "bin",
    "crate",
    "description",
    "format",
    "layers",
    "log",
    "method",
    "mode",
    "path",
    "region",
    "role",
    "url",
];

/// All values under keys that may hold secrets, anywhere in the document: a misplaced or misspelt environment is one,
/// too.
pub(super) fn known(document: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let mut tables = vec![document];
    while let Some(table) = tables.pop() {
        for (key, value) in table {
            if may_hold_secrets(key.get_ref()) {
                hidden.extend(leaves(value));
            } else {
                tables.extend(tables_in(value));
            }
        }
    }
    hidden
}

/// The places of all strings and numbers in a value, without the keys.
pub(super) fn leaves(value: &Spanned<DeValue<'_>>) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        match value.get_ref() {
            DeValue::Table(table) => values.extend(table.values()),
            _ => places.push(value.span()),
        }
    }
    places
}

/// The same for a text that is not valid TOML. Without a tree nothing shows where an environment ends, so only lines
/// that certainly contain no secret are shown, and of other lines at most a name.
pub(super) fn guessed(text: &str) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if !is_harmless(line.trim_start_matches('\u{feff}').trim()) {
            hidden.push(start + name_part(line)..end);
        }
        start = end;
    }
    hidden
}

fn tables_in<'a>(value: &'a Spanned<DeValue<'a>>) -> Vec<&'a DeTable<'a>> {
    match value.get_ref() {
        DeValue::Table(table) => vec![table],
        DeValue::Array(items) => items.iter().filter_map(|item| item.get_ref().as_table()).collect(),
        _ => Vec::new(),
    }
}

/// Whether what is written under this key may be secret.
pub(super) fn may_hold_secrets(name: &str) -> bool {
    let name = name.to_lowercase();
    // A backslash may spell any name.
    name == "headers"
        || name == "body"
        || name.contains("env")
        || name.contains('\\')
        || strsim::jaro_winkler(&name, "environment") > 0.85
}

/// Whether the line is a known table header, or starts with a key that holds no secret.
fn is_harmless(line: &str) -> bool {
    let of_a_key = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    let header = line.trim_start_matches('[');
    if header.len() < line.len() {
        let ours = header.starts_with("functions") || header.starts_with("stages");
        return ours && header.chars().all(|character| of_a_key(character) || "\"' ]".contains(character));
    }
    let key = line.split(|character| !of_a_key(character)).next().unwrap_or_default();
    let last = key.rsplit('.').next().unwrap_or_default();
    let beside = ["headers", "body"].iter().any(|name| line.contains(name));
    let value = line.split_once('=').map(|(_, value)| value.split('#').next().unwrap_or_default().trim());
    let is_plain = || keys::is_plain(last) && value.is_some_and(is_number_or_truth);
    line.is_empty() || ((HARMLESS.contains(&last) || is_plain()) && !beside && !may_hold_secrets(line))
}

fn is_number_or_truth(value: &str) -> bool {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    is_number || ["true", "false"].contains(&value)
}

/// The length of the variable name at the start of a line. The space before `=` is required, because base64 may end
/// with `=`.
fn name_part(line: &str) -> usize {
    let of_a_variable =
        |character: char| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_';
    match line.split_once(" =") {
        Some((name, value)) if name.trim().chars().all(of_a_variable) => {
            name.len() + " =".len() + usize::from(value.starts_with(' '))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let hidden = guessed(text);
        let visible = text.char_indices().filter(|(place, _)| !hidden.iter().any(|range| range.contains(place)));
        visible.map(|(_, character)| character).collect()
    }

    #[test]
    fn a_broken_text_hides_what_may_be_an_environment() {
        for secret in [
            "[functions.chat.environment]\nTOKEN = secret\n",
            "[functions.chat]\nenvironment = { TOKEN = \"secret }\n",
            "[functions.chat]\nenvironment.TOKEN = secret\n",
            "[functions.chat.environment]\nTOKEN = \"\"\"\n[x]\nsecret = \n",
            "[functions.chat.environment]\nTOKEN = '''\nsecret=\n",
            "[functions.chat.environment]\nTOKEN \"secret\"\n",
            "environment = {\n  TOKEN = secret\n}\n",
            "crate = \"chat\" environment = { TOKEN = secret }\n",
            "[functions.chat.environment]\nport = secret\n",
        ] {
            assert!(!shown(secret).contains("secret"), "{secret}");
        }
    }

    #[test]
    fn a_broken_text_shows_the_rest() {
        let text = "app = x\nmemory = 256\nsnap_start = true # why\n[functions.chat.environment]\nTOKEN = secret\n[functions.other]\n  crate = y # why\n";
        assert_eq!(shown(text), text.replace("secret\n", ""));
    }
}
