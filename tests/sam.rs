//! SAM templates of all shapes: the manifest that each becomes, what is left over, and what is wrong with the bad ones.
//! `UPDATE_SNAPSHOTS=1 cargo test --workspace --test sam` writes the snapshots anew.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

use lamstream::import::{self, File, Imported, Invalid, Surroundings};
use lamstream::manifest;
use std::fs;
use std::path::{Path, PathBuf};

fn fixtures(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sam").join(directory);
    let is_template = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name.ends_with(".yaml") || name.ends_with(".json")) && !name.contains("samconfig")
    };
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(is_template).collect();
    paths.sort();
    paths
}

fn imported(path: &Path) -> Result<Imported, Invalid> {
    let text = fs::read_to_string(path).unwrap();
    let extension = path.extension().unwrap().to_str().unwrap();
    let config = ["toml", "yaml"].map(|kind| (kind, path.with_extension(format!("samconfig.{kind}"))));
    let config = config.into_iter().find(|(_, path)| path.is_file());
    let config = config.map(|(kind, path)| (format!("samconfig.{kind}"), fs::read_to_string(path).unwrap()));
    let name = format!("template.{extension}");
    import::sam(
        File { name: &name, text: &text },
        config.as_ref().map(|(name, text)| File { name, text }),
        Surroundings { directory: "my app", region: None, way: "" },
    )
}

fn compare(path: &Path, found: &str) {
    let snapshot = PathBuf::from(format!("{}.snap", path.display()));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::write(&snapshot, found).unwrap();
    }
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    assert_eq!(found, expected, "{} differs", snapshot.display());
}

#[test]
fn every_template_becomes_the_manifest_it_should() {
    for path in fixtures("") {
        let imported = imported(&path).unwrap_or_else(|invalid| panic!("{}: {invalid}", path.display()));
        let left: String = imported.left.iter().map(|left| format!("# {left}\n")).collect();
        compare(&path, &format!("{}\n# ==== left over ====\n{left}", imported.manifest));
    }
    assert!(fixtures("").len() >= 30);
}

#[test]
fn every_manifest_is_one_with_each_of_its_stages() {
    for path in fixtures("") {
        let text = imported(&path).unwrap().manifest;
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
    for path in fixtures("") {
        let Imported { manifest, left } = imported(&path).unwrap();
        let one_line = manifest.replace("\n# ", " ").replace("\n#", " ");
        for left in left {
            assert!(one_line.contains(&left.to_string()), "{}: {left}\n{one_line}", path.display());
            assert!(left.line > 0);
        }
    }
}

#[test]
fn every_bad_template_says_what_is_wrong_and_where() {
    for path in fixtures("bad") {
        let invalid = match imported(&path) {
            Ok(imported) => panic!("{}: nothing is wrong\n{}", path.display(), imported.manifest),
            Err(invalid) => invalid,
        };
        assert!(invalid.place.is_some(), "{}: {invalid}", path.display());
        let (first, message) = (invalid.message.chars().next().unwrap(), &invalid.message);
        assert!(!first.is_uppercase() && !message.ends_with('.') && !message.contains('\n'), "{message}");
        let hints: String = invalid.hints.iter().map(|hint| format!("hint: {hint}\n")).collect();
        compare(&path, &format!("{invalid}\n{hints}"));
    }
}

/// A snapshot whose template is gone proves nothing.
#[test]
fn every_snapshot_has_its_template() {
    for directory in ["", "bad"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sam").join(directory);
        let snapshots = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        for snapshot in snapshots.filter(|path| path.extension().is_some_and(|end| end == "snap")) {
            assert!(snapshot.with_extension("").is_file(), "{}", snapshot.display());
        }
    }
}

/// Values reach the manifest, and no left-over: those go to logs.
#[test]
fn no_left_over_holds_a_value_of_the_environment() {
    for path in fixtures("") {
        let said: String = imported(&path).unwrap().left.iter().map(|left| left.to_string()).collect();
        assert!(!said.contains("planted"), "{}: {said}", path.display());
    }
}

#[test]
fn a_region_that_is_given_is_the_templates() {
    let text =
        fs::read_to_string(fixtures("").into_iter().find(|path| path.ends_with("22-region-known.yaml")).unwrap());
    let around = Surroundings { directory: "shop", region: Some("eu-west-3"), way: "../infra" };
    let imported = import::sam(File { name: "template.yaml", text: &text.unwrap() }, None, around).unwrap();
    for line in ["region = \"eu-west-3\"", "REGION = \"eu-west-3\"", "package = \"../infra/worker.zip\""] {
        assert!(imported.manifest.contains(line), "{line}\n{}", imported.manifest);
    }
}

/// Nothing can be switched off here, and nobody is to find out by another command.
#[test]
fn a_manifest_that_stays_wrong_is_told() {
    let name = "A".repeat(64);
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  {name}: {{Type: AWS::Serverless::Function, Properties: \
         {{CodeUri: a.zip, Runtime: python3.13, Handler: a.b}}}}\n"
    );
    let around = Surroundings { directory: "app", region: None, way: "" };
    let imported = import::sam(File { name: "template.yaml", text: &text }, None, around).unwrap();
    let left = &imported.left[0];
    assert!(manifest::parse(&imported.manifest, None).is_err());
    assert!(left.what.starts_with("lamstream would refuse the manifest: the function's full name `a-AAA"), "{left}");
    assert_eq!((left.line, left.path.as_str()), (3, format!("Resources.{name}").as_str()));
}

