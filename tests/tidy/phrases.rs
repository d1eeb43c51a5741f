//! Phrases that native readers stop at, each with a better one, and the search for them.

use std::fs;
use std::path::{Path, PathBuf};

/// Files and directories that must be free of them.
const CHECKED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "deploy.toml",
    "deny.toml",
    "action.yml",
    "ci",
    "llms.txt",
    "skills",
    "docs",
    "examples",
    "crates",
    "function/src",
    "src",
    "templates",
    "tests",
    "benches",
    ".ci/run",
    ".ci/arm64",
    ".ci/browser",
    ".ci/crates",
    ".ci/deny",
    ".ci/dist",
    ".ci/installed",
    ".ci/musl",
    ".ci/darwin",
    ".ci/shells",
    ".ci/book",
];
const OWN: &str = "tests/tidy/phrases.rs";
const EXTENSIONS: &[&str] = &["css", "html", "js", "md", "mjs", "py", "rs", "sh", "toml", "yml"];

/// In lower case: the phrase, and what to write instead. Add to it whenever a review finds another.
const PHRASES: &[(&str, &str)] = &[
    ("a line a", "one line per"),
    ("a line each", "one per line"),
    ("all the same", "anyway"),
    ("anew", "again"),
    ("are told", "are reported, or lamstream reports"),
    ("as the manifest says", "up to date"),
    ("as unkind as", "like"),
    ("ask neither", "skip"),
    ("asked once more", "retried once"),
    ("at hand", "here, or this"),
    ("belong into", "belong in"),
    ("bring it along", "include it"),
    ("brings", "includes, or provides"),
    ("but for", "except"),
    ("cannot ask for consent", "needs confirmation, but stdin is not a terminal"),
    ("check the function's logs", "run `lamstream logs NAME`"),
    ("does not bring", "does not include"),
    ("ended well", "succeeded"),
    ("ends well", "succeeds"),
    ("for ever", "forever"),
    ("go on from there", "resume where it stopped"),
    ("goes along", "is included"),
    ("goes by", "uses"),
    ("goes on from there", "resumes where it stopped"),
    ("has no wheel for that", "no wheel is available for this platform"),
    ("have all of aws's limits", "apply all of AWS's limits"),
    ("in peace", "without a fault"),
    ("is asked whether", "is checked"),
    ("is no directory", "is not a directory"),
    ("is no error", "is not an error"),
    ("is no failure", "is not a failure"),
    ("is no file", "is not a file"),
    ("is no json", "is not JSON"),
    ("is no name", "is not a name"),
    ("is no number", "is not a number"),
    ("is no part of", "is not part of"),
    ("is no sandbox", "is not a sandbox"),
    ("is no utf-8", "is not UTF-8"),
    ("is no valid", "is not a valid"),
    ("is told", "is reported, or lamstream reports"),
    ("it is a number and", "expected a number followed by"),
    ("its kin", "similar files"),
    ("left something of", "left behind"),
    ("lies", "is"),
    ("no word for", "not supported by lamstream"),
    ("nobody", "no one, or name the actor"),
    ("not together with", "cannot be used with"),
    ("once more", "again, or once"),
    ("one a time", "one at a time"),
    ("only code and configuration went back", "only code and configuration were rolled back"),
    ("or the way there", "or the network"),
    ("run the same command again", "rerun the command"),
    ("serves on", "keeps serving"),
    ("somebody", "name the actor: you, AWS, another deploy"),
    ("someone else", "another process, or name the actor"),
    ("stands at", "is at"),
    ("stands before", "is in front of"),
    ("stands beside", "is next to"),
    ("stands in", "is in"),
    ("stands there", "is there"),
    ("stay behind", "are left out"),
    ("stay for now", "could not be deleted"),
    ("stays behind", "is left out"),
    ("that are there", "available, published or installed"),
    ("the release before", "the previous release"),
    ("there is no such", "does not exist"),
    ("there is no way back", "has no previous release to roll back to"),
    ("under way", "in progress"),
    ("what is said first counts", "precedence, highest first"),
    ("where it is missing", "if it does not exist"),
    ("who is late", "a slow first answer"),
    ("whoever", "name the actor: you, the caller, everyone who"),
    ("would only point", "would only contain a link to it"),
    ("all this of", "these resources of"),
    ("fails with status", "returned status"),
    ("you said no", "cancelled"),
];

/// Where a phrase is: `path:line: "phrase": write "better"`.
pub(crate) fn found(root: &Path) -> Vec<String> {
    // This file has all of them.
    let files = CHECKED.iter().flat_map(|place| files(&root.join(place))).filter(|path| !path.ends_with(OWN));
    let in_file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root).unwrap().display().to_string();
        let lines: Vec<String> = text.lines().map(words).chain([String::new()]).collect();
        let found =
            lines.windows(2).enumerate().flat_map(|(number, pair)| in_line(&shown, number + 1, &pair[0], &pair[1]));
        found.collect::<Vec<_>>()
    };
    files.flat_map(in_file).collect()
}

/// The phrases that begin on `line`; `next` is the line after it, where a phrase may end.
fn in_line(path: &str, number: usize, line: &str, next: &str) -> Vec<String> {
    let text = format!("{line} {next}");
    let is_word = char::is_alphanumeric;
    let is_whole = |at: usize, phrase: &str| {
        !text[..at].ends_with(is_word) && !text[at + phrase.len()..].starts_with(is_word) && at < line.len()
    };
    // "It is no error" is banned, "there is no error" is plain English.
    let is_plain = |at: usize, phrase: &str| phrase.starts_with("is no ") && text[..at].ends_with("there ");
    let is_here =
        |phrase: &str| text.match_indices(phrase).any(|(at, _)| is_whole(at, phrase) && !is_plain(at, phrase));
    let found = PHRASES.iter().filter(|(phrase, _)| is_here(phrase));
    found.map(|(phrase, better)| format!("{path}:{number}: \"{phrase}\": write \"{better}\"")).collect()
}

/// A line without the marks of comments, tables and lists around it.
fn words(line: &str) -> String {
    let marks = |letter: char| letter.is_whitespace() || "/!#*-|>".contains(letter);
    // A test's name is a sentence.
    line.trim_matches(marks).to_lowercase().replace('_', " ")
}

fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        let is_text = path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
        if path.is_dir() { !["node_modules", "target"].contains(&&*name) } else { is_text }
    };
    entries.into_iter().filter(ours).flat_map(|path| files(&path)).collect()
}

#[test]
fn a_phrase_is_found_over_the_end_of_a_line_and_not_within_a_word() {
    assert_eq!(in_line("a", 1, "one for whoever", "reads").len(), 1);
    assert_eq!(in_line("a", 1, "it goes", "on from there").len(), 1);
    assert_eq!(in_line("a", 1, "it is no error", "").len(), 1);
    assert_eq!(in_line("a", 1, "there is no error", ""), Vec::<String>::new());
    assert_eq!(in_line("a", 1, "it relies on nobodys", "nobody"), Vec::<String>::new());
    assert_eq!(in_line("a", 1, &words("    fn Nobody_is_asked() {"), "").len(), 1);
}
