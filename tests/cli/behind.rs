//! What was changed behind lamstream's back, or cannot be read: it is reported, and taken for nothing else.

use crate::CHAT;
use crate::deploy;
use crate::strangers::aws;
use crate::support::aws::Keys;
use crate::support::bench::{Bench, function_zip, said};
use crate::support::fault::{Answer, Fault, Lasting, Trap};
use crate::support::proxy::Proxy;
use crate::support::python::python;
use serde_json::json;

/// Where GetFunction is.
const GET_FUNCTION: &str = "GET /2015-03-31/functions/shop-chat";

fn package() -> String {
    format!("--package={}", function_zip().display())
}

/// Runs it as on AWS; gives the exit code and all that was said.
fn run(bench: &Bench, proxy: &Proxy, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench.through(proxy, arguments).output().expect("lamstream runs");
    (output.status.code(), said(&output))
}

/// Whatever lets others in is reported, although it stays theirs.
#[test]
fn urls_and_permissions_of_others_are_reported() {
    let Some(python) = python() else { return };
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let aws = |arguments: &str| aws(&python, &bench, &arguments.split(' ').collect::<Vec<_>>());
    aws("lambda add-permission --function-name shop-chat --qualifier live --statement-id theirs \
         --action lambda:InvokeFunction --principal 111111111111");
    let told = |arguments: &[&str]| said(&bench.run(arguments));
    for arguments in [&["status", "--local"][..], &["plan", "--local", &package()]] {
        let told = told(arguments);
        assert!(told.contains("set outside lamstream: permissions of `live`"), "{told}");
    }
    aws("lambda create-function-url-config --function-name shop-chat --auth-type NONE");
    aws("lambda add-permission --function-name shop-chat --statement-id all --action lambda:InvokeFunctionUrl \
         --function-url-auth-type NONE --principal *");
    let told = told(&["status", "--local"]);
    assert!(told.contains("URL of `$LATEST`, permissions of `$LATEST`, permissions of `live`"), "{told}");
}

#[test]
fn settings_that_no_manifest_has_are_reported_before_they_travel() {
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let (document, _) = bench.json(&["status", "--local"]);
    assert_eq!(document["functions"][0]["set_outside"], json!([]), "{document:#}");
    let proxy = bench.proxy();
    proxy.rewrite(GET_FUNCTION, |answer| {
        let configuration = &mut answer["Configuration"];
        // Switched on behind its back: no version has it yet.
        if configuration["Version"] == "$LATEST" {
            configuration["SnapStart"] = json!({ "ApplyOn": "PublishedVersions", "OptimizationStatus": "Off" });
            configuration["SigningJobArn"] = "arn:aws:signer:us-east-1:000000000000:/signing-jobs/x".into();
        }
    });
    let words = "set outside lamstream: SnapStart, code signing";
    let (code, text) = run(&bench, &proxy, &["status"]);
    assert!(code == Some(0) && text.contains(words), "{text}");
    let (code, text) = run(&bench, &proxy, &["plan", &package()]);
    assert!(code == Some(0) && text.contains("no changes\nchat: set outside lamstream: SnapStart"), "{text}");
    for command in [&["status"][..], &["plan", &package()]] {
        let (_, text) = run(&bench, &proxy, &[command, &["--output", "json"]].concat());
        assert!(text.contains("\"set_outside\":[\"SnapStart\",\"code signing\"]"), "{text}");
    }
    bench.write("deploy.toml", &format!("{CHAT}memory = 256\n"));
    // The next version would not have SnapStart: tests/cli/snap_start.rs.
    proxy.rewrite(GET_FUNCTION, |answer| {
        if answer["Configuration"]["Version"] == "$LATEST" {
            answer["Configuration"]["SigningJobArn"] = "arn:aws:signer:us-east-1:000000000000:/signing-jobs/x".into();
        }
    });
    let (code, text) = run(&bench, &proxy, &["deploy", "--yes", &package()]);
    let note = text.find("the new version keeps settings made outside lamstream: code signing").expect("a note");
    assert!(code == Some(0) && Some(note) < text.find("Published").or(text.find("Updated")), "{text}");
}

