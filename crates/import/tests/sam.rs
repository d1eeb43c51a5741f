//! SAM templates of all shapes: the manifest that each becomes, what is left over, and what is wrong with the bad ones.
//! `UPDATE_SNAPSHOTS=1 cargo test -p lamstream-import` writes the snapshots again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

#[path = "sam/dropped.rs"]
mod dropped;
#[path = "sam/lenient.rs"]
mod lenient;
#[path = "sam/mutations.rs"]
mod mutations;
mod support;

use import::{File, Imported, Invalid, Options, Rules};
use lenient::Lenient;
use std::fs;
use std::path::{Path, PathBuf};

const OPTIONS: Options<'_> = Options {
    app: "app",
    region: None,
    account: None,
    template_directory: "",
    rules: &Lenient,
    files: &support::NoFiles,
};

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn fixtures(name: &str) -> Vec<PathBuf> {
    support::templates(&directory(name))
}

fn imported(path: &Path) -> Result<Imported, Invalid> {
    support::import(path, &Lenient)
}

fn import(text: &str) -> Result<Imported, Invalid> {
    import::sam(File { name: "template.yaml", text }, None, OPTIONS)
}

#[test]
fn every_template_becomes_the_manifest_it_should() {
    for path in fixtures("") {
        let imported = imported(&path).unwrap_or_else(|invalid| panic!("{}: {invalid}", path.display()));
        support::compare(&path, &support::written(&imported, &Lenient));
    }
    assert!(fixtures("").len() >= 30);
}

#[test]
fn what_is_left_over_is_said_in_the_manifest_too() {
    for path in fixtures("") {
        let Imported { manifest, left_over } = imported(&path).unwrap();
        let one_line = manifest.replace("\n# ", " ").replace("\n#", " ");
        for left in left_over {
            let said = Lenient.printable(&left.to_string());
            assert!(one_line.contains(&said), "{}: {left}\n{one_line}", path.display());
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
        support::compare(&path, &format!("{invalid}\n{hints}"));
    }
}

/// A snapshot whose template is gone proves nothing.
#[test]
fn every_snapshot_has_its_template() {
    for name in ["", "bad", "refused"] {
        let snapshots = fs::read_dir(directory(name)).unwrap().map(|entry| entry.unwrap().path());
        for snapshot in snapshots.filter(|path| path.extension().is_some_and(|end| end == "snap")) {
            assert!(snapshot.with_extension("").is_file(), "{}", snapshot.display());
        }
    }
}

/// Values reach the manifest, and no left-over: those go to logs.
#[test]
fn no_left_over_holds_a_value_of_the_environment() {
    for path in [fixtures(""), fixtures("refused")].concat() {
        let said: String = imported(&path).unwrap().left_over.iter().map(|left| left.to_string()).collect();
        assert!(!said.contains("planted"), "{}: {said}", path.display());
    }
}

#[test]
fn a_region_that_is_given_is_the_templates() {
    let text = fs::read_to_string(directory("22-region-known.yaml")).unwrap();
    let options = Options { app: "shop", region: Some("eu-west-3"), template_directory: "../infra", ..OPTIONS };
    let imported = import::sam(File { name: "template.yaml", text: &text }, None, options).unwrap();
    for line in ["region = \"eu-west-3\"", "REGION = \"eu-west-3\"", "package = \"../infra/worker.zip\""] {
        assert!(imported.manifest.contains(line), "{line}\n{}", imported.manifest);
    }
}

#[test]
fn an_account_that_is_given_is_the_templates() {
    let text = fs::read_to_string(directory("49-account.yaml")).unwrap();
    let options = Options { region: Some("eu-west-3"), account: Some("123456789012"), ..OPTIONS };
    let imported = import::sam(File { name: "template.yaml", text: &text }, None, options).unwrap();
    assert!(imported.left_over.is_empty(), "{:?}", imported.left_over);
    for line in [
        "account = \"123456789012\"",
        "resources = [\"arn:aws:sqs:eu-west-3:123456789012:jobs\"]",
        "\"arn:aws:dynamodb:eu-west-3:123456789012:table/notes/index/*\"",
        "owner = \"123456789012\"",
        "\"arn:aws:lambda:eu-west-3:123456789012:function:rotate\"",
    ] {
        assert!(imported.manifest.contains(line), "{line}\n{}", imported.manifest);
    }
}

/// Only what the function itself needs blocks a deploy.
#[test]
fn what_blocks_a_deploy_is_marked() {
    let blocking = |name: &str| -> Vec<String> {
        let left = imported(&directory(name)).unwrap().left_over;
        left.into_iter().filter(|left| left.blocks).map(|left| left.path).collect()
    };
    assert_eq!(blocking("14-events.yaml"), Vec::<String>::new());
    assert_eq!(blocking("54-log-groups.yaml"), Vec::<String>::new());
    assert_eq!(blocking("55-layers.yaml").len(), 2);
    let guarded = ["Guarded", "Private", "Foreign", "Keyed", "Described", "Handler"];
    assert_eq!(blocking("52-gateways.yaml"), guarded.map(|name| format!("Resources.{name}.Properties.Events.All")));
    // Tags are not needed, policies are.
    let paths = blocking("49-account.yaml");
    assert!(paths.len() == 3 && paths.iter().all(|path| path.contains(".Policies.")), "{paths:?}");
}

#[test]
fn references_that_double_each_other_end() {
    let worker = "  Worker: {Type: AWS::Serverless::Function, Properties: {CodeUri: a.zip, Runtime: python3.13, Handler: \
                  a.b, Environment: {Variables: {NAME: !Ref B59}}}}\n";
    let head = "Transform: AWS::Serverless-2016-10-31\n";
    let bucket = |at: usize, name: &str| {
        format!("  B{at}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Sub '{name}'}}}}\n")
    };
    let chain = |first: &str| -> String {
        let rest = (1..60).map(|at| bucket(at, &format!("${{B{0}}}${{B{0}}}", at - 1)));
        std::iter::once(bucket(0, first)).chain(rest).collect()
    };
    assert!(import(&format!("{head}Resources:\n{worker}{}", chain(""))).is_ok());
    let imported = import(&format!("{head}Resources:\n{worker}{}", chain("x"))).unwrap();
    let left = |start: &str| imported.left_over.iter().any(|left| left.what.contains(start));
    assert!(left("cannot be evaluated: the text would be longer than"), "{:?}", imported.left_over);

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
    assert!(with(conditions(5000, "!Equals [a, a]")).is_ok());
}
