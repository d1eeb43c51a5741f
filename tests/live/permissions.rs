//! The policies that docs/live.md names allow the calls that this suite makes itself, and the one that it prints allows
//! nothing else. The calls are read from the suite's source, because most of them are made only on AWS. What lamstream
//! calls is held against docs/permissions.md by `tests/cli/permissions.rs`.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const OWN: &str = "permissions.rs";

/// Operations whose permission has another name.
const RENAMED: [(&str, &str); 3] = [
    ("lambda:GetLayerVersionByArn", "lambda:GetLayerVersion"),
    ("lambda:Invoke", "lambda:InvokeFunction"),
    ("lambda:InvokeWithResponseStream", "lambda:InvokeFunction"),
];

/// Requests to S3, as they are written in the source, and their permissions.
const OF_S3: [(&str, &str); 8] = [
    (r#"s3(live,"PUT","","#, "s3:CreateBucket"),
    (r#"s3(live,"DELETE","","#, "s3:DeleteBucket"),
    (r#"s3(live,"GET","?tagging","#, "s3:GetBucketTagging"),
    (r#"s3(live,"PUT","?tagging","#, "s3:PutBucketTagging"),
    (r#"s3(live,"PUT","/object","#, "s3:PutObject"),
    (r#"s3(live,"DELETE","/object","#, "s3:DeleteObject"),
    // The sweep deletes what the checks have made.
    (r#"Signature::of("s3"),"DELETE","#, "s3:DeleteBucket"),
    (r#"format!("{url}/object")"#, "s3:DeleteObject"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The suite's source without white space.
fn source() -> String {
    let mut open = vec![root().join("tests/live")];
    let mut text = String::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<PathBuf>>());
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with(OWN) {
            text += &std::fs::read_to_string(path).expect("a source file");
        }
    }
    text.split_whitespace().collect()
}

/// The identifiers that follow `before` and are followed by `after`.
fn names<'s>(source: &'s str, before: &str, after: &str) -> Vec<&'s str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let found =
        source.split(before).skip(1).map(|rest| rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len())));
    found.filter(|(name, rest)| !name.is_empty() && rest.starts_with(after)).map(|(name, _)| name).collect()
}

/// `GetAlias` of `get_alias`.
fn operation(method: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    method.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

/// The permissions that the suite's own calls need.
fn needed(source: &str) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    for (client, service) in
        [(".lambda.", "lambda"), (".iam.", "iam"), (".logs.", "logs"), (".once.0.", "lambda"), (".once.1.", "logs")]
    {
        needed.extend(names(source, client, "()").into_iter().map(|method| format!("{service}:{}", operation(method))));
    }
    for (before, service) in
        [(r#"ssm(live,""#, "ssm"), (r#""AmazonSSM."#, "ssm"), (r#""secretsmanager."#, "secretsmanager")]
    {
        needed.extend(names(source, before, "\"").into_iter().map(|name| format!("{service}:{name}")));
    }
    needed.extend(OF_S3.iter().filter(|(call, _)| source.contains(call)).map(|(_, action)| (*action).to_owned()));
    let renamed =
        |action: String| RENAMED.iter().find(|(from, _)| *from == action).map_or(action, |(_, to)| (*to).to_owned());
    needed.into_iter().map(renamed).collect()
}

/// The actions of the first policy below a heading of a document.
fn allowed(document: &str, heading: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("docs").join(document)).expect("the document");
    let (_, section) = text.split_once(&format!("# {heading}\n")).expect("the heading");
    let block = section.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a policy");
    let policy: Value = serde_json::from_str(block).expect("JSON");
    let statements = policy["Statement"].as_array().expect("statements");
    let actions = statements.iter().flat_map(|statement| match &statement["Action"] {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    });
    actions.filter_map(|action| action.as_str().map(str::to_owned)).collect()
}

#[test]
fn the_policies_in_docs_live_md_are_what_the_suite_needs() {
    let (needed, own) = (needed(&source()), allowed("live.md", "What it needs"));
    assert!(needed.len() > 30, "{needed:?}");
    let others: BTreeSet<String> =
        ["Reading", "Deploying", "Destroying"].iter().flat_map(|heading| allowed("permissions.md", heading)).collect();
    let missing: Vec<_> = needed.iter().filter(|action| !own.contains(*action) && !others.contains(*action)).collect();
    let idle: Vec<_> = own.difference(&needed).collect();
    assert!(missing.is_empty() && idle.is_empty(), "not allowed: {missing:?}; allowed for nothing: {idle:?}");
}