#[test]
fn status_reads_what_takes_calls_of_its_own() {
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let keys = Keys::of(&bench);
    keys.put("/2024-08-31/functions/shop-chat/recursion-config", &json!({ "RecursiveLoop": "Allow" }));
    let runtime = "/2021-07-20/functions/shop-chat/runtime-management-config?Qualifier=1";
    keys.put(runtime, &json!({ "UpdateRuntimeOn": "FunctionUpdate" }));
    let events = "/2019-09-25/functions/shop-chat/event-invoke-config?Qualifier=live";
    keys.put(events, &json!({ "MaximumRetryAttempts": 0 }));
    let words = "set outside lamstream: asynchronous invocation, recursive loops, runtime updates";
    let text = bench.status(&["--local"]);
    assert!(text.contains(words), "{text}");
    // A plan makes no more calls than it needs.
    let proxy = bench.proxy();
    let (code, text) = run(&bench, &proxy, &["plan", &package()]);
    assert!(code == Some(0) && !text.contains("set outside"), "{text}");
    assert!(!proxy.take_calls().iter().any(|call| call.contains("recursion-config")));
    // Nor does a status of many functions.
    let many: String = (0..10).map(|nth| format!("[functions.f{nth}]\ncrate = \"unused\"\n")).collect();
    bench.write("deploy.toml", &format!("{CHAT}{many}"));
    let (code, _) = run(&bench, &proxy, &["status"]);
    assert_eq!(code, Some(0));
    assert!(!proxy.take_calls().iter().any(|call| call.contains("recursion-config")));
    let (_, text) = run(&bench, &proxy, &["status", "chat"]);
    assert!(text.contains(words), "{text}");
    // What cannot be read there is left out.
    let call = "GET /2024-08-31/functions/shop-chat/recursion-config".to_owned();
    proxy.set(Trap { call, occurrence: 1, fault: Fault::Answer(Answer::NotFound), lasting: Lasting::Ever });
    let (code, text) = run(&bench, &proxy, &["status", "chat"]);
    assert!(
        code == Some(0) && text.contains("set outside lamstream: asynchronous invocation, runtime updates"),
        "{text}"
    );
}

#[test]
fn whatever_widens_our_role_is_drift_and_is_removed() {
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    let keys = Keys::of(&bench);
    let role = format!("RoleName=lamstream-{}-shop-chat", keys.region);
    let call =
        |action: &str, more: &str| keys.query("iam", &format!("Action={action}&Version=2010-05-08&{role}&{more}"));
    let everything = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%2C%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22%2A%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    for (action, more, field) in [
        ("PutRolePolicy", format!("PolicyName=by-hand&PolicyDocument={everything}"), "inline_policies"),
        ("AttachRolePolicy", "PolicyArn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess".into(), "managed_policies"),
        ("UpdateAssumeRolePolicy", format!("PolicyDocument={trust}"), "trust"),
    ] {
        call(action, &more);
        for command in [&["status", "--local"][..], &["plan", "--local", &package()]] {
            let (document, _) = bench.json(command);
            let changes = &document["functions"][0]["changes"];
            assert_eq!((&changes[0]["kind"], &changes[0]["fields"]), (&json!("role"), &json!([field])), "{document:#}");
        }
        deploy(&bench, &[]);
        assert_eq!(bench.good(&["plan", "--local", &package()]), "no changes\n", "{action}");
    }
    let left = call("ListRolePolicies", "");
    assert!(!left.contains("by-hand"), "{left}");
    // One that was put there just before is no obstacle either.
    call("PutRolePolicy", &format!("PolicyName=by-hand&PolicyDocument={everything}"));
    bench.good(&["destroy", "--local", "--yes"]);
}

/// A function whose role may read buckets with names of this length.
fn reader(memory: u32, letter: &str, length: usize, count: usize) -> String {
    let statement = |nth| {
        format!("{{ actions = ['s3:GetObject'], resources = ['arn:aws:s3:::{}{nth}/*'] }}", letter.repeat(length))
    };
    let statements = (0..count).map(statement).collect::<Vec<_>>().join(", ");
    format!("app = 'shop'\n[functions.chat]\ncrate = 'unused'\nmemory = {memory}\nrole.statements = [{statements}]\n")
}

