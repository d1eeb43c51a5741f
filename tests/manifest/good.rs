//! Manifests of different shapes, and what they mean.

use super::fixtures::{compare, orphans};
use lamstream::manifest::parse;

#[test]
fn every_good_manifest_means_what_it_says() {
    compare("good", |text| {
        let whole = parse(text, None).unwrap_or_else(|problems| panic!("{}", problems.render("deploy.toml", text)));
        let mut shown = format!("{whole:#?}");
        for stage in &whole.stages {
            shown += &format!("\n\n--- with stage {stage}\n{:#?}", parse(text, Some(stage)).unwrap());
        }
        assert!(!shown.contains("planted"), "{shown}");
        shown
    });
    assert_eq!(orphans("good"), Vec::<std::path::PathBuf>::new());
}
