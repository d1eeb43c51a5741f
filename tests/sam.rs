//! SAM templates, imported with this lamstream's rules: its own reader takes what they become. Most templates are the
//! fixtures of `crates/import`, whose tests need none of lamstream.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

#[path = "../crates/import/tests/support/mod.rs"]
mod support;

use import::{File, Imported, Options};
use lamstream::commands::ManifestRules;
use lamstream::manifest;
use std::fs;
use std::path::{Path, PathBuf};

const OPTIONS: Options<'_> = Options {
    app: "app",
    region: None,
    account: None,
    template_directory: "",
    rules: &ManifestRules,
    files: &support::NoFiles,
};

fn fixtures() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/import/tests/fixtures");
    ["", "refused"].map(|directory| support::templates(&all.join(directory))).concat()
}

fn imported(path: &Path) -> Imported {
    support::import(path, &ManifestRules).unwrap_or_else(|invalid| panic!("{}: {invalid}", path.display()))
}

#[test]
fn every_template_becomes_the_manifest_it_should() {
    for path in fixtures() {
        support::compare(&path, &support::written(&imported(&path), &ManifestRules));
    }
    assert!(fixtures().len() >= 30);
}

#[test]
fn every_manifest_is_one_with_each_of_its_stages() {
    for path in fixtures() {
        let text = imported(&path).manifest;
        match manifest::parse(&text, None) {
            Ok(manifest) => assert!(!manifest.functions.is_empty(), "{}", path.display()),
            Err(problems) => {
                panic!("{}:\n{}", path.display(), problems.render("deploy.toml", &text));
            }
        }
    }
}

#[test]
fn what_is_left_over_is_said_in_the_manifest_too() {
    for path in fixtures() {
        let Imported { manifest, left_over } = imported(&path);
        let one_line = manifest.replace("\n# ", " ").replace("\n#", " ");
        for left in left_over {
            let said = lamstream::text::line(&left.to_string());
            assert!(one_line.contains(&said), "{}: {left}\n{one_line}", path.display());
            assert!(left.line > 0);
        }
    }
}

/// Advice that can be uncommented is a key of the table that it is in.
#[test]
fn what_can_be_uncommented_is_valid_where_it_is() {
    let mut tried = std::collections::BTreeSet::new();
    for path in fixtures() {
        let text = imported(&path).manifest;
        let mut is_disabled = false;
        for (number, line) in text.lines().enumerate() {
            // A table that is commented out is uncommented as a whole.
            is_disabled = line.starts_with("#[") || (is_disabled && !line.starts_with('['));
            let advised = ["check", "url"].into_iter().find(|key| line.starts_with(&format!("#{key} = ")));
            let Some(key) = advised.filter(|_| !is_disabled) else { continue };
            let lines = text.lines().enumerate();
            let pasted: Vec<&str> = lines.map(|(at, line)| if at == number { &line[1..] } else { line }).collect();
            let pasted = pasted.join("\n");
            let parsed = manifest::parse(&pasted, None);
            let parsed = parsed.unwrap_or_else(|problems| {
                panic!("{}:\n{}", path.display(), problems.render("deploy.toml", &pasted));
            });
            let before = manifest::parse(&text, None).unwrap();
            let count = |manifest: &manifest::Manifest| match key {
                "check" => manifest.functions.iter().filter(|one| one.checks.iter().any(|check| check.streams)).count(),
                _ => manifest.functions.iter().filter(|one| one.url.is_some()).count(),
            };
            assert_eq!(count(&parsed), count(&before) + 1, "{}:{}: {line}", path.display(), number + 1);
            tried.insert(key);
        }
    }
    assert_eq!(tried.into_iter().collect::<Vec<_>>(), ["check", "url"]);
}

/// Nothing can be commented out here, so the import itself reports it.
#[test]
fn a_manifest_that_stays_wrong_is_reported() {
    let name = "A".repeat(64);
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  {name}: {{Type: AWS::Serverless::Function, Properties: \
         {{CodeUri: a.zip, Runtime: python3.13, Handler: a.b}}}}\n"
    );
    let imported = import::sam(File { name: "template.yaml", text: &text }, None, OPTIONS).unwrap();
    let left = &imported.left_over[0];
    assert!(manifest::parse(&imported.manifest, None).is_err());
    assert!(left.what.starts_with("lamstream would reject the manifest: the function's full name `a-AAA"), "{left}");
    assert_eq!((left.line, left.path.as_str()), (3, format!("Resources.{name}").as_str()));
}

/// A template that lost a line, or its end, is another template or none: never a panic, never a manifest that is none.
#[test]
fn what_is_left_of_a_template_is_a_template_or_an_error() {
    let (mut good, mut bad, mut wrong) = (0, 0, std::collections::BTreeMap::new());
    for path in fixtures() {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
        let ends = text.char_indices().map(|(at, _)| text[..at].to_owned()).step_by(7);
        for text in (0..lines.len()).map(without).chain(ends) {
            let Ok(imported) = import::sam(File { name: "template.yaml", text: &text }, None, OPTIONS) else {
                bad += 1;
                continue;
            };
            good += 1;
            if let Err(problems) = manifest::parse(&imported.manifest, None) {
                let messages = problems.iter().map(|problem| problem.message.clone());
                wrong.extend(messages.map(|message| (message, text.clone())));
            }
        }
    }
    let messages: Vec<&String> = wrong.keys().collect();
    assert!(wrong.is_empty(), "{messages:#?}\n{:?}", wrong.values().next());
    assert!(good > 500 && bad > 500, "{good} templates, {bad} errors");
}
