//! Deploying, changing, looking and destroying.

use crate::support::bench::{Bench, function_zip, said};
use crate::support::proxy::Proxy;
use crate::{CHAT, TWO, deploy};
use std::process::Command;

fn package() -> String {
    format!("--package={}", function_zip().display())
}

#[test]
fn a_second_deploy_makes_no_write() {
    let bench = Bench::new(CHAT);
    let proxy = bench.proxy();
    let deploy = || {
        let output = bench.through(&proxy, &["deploy", "--yes", &package()]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        (output, proxy.take_calls())
    };
    let (first, calls) = deploy();
    assert!(!Proxy::writes(&calls).is_empty());
    let order =
        |call: &str| calls.iter().position(|made| made.starts_with(call)).unwrap_or_else(|| panic!("no {call}"));
    assert!(order("CreateLogGroup") < order("POST /2015-03-31/functions"), "{calls:?}");
    let [policy, url] = ["2015-03-31", "2021-10-31"].map(|version| format!("POST /{version}/functions/shop-chat/"));
    assert!(order(&format!("{policy}policy")) < order(&format!("{url}url")), "{calls:?}");

    let (second, calls) = deploy();
    assert_eq!(Proxy::writes(&calls), Vec::<&String>::new());
    assert_eq!(second.stdout, first.stdout, "the same url");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!said.contains("Verified") && said.contains("Unchanged"), "{said}");
    assert!(said.contains(&format!("using the endpoint {}", proxy.address)), "{said}");
}

#[test]
fn url_is_one_call() {
    let bench = Bench::new(CHAT);
    let url = deploy(&bench, &[]);
    let proxy = bench.proxy();
    let output = bench.through(&proxy, &["url"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), url);
    assert_eq!(proxy.take_calls().len(), 1);
}

#[test]
fn a_change_is_planned_line_by_line_and_deployed_in_place() {
    let bench = Bench::new(CHAT);
    let plan = |more: &[&str]| bench.run(&[&["plan", "--local", &package()], more].concat());
    insta::assert_snapshot!("plan_of_a_first_deploy", String::from_utf8_lossy(&plan(&[]).stdout));
    let url = deploy(&bench, &[]);
    assert_eq!(String::from_utf8_lossy(&plan(&[]).stdout), "no changes\n");
    assert_eq!(plan(&["--detailed-exitcode"]).status.code(), Some(0));

    bench.write(
        "deploy.toml",
        &CHAT.replace(
            "url =",
            "memory = 256\ndescription = \"a chat\"\nenvironment = { KEY = \"hidden-value\" }\n\
             tags = { team = \"web\" }\nconcurrency = 3\nlog = { retention_days = 7 }\n\
             role = { statements = [{ actions = [\"s3:GetObject\"], resources = [\"*\"] }] }\nurl =",
        ),
    );
    let changed = plan(&["--detailed-exitcode"]);
    assert_eq!(changed.status.code(), Some(3), "{}", said(&changed));
    insta::assert_snapshot!("plan_of_a_change", String::from_utf8_lossy(&changed.stdout));
    assert_eq!(deploy(&bench, &[]), url, "the URL stays");
    assert_eq!(String::from_utf8_lossy(&plan(&[]).stdout), "no changes\n");
    let status = bench.status(&["--local"]);
    assert!(status.starts_with("chat: deployed, version 2 (previous: 1)\n"), "{status}");
}

#[test]
fn several_functions_are_named_in_the_manifests_order() {
    let bench = Bench::new(TWO);
    let zip = function_zip().display();
    let (zebra, ant) = (format!("--package=zebra={zip}"), format!("--package=ant={zip}"));
    let output = bench.good(&["deploy", "--local", "--yes", &zebra, &ant]);
    let names: Vec<&str> = output.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["zebra", "ant"]);

    let which = bench.run(&["url", "--local"]);
    assert_eq!(which.status.code(), Some(2));
    assert!(which.stdout.is_empty());
    assert!(String::from_utf8_lossy(&which.stderr).contains("`zebra` and `ant`"), "{}", said(&which));
    assert!(output.contains(&bench.good(&["url", "ant", "--local"])));

    // One that is gone from the manifest is listed, left by deploy, and taken by destroy.
    bench.write("deploy.toml", &TWO.replace("[functions.ant]\ncrate = \"unused\"\nurl = { auth = \"none\" }\n", ""));
    let status = bench.status(&["--local"]);
    assert!(status.contains("ant: deployed, but not in the manifest"), "{status}");
    // `plan` and `deploy` of everything name it, with the command that removes it. They change nothing of it.
    let note = "`ant` is deployed, but not in the manifest; to remove it, run `lamstream destroy --local ant`";
    for (arguments, notes) in [(&["plan"][..], 1), (&["deploy"], 1), (&["deploy", "zebra"], 0)] {
        let output = bench.run(&[arguments, &["--local", "--output", "json", &zebra]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(String::from_utf8_lossy(&output.stderr).matches(note).count(), notes, "{}", said(&output));
    }
    assert!(bench.status(&["--local"]).contains("ant: deployed"));
    bench.good(&["destroy", "ant", "--local"]);
    assert!(!bench.status(&["--local"]).contains("ant:"));
    bench.good(&["destroy", "--local", "--yes"]);
    assert_eq!(bench.status(&["--local"]), "zebra: not deployed\n");
}

#[test]
fn a_url_that_is_not_there_is_exit_1_and_nothing_on_stdout() {
    let bench = Bench::new(CHAT);
    let output = bench.run(&["url", "--local"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", said(&output));
}

#[test]
fn destroy_may_leave_the_logs_and_may_be_repeated() {
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let (kept, _) = bench.json(&["destroy", "--local", "--yes", "--keep-logs"]);
    let done = kept["functions"][0]["done"].clone();
    assert_eq!(done, serde_json::json!(["url", "permission", "release", "function", "role"]));
    let (rest, _) = bench.json(&["destroy", "--local", "--yes"]);
    assert_eq!(rest["functions"][0]["done"], serde_json::json!(["log_group"]));
    let output = bench.run(&["destroy", "--local", "--yes"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("nothing to destroy"));
}

#[test]
fn a_stage_is_an_app_of_its_own() {
    let manifest = format!("{CHAT}\n[stages.prod.functions.chat]\nmemory = 512\n");
    let bench = Bench::new(&manifest);
    let plain = deploy(&bench, &[]);
    let staged = deploy(&bench, &["--stage", "prod"]);
    assert_ne!(plain, staged);
    let (document, _) = bench.json(&["status", "--local", "--stage=prod"]);
    assert_eq!(document["functions"][0]["function_name"], "shop-prod-chat");
    assert_eq!(document["stage"], "prod");
    bench.good(&["destroy", "--local", "--yes"]);
    assert_eq!(bench.good(&["url", "--local", "--stage=prod"]), staged);
}

#[test]
fn a_url_with_aws_iam_is_checked_with_a_signature() {
    let bench = Bench::new(&CHAT.replace("\"none\"", "\"aws-iam\""));
    let (document, code) = bench.json(&["deploy", "--local", "--yes", &package()]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(document["functions"][0]["verified"]["status"], 200);
    let url = document["functions"][0]["url"].as_str().unwrap();
    let plain = Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", url]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&plain.stdout), "403");
}

#[test]
fn a_check_that_fails_fails_the_deploy_and_says_why() {
    let bench = Bench::new(&CHAT.replace("/stream/chat", "/nowhere"));
    let output = bench.run(&["deploy", "--local", "--yes", &package()]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(errors.contains("404") && errors.contains("done: "), "{errors}");
}
