//! Packages that are too large for a call go to S3 in parts.

use crate::support::bench::{Bench, said};
use crate::support::fault::{Fault, Lasting, Trap};
use crate::support::proxy::Proxy;
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::process::{Child, Output, Stdio};

const MB: usize = 1024 * 1024;
/// As in `aws/multipart.rs`.
const PART: usize = 8 * MB;
const PARTS: usize = 7;

fn bench() -> Bench {
    Bench::new(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 5\nurl = { auth = \"none\" }\n\
         environment = { RELEASE = \"one\", MOOD = \"good\" }\ncheck = { streams = true }\n",
    )
}

/// A package of so many bytes, and a little more.
fn package(bench: &Bench, bytes: usize) -> String {
    let path = bench.path("large.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&path).expect("the zip is made"));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    let stored = options.compression_method(zip::CompressionMethod::Stored);
    writer.start_file("bootstrap", stored).expect("the zip is written");
    writer.write_all(include_bytes!("../fixtures/moody.py")).expect("the zip is written");
    writer.start_file("data", stored).expect("the zip is written");
    for _ in 0..bytes / MB {
        writer.write_all(&vec![b'x'; MB]).expect("the zip is written");
    }
    writer.finish().expect("the zip is written");
    format!("--package={}", path.display())
}

fn start(bench: &Bench, proxy: &Proxy, package: &str) -> Child {
    let mut command = bench.through(proxy, &["deploy", "--yes", package]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lamstream runs")
}

fn ended(child: Child) -> Output {
    child.wait_with_output().expect("it ends")
}

/// The numbers of the parts that arrived whole.
fn parts(calls: &[String]) -> Vec<usize> {
    let number = |call: &String| call.split_once("?partNumber=")?.1.split('&').next()?.parse().ok();
    let mut parts: Vec<usize> = calls.iter().filter_map(number).collect();
    parts.sort_unstable();
    parts
}

/// The files of objects and parts in the local cloud's buckets.
fn stored(bench: &Bench) -> usize {
    std::fs::read_dir(bench.data().join("s3")).map_or(0, Iterator::count)
}

#[test]
fn a_connection_that_is_lost_in_the_middle_of_a_part_costs_only_that_part() {
    let bench = bench();
    let (package, proxy) = (package(&bench, 7 * PART - MB), bench.proxy());
    proxy.cut("PUT *partNumber=2&*", 3 * MB);
    let output = ended(start(&bench, &proxy, &package));
    assert!(output.status.success() && proxy.has_cut(), "{}", said(&output));
    assert!(said(&output).contains("Uploaded the package of chat (57 MB)"), "{}", said(&output));
    assert_eq!(parts(&proxy.take_calls()), (1..=PARTS).collect::<Vec<_>>());
    assert_eq!(stored(&bench), 0);
}

#[test]
fn a_run_that_was_killed_is_continued_by_the_next_one() {
    let bench = bench();
    let (package, proxy) = (package(&bench, 7 * PART - MB), bench.proxy());
    let call = "PUT *partNumber=3&*".to_owned();
    proxy.set(Trap { call, occurrence: 1, fault: Fault::KillAfter, lasting: Lasting::Once });
    let child = start(&bench, &proxy, &package);
    proxy.aim(child.id());
    assert!(!ended(child).status.success() && proxy.sprung());
    proxy.take_calls();
    let output = ended(start(&bench, &proxy, &package));
    assert!(output.status.success(), "{}", said(&output));
    let again = parts(&proxy.take_calls());
    assert!(!again.contains(&3) && again.contains(&PARTS) && again.len() < PARTS, "{again:?}");
    assert_eq!(stored(&bench), 0);
}

#[test]
fn what_a_killed_run_left_is_removed_by_destroy_and_of_another_package_not_used() {
    let bench = bench();
    let (first, proxy) = (package(&bench, 7 * PART - MB), bench.proxy());
    let call = "PUT *partNumber=1&*".to_owned();
    proxy.set(Trap { call, occurrence: 1, fault: Fault::KillAfter, lasting: Lasting::Once });
    let child = start(&bench, &proxy, &first);
    proxy.aim(child.id());
    assert!(!ended(child).status.success() && proxy.sprung());
    assert_ne!(stored(&bench), 0);
    // The first part has another length in its header.
    let other = package(&bench, 7 * PART - 2 * MB);
    proxy.take_calls();
    let output = ended(start(&bench, &proxy, &other));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(parts(&proxy.take_calls()), (1..=PARTS).collect::<Vec<_>>());
    let destroyed = bench.through(&proxy, &["destroy", "--yes"]).output().expect("lamstream runs");
    assert!(destroyed.status.success(), "{}", said(&destroyed));
    let calls = proxy.take_calls();
    assert!(calls.iter().any(|call| call.starts_with("DELETE ") && call.contains("?uploadId=")), "{calls:?}");
    assert_eq!(stored(&bench), 0);
}

#[test]
fn an_interrupted_upload_leaves_nothing_behind() {
    let bench = bench();
    let (package, proxy) = (package(&bench, 7 * PART - MB), bench.proxy());
    proxy.hold("PUT *partNumber=5&*");
    let child = start(&bench, &proxy, &package);
    proxy.wait_for("PUT *partNumber=5&*");
    kill_process(Pid::from_raw(child.id() as i32).expect("a pid"), Signal::INT).expect("it is signalled");
    proxy.wait_for("DELETE *uploadId=*");
    proxy.let_go();
    let output = ended(child);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert_eq!(stored(&bench), 0);
    let bucket = |name: &str| proxy.take_calls().iter().any(|call| call.starts_with(name));
    assert!(bucket("DELETE /lamstream-"), "{}", said(&output));
}

#[test]
fn an_upload_needs_little_memory_besides_its_package() {
    // The memory is what `/proc` shows.
    if !cfg!(target_os = "linux") {
        return;
    }
    let bench = bench();
    let (package, proxy) = (package(&bench, 200 * MB), bench.proxy());
    proxy.hold("POST *?uploadId=*");
    let child = start(&bench, &proxy, &package);
    proxy.wait_for("POST *?uploadId=*");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    proxy.let_go();
    let output = ended(child);
    assert!(output.status.success(), "{}", said(&output));
    assert!(peak / 1024 < 200 + 80, "{} MB at most, for a package of 200 MB", peak / 1024);
}
