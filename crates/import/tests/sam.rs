//! SAM templates of all shapes: the manifest that each becomes, what is left over, and what is wrong with the bad ones.
//! `UPDATE_SNAPSHOTS=1 cargo test -p import` writes the snapshots again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod support;

use import::{File, Imported, Invalid, Options, Problem, Rules};
use std::fs;
use std::path::{Path, PathBuf};

/// Rules that find nothing wrong, for which the templates under `refused` are not compared. The repository's `tests/sam.rs` imports the same templates with lamstream's own.
struct Lenient;

impl Rules for Lenient {
    fn problems(&self, _: &str) -> Vec<Problem> {
        Vec::new()
    }

    fn accepts_variable(&self, name: &str) -> bool {
        name.len() > 1 && name.starts_with(char::is_alphabetic) && name != "AWS_REGION"
    }

    fn printable(&self, text: &str) -> String {
        let escape = |letter: char| match letter.is_control() && letter != '\t' {
            true => format!("\\x{:02x}", u32::from(letter)),
            false => letter.to_string(),
        };
        text.chars().map(escape).collect()
    }
}

const OPTIONS: Options<'_> = Options { app: "app", region: None, template_directory: "", rules: &Lenient };

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
