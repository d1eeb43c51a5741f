//! Manifests of different shapes, and what they mean.

use super::fixtures::{compare, manifests, orphans};
use lamstream::manifest::{Manifest, parse};
use std::collections::BTreeSet;

/// All of the smallest manifest, and of the others what differs from it.
#[test]
fn every_good_manifest_means_what_it_says() {
    let (_, smallest) = manifests("good").into_iter().find(|(path, _)| path.ends_with("smallest.toml")).unwrap();
    let usual: BTreeSet<String> = lines(&parse(&smallest, None).unwrap()).into_iter().collect();
    compare("good", |text| {
        let whole = parse(text, None).unwrap_or_else(|problems| panic!("{}", problems.render("deploy.toml", text)));
        let show = |manifest: &Manifest| match text == smallest {
            true => lines(manifest).join("\n"),
            false => different(manifest, &usual),
        };
        let mut shown = show(&whole);
        for stage in &whole.stages {
            shown += &format!("\n\n--- with stage {stage}\n{}", show(&parse(text, Some(stage)).unwrap()));
        }
        assert!(!shown.contains("planted"), "{shown}");
        shown
    });
    assert_eq!(orphans("good"), Vec::<std::path::PathBuf>::new());
}

/// What a manifest means, each value in a line with its path: `functions > Function 0 > memory: 128`.
fn lines(manifest: &Manifest) -> Vec<String> {
    // Each step with what opened it, and how many there are in it already.
    let (mut lines, mut path) = (Vec::new(), Vec::<(String, char, usize)>::new());
    for line in format!("{manifest:#?}").lines().skip(1) {
        let text = line.trim().trim_end_matches(',');
        if let Some(opened) = text.strip_suffix(['{', '(', '[']) {
            let name = opened.trim_end_matches([' ', ':']);
            let step = match path.last_mut() {
                Some((_, '[', count)) => {
                    *count += 1;
                    format!("{name} {}", *count - 1)
                }
                _ => name.to_owned(),
            };
            path.push((step, text.chars().next_back().unwrap(), 0));
        } else if ["}", ")", "]"].contains(&text) {
            path.pop();
        } else {
            let steps = path.iter().map(|(step, _, _)| step.as_str()).filter(|step| !step.is_empty());
            lines.push(steps.chain([text]).collect::<Vec<_>>().join(" > "));
        }
    }
    lines
}

/// The lines that the smallest manifest does not have, and the functions' names.
fn different(manifest: &Manifest, usual: &BTreeSet<String>) -> String {
    let is_new = |line: &String| {
        let first = line.split(" > ").map(|step| if step.starts_with("Function ") { "Function 0" } else { step });
        let first = first.collect::<Vec<_>>().join(" > ");
        !usual.contains(&first) || first.starts_with("functions > Function 0 > name: ")
    };
    lines(manifest).into_iter().filter(is_new).collect::<Vec<_>>().join("\n")
}
