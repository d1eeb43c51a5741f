//! Runs that must not begin, runs that end early, and what runs left behind that were killed.
//!
//! They go the way of a run on AWS, to a local cloud whose account they name.

use crate::facts::accepted;
use crate::place::{ACCOUNT, PREFIX, Place, REPORT, WITHOUT_WEB, stamp};
use crate::support::bench::{Bench, said};
use crate::support::proxy::Proxy;
use crate::sweep::{PLAIN, make_role, role_name};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};

/// Starts this test binary as a user would, with the account's number.
fn start(bench: &Bench, proxy: &Proxy, account: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "the_cloud_is_as_docs_aws_md_says", "--nocapture"]);
    command.envs(bench.variables()).env("AWS_ENDPOINT_URL", &proxy.address).env(ACCOUNT, account);
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "LAMSTREAM_LIVE_REGION"] {
        command.env_remove(name);
    }
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(name, bench.path("none"));
    }
    command.env(WITHOUT_WEB, "1").env(REPORT, bench.path("report.md"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

fn started() -> (Bench, Proxy) {
    let bench = Bench::new("");
    bench.good(&["local", "start"]);
    let proxy = bench.proxy();
    (bench, proxy)
}

#[test]
fn another_account_is_refused_before_the_first_write() {
    let (bench, proxy) = started();
    let output = start(&bench, &proxy, "123456789012").wait_with_output().expect("it ends");
    assert!(!output.status.success());
    assert!(
        said(&output).contains("but the credentials belong to `000000000000`; nothing was changed"),
        "{}",
        said(&output)
    );
    assert_eq!(proxy.take_calls(), ["GetCallerIdentity"]);
}

/// Sends the signal once the run has made a call, and expects that nothing is left of it.
fn leaves_nothing(signal: Signal, call: &str, why: &str) {
    let (bench, proxy) = started();
    let run = start(&bench, &proxy, localcloud::ACCOUNT);
    proxy.wait_for(call);
    kill_process(Pid::from_raw(run.id() as i32).expect("a pid"), signal).expect("the signal is sent");
    let output: Output = run.wait_with_output().expect("it ends");
    assert!(!output.status.success(), "an interrupted run does not succeed");
    assert!(said(&output).contains(&format!("{why}: destroying what was deployed")), "{}", said(&output));
    let report = std::fs::read_to_string(bench.path("report.md")).expect("a report");
    let done =
        |step: &str| report.lines().any(|line| line.starts_with(&format!("| {step} |")) && line.ends_with("| done |"));
    assert!(done("destroy") && done("nothing is left"), "{report}");
    let roles = crate::support::aws::Keys::of_running(&bench).query("iam", "Action=ListRoles&Version=2010-05-08");
    assert!(!roles.contains(PREFIX), "{roles}");
}

#[test]
fn an_interrupted_deploy_leaves_nothing() {
    leaves_nothing(Signal::INT, "CreateRole", "interrupted");
}

#[test]
fn a_run_that_is_terminated_during_its_checks_leaves_nothing() {
    leaves_nothing(Signal::TERM, "PutParameter", "terminated");
}

#[tokio::test]
async fn what_a_killed_run_left_is_swept_when_it_is_old() {
    let mut place = Place::local(format!("{PREFIX}{}", stamp(SystemTime::now()))).await.expect("a local cloud");
    let own = place.app.clone();
    let old = format!("{PREFIX}{}", stamp(SystemTime::now() - Duration::from_secs(3 * 60 * 60)));
    let recent = format!("{PREFIX}{}", stamp(SystemTime::now() - Duration::from_secs(60 * 60)));
    for app in [&old, &recent] {
        place.app.clone_from(app);
        make_role(&place, PLAIN).await.expect("a role");
        let put = place.iam.put_role_policy().role_name(role_name(&place, PLAIN)).policy_name("left");
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        accepted(put.policy_document(document).send().await).expect("a policy");
    }
    place.app.clone_from(&own);
    assert_eq!(place.sweep().await.expect("it is swept"), [old]);
    let left: Vec<String> = place.found().await.expect("a look").into_keys().collect();
    assert_eq!(left, [recent], "another run may still be going on");
}
