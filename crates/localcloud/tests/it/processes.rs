//! No process outlives the cloud, and no function sees anything of the cloud.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Bench, example, is_alive, wait_until};

/// A cloud in a process of its own, which ends with the test.
pub(crate) struct Cloud(pub Child);

impl Drop for Cloud {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn start(data: &TempDir) -> (Cloud, String) {
    let mut serve = Command::new(example("serve"));
    serve.arg(data.path());
    start_as(serve)
}

/// The same, but directory modes apply to it, as they do to every user except root. `None`, with a note, if root cannot
/// give up its rights.
pub(crate) fn start_unprivileged(data: &TempDir) -> Option<(Cloud, String)> {
    if !rustix::process::geteuid().is_root() {
        return Some(start(data));
    }
    let mut setpriv = Command::new("setpriv");
    setpriv.arg("--bounding-set=-dac_override,-dac_read_search");
    if !setpriv.arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: root, and no setpriv to give up its rights");
        return None;
    }
    let mut setpriv = Command::new("setpriv");
    setpriv.arg("--bounding-set=-dac_override,-dac_read_search").arg(example("serve")).arg(data.path());
    Some(start_as(setpriv))
}

/// Starts the example `serve`, or what runs it, with all of its arguments.
pub(crate) fn start_as(mut program: Command) -> (Cloud, String) {
    let mut child = program
        .env("USERS_OWN_SECRET", "do not show")
        .env("AWS_PROFILE", "production")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut address = String::new();
    output.read_line(&mut address).unwrap();
    // The second line is read, too, so that printing it never fails.
    output.read_line(&mut String::new()).unwrap();
    (Cloud(child), address.trim().to_owned())
}

pub(crate) fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// A client on a cloud in a process of its own, with the function in it.
async fn with_function(address: &str, data: TempDir) -> Bench {
    let bench = Bench::attach(address, data).await;
    // This cloud has the default delays.
    let made = async {
        bench.role().await;
        bench.function_patiently().await;
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), made).await.unwrap();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_cloud_takes_its_processes_along() {
    let data = tempfile::tempdir().unwrap();
    let (mut cloud, address) = start(&data);
    let bench = with_function(&address, data).await;
    let seen = bench.invoked("$LATEST", json!({"path": "/child"})).await;
    let (pid, child) = (seen["pid"].as_u64().unwrap(), seen["child"].as_u64().unwrap());
    assert!(is_alive(pid) && is_alive(child));
    kill(cloud.0.id(), "-KILL");
    cloud.0.wait().unwrap();
    wait_until("the function's process is gone", || !is_alive(pid)).await;
    // So has everything that the kernel's signals did not reach, before another cloud starts.
    wait_until("its child is gone", || !is_alive(child)).await;
}

/// The function, and two children that have left it: one its group, the other everything.
async fn with_children_that_left(bench: &Bench, qualifier: &str, then: &str) -> [u64; 3] {
    let seen = bench.invoked(qualifier, json!({"path": "/left", "then": then})).await;
    ["pid", "own", "far"].map(|name| seen[name].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_left_their_group_end_with_a_cloud_that_ends() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let all = with_children_that_left(&bench, "live", "").await;
    assert!(all.into_iter().all(is_alive));
    bench.stop().await;
    assert!(!all.into_iter().any(is_alive));
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_left_their_group_end_with_a_cloud_that_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let (mut cloud, address) = start(&data);
    let bench = with_function(&address, data).await;
    let all = with_children_that_left(&bench, "$LATEST", "").await;
    assert!(all.into_iter().all(is_alive));
    kill(cloud.0.id(), "-KILL");
    cloud.0.wait().unwrap();
    wait_until("all are gone", || !all.into_iter().any(is_alive)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_left_their_group_end_when_the_next_cloud_comes_at_the_latest() {
    // `setsid` and `/proc` are of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (mut cloud, address) = start(&data);
    let bench = with_function(&address, data).await;
    let [_, own, far] = with_children_that_left(&bench, "$LATEST", "").await;
    // The guardian is killed, too.
    let all =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let run = std::fs::read_to_string(bench.data.path().join("processes")).unwrap();
    for guardian in all.filter(|pid: &u32| {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.contains("localcloud-guardian") && line.contains(run.trim())
    }) {
        kill(guardian, "-KILL");
    }
    kill(cloud.0.id(), "-KILL");
    cloud.0.wait().unwrap();
    assert!(is_alive(own) && is_alive(far));
    let (mut next, _) = start(&bench.data);
    wait_until("both are gone", || !is_alive(own) && !is_alive(far)).await;
    kill(next.0.id(), "-TERM");
    assert!(next.0.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_left_their_group_end_with_their_instance_and_no_other() {
    // `setsid` and `/proc` are of Linux.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let stays = with_children_that_left(&bench, "live", "").await;
    // One instance crashes, another one is replaced.
    let crashed = with_children_that_left(&bench, "$LATEST", "exit").await;
    wait_until("the crashed one's are gone", || !crashed.into_iter().any(is_alive)).await;
    let unwanted = with_children_that_left(&bench, "$LATEST", "").await;
    let change = json!({"Environment": {"Variables": {"NEW": "1"}}});
    bench.done(reqwest::Method::PUT, "/2015-03-31/functions/f/configuration", change).await;
    wait_until("the unwanted one's are gone", || !unwanted.into_iter().any(is_alive)).await;
    assert!(stays.into_iter().all(is_alive));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_cloud_leaves_nothing_running() {
    let bench = Bench::start().await;
    bench.function(json!({})).await;
    let seen = bench.invoked("live", json!({"path": "/child"})).await;
    let (pid, child) = (seen["pid"].as_u64().unwrap(), seen["child"].as_u64().unwrap());
    assert!(is_alive(pid) && is_alive(child));
    bench.stop().await;
    assert!(!is_alive(pid));
    wait_until("its child is gone", || !is_alive(child)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_sees_its_own_environment_alone() {
    let data = tempfile::tempdir().unwrap();
    let (mut cloud, address) = start(&data);
    let bench = with_function(&address, data).await;
    let seen = bench.invoked("$LATEST", json!({"path": "/environment"})).await;
    assert_eq!(seen["OWN"], "yes");
    let text = seen.to_string();
    assert!(!text.contains("do not show") && !text.contains("AWS_PROFILE"), "{text}");
    assert!(!text.contains(&bench.credentials.secret_access_key) && !text.contains(&bench.credentials.access_key_id));
    let mut names: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    names.retain(|name| !name.starts_with("AWS_") && !["OWN", "cwd", "LC_CTYPE"].contains(name));
    let wanted = [
        "HOME",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "LD_LIBRARY_PATH",
        "PATH",
        "TMPDIR",
        "TZ",
        "_HANDLER",
    ];
    assert_eq!(names, wanted);
    assert_eq!(seen["cwd"], seen["LAMBDA_TASK_ROOT"]);
    kill(cloud.0.id(), "-TERM");
    assert!(cloud.0.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_has_one_cloud() {
    let bench = Bench::start().await;
    bench.role().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let second = localcloud::serve(listener, localcloud::Options::new(bench.data.path()), std::future::ready(())).await;
    let error = format!("{:#}", second.unwrap_err());
    assert!(error.contains("another local cloud already serves"), "{error}");
}