#[test]
fn a_role_between_two_releases_fits_or_is_refused_before_the_first_write() {
    let bench = Bench::new(&reader(128, "a", 8, 60));
    deploy(&bench, &[]);
    bench.write("deploy.toml", &reader(256, "b", 8, 60));
    deploy(&bench, &[]);
    assert_eq!(bench.good(&["plan", "--local", &package()]), "no changes\n");
    bench.write("deploy.toml", &reader(256, "c", 55, 60));
    deploy(&bench, &[]);
    bench.write("deploy.toml", &reader(512, "d", 55, 90));
    let proxy = bench.proxy();
    for command in [&["plan", &package()][..], &["deploy", "--yes", &package()]] {
        let (code, text) = run(&bench, &proxy, command);
        assert!(code == Some(2) && text.contains("too large, while it allows") && text.contains("10240"), "{text}");
    }
    let calls = proxy.take_calls();
    let writes = Proxy::writes(&calls);
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn an_environment_of_latest_that_cannot_be_decrypted_is_not_written_over() {
    let manifest = format!("{CHAT}environment = {{ LEVEL = \"debug\" }}\n");
    let bench = Bench::new(&manifest);
    deploy(&bench, &[]);
    let proxy = bench.proxy();
    proxy.rewrite(GET_FUNCTION, |answer| {
        if answer["Configuration"]["Version"] == "$LATEST" {
            let why = "Lambda was unable to decrypt the environment variables because KMS access was denied.";
            answer["Configuration"]["Environment"] =
                json!({ "Error": { "ErrorCode": "AccessDeniedException", "Message": why } });
        }
    });
    // The live release's can be read, so that nothing is to be done.
    let (code, text) = run(&bench, &proxy, &["plan", &package()]);
    assert!(code == Some(0) && text.contains("no changes"), "{text}");
    bench.write("deploy.toml", &manifest.replace("debug", "info"));
    proxy.take_calls();
    for command in [&["plan", &package()][..], &["deploy", "--yes", &package()]] {
        let (code, text) = run(&bench, &proxy, command);
        assert!(code == Some(1) && text.contains("cannot change `chat`: the environment of version $LATEST"), "{text}");
        assert!(text.contains("hint: allow these credentials `kms:Decrypt`"), "{text}");
    }
    let calls = proxy.take_calls();
    let writes = Proxy::writes(&calls);
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn an_environment_that_cannot_be_decrypted_is_not_an_empty_one() {
    let manifest = format!("{CHAT}environment = {{ LEVEL = \"debug\" }}\n");
    let bench = Bench::new(&manifest);
    deploy(&bench, &[]);
    bench.write("deploy.toml", &manifest.replace("debug", "info"));
    deploy(&bench, &[]);
    let proxy = bench.proxy();
    proxy.rewrite(GET_FUNCTION, |answer| {
        let why = "Lambda was unable to decrypt the environment variables because KMS access was denied.";
        answer["Configuration"]["Environment"] =
            json!({ "Error": { "ErrorCode": "AccessDeniedException", "Message": why } });
    });
    let words = "the environment of version 2 cannot be decrypted with these credentials: Lambda was unable to decrypt";
    let (code, text) = run(&bench, &proxy, &["status"]);
    assert!(code == Some(0) && text.contains(words) && text.contains("kms:Decrypt"), "{text}");
    assert!(!text.contains("update release") && !text.contains("LEVEL"), "{text}");
    let (_, text) = run(&bench, &proxy, &["status", "--output", "json"]);
    assert!(text.contains("{\"field\":\"environment\"") && text.contains("\"changes\":[]"), "{text}");
    proxy.take_calls();
    for command in [&["plan", &package()][..], &["deploy", "--yes", &package()]] {
        let (code, text) = run(&bench, &proxy, command);
        assert!(code == Some(1) && text.contains(words) && text.contains("kms:Decrypt"), "{text}");
    }
    let calls = proxy.take_calls();
    let writes = Proxy::writes(&calls);
    assert!(writes.is_empty(), "{writes:?}");
    // Two versions whose environments are unknown are not the same.
    let (code, text) = run(&bench, &proxy, &["rollback", "chat", "--yes", "--no-verify"]);
    assert_eq!(code, Some(0), "{text}");
    let (document, _) = bench.json(&["status", "--local"]);
    assert_eq!(document["functions"][0]["release"]["version"], "1", "{document:#}");
    let (code, text) = run(&bench, &proxy, &["destroy", "--yes"]);
    assert_eq!(code, Some(0), "{text}");
}
