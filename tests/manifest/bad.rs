//! Manifests with something wrong in them: each says what, where, and what was expected.

use super::fixtures::{compare, manifests, orphans};
use lamstream::manifest::parse;

#[test]
fn every_bad_manifest_says_what_is_wrong() {
    compare("bad", |text| match parse(text, None) {
        Ok(manifest) => panic!("nothing is wrong with\n{text}\n{manifest:?}"),
        Err(problems) => problems.render("deploy.toml", text),
    });
    assert_eq!(orphans("bad"), Vec::<std::path::PathBuf>::new());
    assert!(manifests("bad").len() >= 45);
}

#[test]
fn messages_keep_to_one_style() {
    for (path, text) in manifests("bad") {
        for problem in parse(&text, None).unwrap_err().iter() {
            let message = &problem.message;
            let first = message.chars().next().unwrap();
            assert!(!first.is_uppercase() && !message.ends_with('.'), "{}: {message}", path.display());
            assert!(!message.contains('\n'), "{}: {message}", path.display());
        }
    }
}

#[test]
fn problems_come_in_the_order_of_their_place() {
    for (path, text) in manifests("bad") {
        let problems = parse(&text, None).unwrap_err();
        let places: Vec<_> = problems.iter().map(|problem| problem.span.as_ref().map(|span| span.start)).collect();
        assert!(places.is_sorted(), "{}: {places:?}", path.display());
    }
}