/// A template that lost a line, or its end, is another template or none: never a panic, never a manifest that is none.
#[test]
fn what_is_left_of_a_template_is_a_template_or_an_error() {
    let (mut good, mut bad, mut wrong) = (0, 0, std::collections::BTreeMap::new());
    for path in fixtures("") {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
        let ends = text.char_indices().map(|(at, _)| text[..at].to_owned()).step_by(7);
        for text in (0..lines.len()).map(without).chain(ends) {
            let around = Surroundings { directory: "app", region: None, way: "" };
            let Ok(imported) = import::sam(File { name: "template.yaml", text: &text }, None, around) else {
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

#[test]
fn references_that_double_each_other_end() {
    let worker = "  Worker: {Type: AWS::Serverless::Function, Properties: {CodeUri: a.zip, Runtime: python3.13, Handler: \
                  a.b, Environment: {Variables: {NAME: !Ref B59}}}}\n";
    let head = "Transform: AWS::Serverless-2016-10-31\n";
    let around = Surroundings { directory: "app", region: None, way: "" };
    let import = |text: &str| import::sam(File { name: "template.yaml", text }, None, around);
    let bucket = |at: usize, name: &str| {
        format!("  B{at}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Sub '{name}'}}}}\n")
    };
    let chain = |first: &str| -> String {
        let rest = (1..60).map(|at| bucket(at, &format!("${{B{0}}}${{B{0}}}", at - 1)));
        std::iter::once(bucket(0, first)).chain(rest).collect()
    };
    assert!(import(&format!("{head}Resources:\n{worker}{}", chain(""))).is_ok());
    let invalid = import(&format!("{head}Resources:\n{worker}{}", chain("x"))).unwrap_err();
    assert!(invalid.message.starts_with("the text would be longer than"), "{invalid}");

    let conditions = |count: usize, first: &str| -> String {
        let rest = (1..count).map(|at| format!("  C{at}: !And [!Condition C{0}, !Condition C{0}]\n", at - 1));
        let lines: Vec<String> = std::iter::once(format!("  C0: {first}\n")).chain(rest).collect();
        // The last one first, so that it is asked for before the others are known.
        lines.into_iter().rev().collect()
    };
    let plain = worker.replace("!Ref B59", "x");
    let with = |conditions: String| import(&format!("{head}Conditions:\n{conditions}Resources:\n{plain}"));
    assert!(with(conditions(60, "!Equals [a, a]")).is_ok());
    assert!(with(conditions(60, "!Equals [!Ref AWS::AccountId, a]")).is_ok());
    let invalid = with(conditions(5000, "!Equals [a, a]")).unwrap_err();
    assert!(invalid.message.starts_with("this is reached by more than 100 references"), "{invalid}");
}
