//! What `policy` prints: enough for every call, no more than the calls need, and the same as docs/permissions.md.

use super::calls::{self, ACCOUNT, Need};
use super::document::{Document, Policy};
use super::{VALUES, Watch, actions};
use crate::support::bench::{Bench, said};
use lamstream::manifest::{self, Manifest, RoleSource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with the policies that were printed for the manifests of a life.
pub(super) fn wrong(
    document: &Document,
    region: &str,
    needs: &BTreeMap<String, BTreeSet<Need>>,
    [named, of_all_stages]: &[Vec<Policy>; 2],
) -> Vec<String> {
    let mut wrong = Vec::new();
    // The keys that encrypt values are in no manifest.
    let all = needs.iter().filter(|(command, _)| *command != "secret").flat_map(|(_, needs)| needs);
    let all: BTreeSet<&Need> = all.filter(|need| need.action != "kms:Decrypt").collect();
    for (what, policies) in [("policy", named), ("policy --all-stages", of_all_stages)] {
        let refused = all.iter().filter(|need| !policies.iter().any(|policy| policy.allows(need)));
        wrong.extend(refused.map(|need| format!("`{what}` does not allow {} on {}", need.action, need.resource)));
        let allowed: BTreeSet<String> = policies.iter().flat_map(Policy::actions).collect();
        let used = actions(all.iter().copied());
        wrong.extend(allowed.difference(&used).map(|action| format!("`{what}` allows {action}, which no call used")));
    }
    // Values are named one by one.
    let is_value = |need: &Need| VALUES.contains(&need.action.as_str());
    let printed: BTreeSet<Need> =
        of_all_stages.iter().flat_map(Policy::grants).filter(|need| !is_value(need)).collect();
    let written = ["Reading", "Deploying", "Destroying"].map(|heading| document.policy(heading, region));
    let grants: BTreeSet<Need> = written.iter().flat_map(Policy::grants).collect();
    wrong
        .extend(grants.difference(&printed).map(|need| format!("no policy was printed with {need:?} of the document")));
    let is_written = |need: &&Need| written.iter().any(|policy| policy.allows(need));
    wrong.extend(printed.iter().filter(|need| !is_written(need)).map(|need| format!("the document lacks {need:?}")));
    wrong
}

/// A manifest of the fixtures that can be deployed here without its code: its functions are crates.
fn fixture(path: &std::path::Path) -> Option<(String, Manifest)> {
    let text = std::fs::read_to_string(path).unwrap();
    // Its account is that of the local cloud.
    let text = text.replace("123456789012", ACCOUNT);
    let text = text.replace(&format!("arn:aws:iam::{ACCOUNT}:policy/own"), "arn:aws:iam::aws:policy/PowerUserAccess");
    let manifest = manifest::parse(&text, None).unwrap();
    let is_deployable = |function: &manifest::Function| {
        function.web.is_none()
            && !function.runtime.is_managed()
            && function.layers.is_empty()
            && function.outside().next().is_none()
            && matches!(function.role, RoleSource::Own { .. })
    };
    (manifest.app == "shop" && manifest.functions.iter().all(is_deployable)).then_some((text, manifest))
}

/// Everything that a manifest's policy allows is used in the life of its functions, and nothing else.
#[test]
fn the_policy_of_each_manifest_is_enough_and_has_no_idle_statement() {
    let mut watch = Watch::new(BTreeMap::new(), Default::default());
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/good");
    let mut paths: Vec<_> = std::fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    // Its tags show whether it belongs to a function that the manifest no longer names.
    watch.make_role(&format!("lamstream-{}-shop-old", watch.region));
    let mut count = 0;
    for (path, (text, manifest)) in paths.iter().filter_map(|path| Some((path, fixture(path)?))) {
        count += 1;
        watch.bench.write("deploy.toml", &text);
        let policy = watch.policy(&[]);
        watch.needs.clear();
        for code in ["one", "two"] {
            let zip = watch.package(code).replace("--package=", "");
            let packages: Vec<String> =
                manifest.functions.iter().map(|function| format!("--package={}={zip}", function.name)).collect();
            let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
            watch.run(0, &[&["deploy", "--yes", "--no-verify"], &packages[..]].concat());
        }
        for command in ["status", "stages"] {
            watch.run(0, &[command]);
        }
        watch.run(0, &["destroy", "--yes"]);
        let needs: BTreeSet<&Need> = watch.needs.values().flatten().collect();
        let shown = path.file_name().unwrap().display();
        let refused: Vec<_> = needs.iter().filter(|need| !policy.allows(need)).collect();
        assert!(refused.is_empty(), "{shown}: {refused:?} is not allowed by {policy:#?}");
        let idle = policy.idle(needs.iter().copied());
        assert!(idle.is_empty(), "{shown}: no call needed {idle:#?}");
    }
    assert!(count >= 8, "{count} fixtures");
}

fn printed(bench: &Bench, arguments: &[&str]) -> Value {
    let known = ["policy", "--account", "123456789012", "--region", "eu-central-1"];
    serde_json::from_str(&bench.good(&[&known, arguments].concat())).unwrap()
}

/// Nothing is asked of AWS if the account and the region are known.
#[test]
fn a_policy_is_printed_without_credentials_and_has_what_the_manifest_uses() {
    let chat = "app = 'shop'\n[functions.chat]\ncrate = 'unused'\n";
    let bench = Bench::new(&format!(
        "{chat}environment.AA = {{ ssm = '/shop/a:3' }}\nenvironment.BB = {{ secret = 'shop/b' }}\nport = 8080\n\
         vpc = {{ subnets = ['subnet-1'], security_groups = ['sg-1'] }}\n[stages.\"pr-*\"]\n"
    ));
    let policy = printed(&bench, &["--command", "deploy"]).to_string();
    for expected in [
        "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/a\"",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/b-??????\"",
        "arn:aws:lambda:eu-central-1:753240598075:layer:LambdaAdapterLayerX86:*\"",
        "ec2:DescribeVpcs",
    ] {
        assert!(policy.contains(expected), "{expected}: {policy}");
    }
    assert!(!policy.contains("s3:") && !policy.contains("kms:"), "{policy}");
    let large = printed(&bench, &["--command", "deploy", "--large-packages"]).to_string();
    assert!(large.contains("s3:CreateBucket") && large.contains("arn:aws:s3:::lamstream-123456789012-eu-central-1-"));
    // A preview has names of its own.
    let preview = printed(&bench, &["--stage", "pr-7"]).to_string();
    assert!(preview.contains("function:shop-pr-7-chat\"") && !preview.contains("function:shop-chat"), "{preview}");
    let all = printed(&bench, &["--all-stages"]).to_string();
    assert!(all.contains("function:shop-*\"") && !all.contains("shop-chat"), "{all}");
    let destroying = printed(&bench, &["--command", "destroy"]).to_string();
    assert!(!destroying.contains("iam:CreateRole") && destroying.contains("iam:DeleteRole"), "{destroying}");

    bench.write(
        "deploy.toml",
        &format!("{chat}artifact_bucket = 'x'\n")
            .replace(chat, &format!("artifact_bucket = 'ours'\n{chat}"))
            .replace("artifact_bucket = 'x'\n", ""),
    );
    let given = printed(&bench, &["--command", "deploy"]).to_string();
    assert!(given.contains("arn:aws:s3:::ours/*") && !given.contains("s3:CreateBucket"), "{given}");
    let china: Value =
        serde_json::from_str(&bench.good(&["policy", "--account", "123456789012", "--region", "cn-north-1"])).unwrap();
    assert!(
        china.to_string().contains("arn:aws-cn:lambda:cn-north-1:") && !china.to_string().contains("arn:aws:"),
        "{china}"
    );
}

#[test]
fn a_document_has_the_policy_as_json_and_a_wrong_account_is_refused() {
    let bench = Bench::new("app = 'shop'\naccount = '123456789012'\n[functions.chat]\ncrate = 'unused'\n");
    let (document, code) = bench.json(&["policy", "--region", "eu-central-1", "--command", "url"]);
    assert_eq!((code, &document["account"]), (0, &json!("123456789012")), "{document}");
    let resource = "arn:aws:lambda:eu-central-1:123456789012:function:shop-chat";
    let statement = json!({ "Effect": "Allow", "Action": ["lambda:GetFunctionUrlConfig"], "Resource": [resource, format!("{resource}:*")] });
    assert_eq!(document["policy"], json!({ "Version": "2012-10-17", "Statement": [statement] }));
    let text: Value =
        serde_json::from_str(&bench.good(&["policy", "--region", "eu-central-1", "--command", "url"])).unwrap();
    assert_eq!(text["Statement"][0]["Action"], "lambda:GetFunctionUrlConfig");
    let other = bench.run(&["policy", "--account", "210987654321", "--region", "eu-central-1"]);
    assert_eq!(other.status.code(), Some(2), "{}", said(&other));
    assert!(said(&other).contains("the manifest is for account `123456789012`"), "{}", said(&other));
    let nowhere = bench.run(&["policy"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", said(&nowhere));
    // Without either, the credentials decide.
    bench.write("deploy.toml", "app = 'shop'\n[functions.chat]\ncrate = 'unused'\n");
    assert_eq!(bench.json(&["policy", "--local"]).0["account"], calls::ACCOUNT);
}
