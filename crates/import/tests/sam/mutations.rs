//! Templates and Dockerfiles that are broken in many ways: each is imported, or refused with its place. None panics.

use crate::lenient::Lenient;
use crate::support;
use import::{File, Files, Options};
use std::fs;
use std::path::Path;

/// How often each file is broken.
const TIMES: u64 = 24;

/// A generator of numbers that is the same everywhere.
struct Numbers(u64);

impl Numbers {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// Tokens that change what surrounds them.
const TOKENS: [&str; 36] = [
    "!Ref ",
    "!GetAtt ",
    "!GetAtt A.B.C.D",
    "!Sub '${",
    "!Sub [",
    "!If [A, B]",
    "!Select [x, ",
    "!Join ['', ",
    "!FindInMap [A]",
    "!Contains [[a], b]",
    "Fn::ForEach::X",
    "Fn::If",
    "Ref",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "'",
    "\"",
    "&a ",
    "*a",
    "<<: ",
    "null",
    "${AWS::NoValue}",
    "\u{feff}",
    "\u{202e}",
    "ü",
    "0",
    "-1",
    "99999999999999999999",
    "{{resolve:ssm:x}}",
    "\\",
    "$",
    "<<EOF",
];

/// One change to a text.
fn broken(text: &str, numbers: &mut Numbers) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return String::new();
    }
    let at = numbers.below(lines.len());
    let other = numbers.below(lines.len());
    let with = |change: &dyn Fn(&mut Vec<&str>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines.concat()
    };
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
    let place = places.get(numbers.below(places.len())).copied().unwrap_or_default();
    let token = TOKENS[numbers.below(TOKENS.len())];
    match numbers.below(7) {
        0 => with(&|lines| drop(lines.drain(at..(at + 1).min(lines.len())))),
        1 => with(&|lines| lines.insert(at, lines[other])),
        2 => with(&|lines| lines.swap(at, other)),
        3 => text[..place].to_owned(),
        4 => format!("{}{token}{}", &text[..place], &text[place..]),
        5 => {
            // The value of a key becomes something else.
            let value = lines[at]
                .find(": ")
                .map_or(lines[at].to_owned(), |colon| format!("{}: {token}\n", &lines[at][..colon]));
            [lines[..at].concat(), value, lines[at + 1..].concat()].concat()
        }
        _ => with(&|lines| lines.extend_from_slice(&lines.clone()[at..])),
    }
}

/// The files of a directory, each broken in the same way every time.
struct Broken<'a> {
    inner: &'a dyn Files,
    seed: u64,
}

impl Files for Broken<'_> {
    fn text(&self, path: &str) -> Option<String> {
        let mut numbers = Numbers(self.seed);
        let text = self.inner.text(path)?;
        Some((0..=self.seed % 3).fold(text, |text, _| broken(&text, &mut numbers)))
    }

    fn is_directory(&self, path: &str) -> bool {
        self.inner.is_directory(path)
    }
}

#[test]
fn no_template_and_no_dockerfile_panics() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let (mut imported, mut refused) = (0, 0);
    for path in support::templates(&directory) {
        let text = fs::read_to_string(&path).unwrap();
        let inner = support::Directory(path.with_extension(""));
        for seed in 0..TIMES {
            let mut numbers = Numbers(seed);
            // Every third template is whole, so that its files are read for certain.
            let text = (0..seed % 3).fold(text.clone(), |text, _| broken(&text, &mut numbers));
            let options = Options {
                app: "app",
                region: None,
                account: None,
                template_directory: "infra",
                rules: &Lenient,
                files: &Broken { inner: &inner, seed },
            };
            match import::sam(File { name: "template.yaml", text: &text }, None, options) {
                Ok(result) => {
                    imported += 1;
                    assert!(result.left_over.iter().all(|left| left.line > 0 && !left.what.is_empty()));
                    result
                        .manifest
                        .parse::<toml::Table>()
                        .unwrap_or_else(|error| panic!("{error}\n{text}\n{}", result.manifest));
                }
                Err(invalid) => {
                    refused += 1;
                    assert!(invalid.place.is_some(), "{invalid}");
                }
            }
        }
    }
    assert!(imported > 500 && refused > 50, "{imported} imported, {refused} refused");
}
