//! What init finds in whole directories: layouts as people have them, and the lines of the manifest that matter.

use super::*;

mod node;
mod python;
mod whole;

/// The only app of a directory, and its manifest, which lamstream must be able to read.
fn only(files: &[(&str, &str)]) -> (Found, String) {
    let Survey::Apps(mut apps) = survey(&Tree::of(files), &Installed { python: vec![11], node: vec![22] }) else {
        panic!("no app in {files:?}")
    };
    assert_eq!(apps.len(), 1, "{apps:?}");
    let found = apps.remove(0);
    let text = manifest("shop", &found);
    let parsed = crate::manifest::parse(&text, None).map_err(|problems| problems.render("deploy.toml", &text));
    assert!(parsed.is_ok(), "{text}\n{}", parsed.unwrap_err());
    (found, text)
}

/// Asserts that the manifest has these lines, and that the notes contain these words.
pub(super) fn has(files: &[(&str, &str)], lines: &[&str], notes: &[&str]) {
    let (found, text) = only(files);
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "no line `{line}`:\n{text}");
    }
    let told = found.notes.join("\n");
    assert!(notes.iter().all(|note| told.contains(note)), "{notes:?} in: {told}");
    assert!(!notes.is_empty() || told.is_empty(), "{told}");
}

const FASTAPI: &str = "from fastapi import FastAPI\nfrom fastapi.responses import StreamingResponse\napp = FastAPI()\n\n\
    @app.post('/chat/{room}')\nasync def chat(room: str, q: str, n: int = 3):\n    return StreamingResponse(words())\n";
