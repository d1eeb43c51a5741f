//! Commands that start, stop and delete one local cloud, all at once, and killed at any moment.
#![expect(clippy::print_stderr, reason = "figures, and a test that cannot run here says so")]

use crate::CHAT;
use crate::support::bench::{Bench, LAMSTREAM, said};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How many rounds each combination is tried.
fn rounds() -> u64 {
    std::env::var("LAMSTREAM_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// The processes that serve a directory, whether they can be found through it or not.
fn daemons(data: &Path) -> Vec<u32> {
    let data = data.display().to_string();
    let of = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let serves =
            words.windows(2).any(|pair| pair == [b"local".as_slice(), b"run"]) && words.contains(&data.as_bytes());
        serves.then_some(pid)
    };
    std::fs::read_dir("/proc").expect("processes").flatten().filter_map(of).collect()
}

fn arguments<'a>(name: &'a str, data: &'a str) -> Vec<&'a str> {
    match name {
        // It starts the cloud if need be, as `deploy --local` does.
        "status" => vec!["status", "--local"],
        name => vec!["local", name, "--data", data],
    }
}

fn spawn(bench: &Bench, name: &str) -> Child {
    let data = bench.data().display().to_string();
    let mut command = bench.command(&arguments(name, &data));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lamstream runs")
}

fn finished(child: Child, name: &str, all: &str) -> Output {
    let output = child.wait_with_output().expect("it ends");
    let text = said(&output);
    match (name, output.status.code()) {
        (_, Some(0)) => {}
        ("run", Some(1)) if text.contains("another local cloud already serves") => {}
        // What it talks to may be stopped by another one.
        ("status", Some(1)) => {}
        _ => panic!("{all}: {name}: {text}"),
    }
    output
}

/// Whatever happened: the next commands work, only one process has served, and nothing is left.
fn all_is_well(bench: &Bench, all: &str) {
    let serving = daemons(&bench.data());
    assert!(serving.len() <= 1, "{all}: {serving:?} serve at once");
    for name in ["start", "stop", "reset"] {
        finished(spawn(bench, name), name, all);
    }
    let begun = Instant::now();
    while !daemons(&bench.data()).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{all}: {:?} run on unseen", daemons(&bench.data()));
        std::thread::yield_now();
    }
    assert!(!bench.data().exists(), "{all}: {:?} is left", std::fs::read_dir(bench.data()).map(|all| all.count()));
}

/// Runs commands at once, on no directory, a stopped cloud and a running one in turn.
fn race(names: &[&str]) {
    let begun = Instant::now();
    for round in 0..rounds() {
        let bench = Bench::new(CHAT);
        let all = format!("{} (round {round})", names.join(" & "));
        let before: &[&str] = [&["start", "stop"][..], &[], &["start"]][round as usize % 3];
        for name in before {
            finished(spawn(&bench, name), name, &all);
        }
        let children: Vec<(&str, Child)> = names.iter().map(|name| (*name, spawn(&bench, name))).collect();
        let (servers, others): (Vec<_>, Vec<_>) = children.into_iter().partition(|(name, _)| *name == "run");
        for (name, child) in others {
            finished(child, name, &all);
        }
        let mut open = servers;
        // One that serves does so until it is stopped.
        while !open.is_empty() {
            finished(spawn(&bench, "stop"), "stop", &all);
            let ended;
            (ended, open) =
                open.into_iter().partition(|(_, child)| !Path::new(&format!("/proc/{}/fd/0", child.id())).exists());
            for (name, child) in ended {
                finished(child, name, &all);
            }
        }
        all_is_well(&bench, &all);
    }
    eprintln!("{}: {} rounds in {:.1?}, none failed", names.join(" & "), rounds(), begun.elapsed());
}

#[test]
fn two_commands_at_once_leave_nothing_behind() {
    // The servers are found in `/proc`.
    if !cfg!(target_os = "linux") {
        return;
    }
    for names in [
        ["start", "reset"],
        ["start", "stop"],
        ["stop", "reset"],
        ["start", "start"],
        ["reset", "reset"],
        ["stop", "stop"],
    ] {
        race(&names);
    }
}

#[test]
fn three_commands_at_once_leave_nothing_behind() {
    // The servers are found in `/proc`.
    if !cfg!(target_os = "linux") {
        return;
    }
    for names in [
        ["start", "start", "start"],
        ["start", "stop", "reset"],
        ["start", "start", "reset"],
        ["start", "reset", "reset"],
        ["start", "start", "stop"],
    ] {
        race(&names);
    }
}

#[test]
fn clouds_in_the_foreground_and_those_that_commands_start_take_turns_too() {
    // The servers are found in `/proc`.
    if !cfg!(target_os = "linux") {
        return;
    }
    for names in [
        &["run", "start"][..],
        &["run", "reset"],
        &["run", "stop"],
        &["run", "run"],
        &["run", "start", "reset"],
        &["status", "reset"],
        &["status", "stop"],
        &["status", "start", "reset"],
    ] {
        race(names);
    }
}

/// A command that is killed leaves what the next one takes for its own.
#[test]
fn a_command_that_is_killed_at_any_moment_is_no_obstacle() {
    // The servers are found in `/proc`.
    if !cfg!(target_os = "linux") {
        return;
    }
    for round in 0..rounds() * 2 {
        let bench = Bench::new(CHAT);
        let name = ["start", "reset"][round as usize % 2];
        if name == "reset" {
            finished(spawn(&bench, "start"), "start", "before a reset");
        }
        let mut child = spawn(&bench, name);
        let until = Instant::now() + Duration::from_millis(round * 37 % 150);
        while Instant::now() < until {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        let all = format!("a killed {name} (round {round})");
        finished(spawn(&bench, ["reset", "status", "start"][round as usize % 3]), "reset", &all);
        all_is_well(&bench, &all);
    }
}

#[test]
fn what_is_half_made_or_half_deleted_is_used_or_deleted() {
    // The servers are found in `/proc`.
    if !cfg!(target_os = "linux") {
        return;
    }
    let halves: [&[&str]; 5] = [
        &[".lamstream-local-cloud.lock"],
        &["daemon.lock"],
        &["daemon.lock", "lock", "code/", "logs/", "run/"],
        &[".lamstream-local-cloud.lock", "daemon.log", "code/", "s3/"],
        &[],
    ];
    for half in halves {
        for name in ["start", "reset", "stop", "status"] {
            let bench = Bench::new(CHAT);
            std::fs::create_dir(bench.data()).expect("a directory");
            for entry in half {
                let path = bench.data().join(entry);
                let made = if entry.ends_with('/') { std::fs::create_dir(path) } else { std::fs::write(path, "") };
                made.expect("an entry");
            }
            finished(spawn(&bench, name), name, &format!("{half:?}"));
            finished(spawn(&bench, "start"), "start", &format!("{half:?}, {name}"));
            all_is_well(&bench, &format!("{half:?}, {name}"));
        }
    }
    let bench = Bench::new(CHAT);
    std::fs::create_dir_all(bench.data().join("code")).expect("a foreign directory");
    std::fs::write(bench.data().join("code/main.rs"), "years").expect("a file");
    for name in ["start", "reset", "status"] {
        let output = spawn(&bench, name).wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(1), "{name}: {}", said(&output));
    }
    assert_eq!(std::fs::read_dir(bench.data()).expect("the directory").count(), 1);
}

/// A command for whom modes of directories count, as they do for everybody but root; none where root cannot give up its
/// rights.
fn unprivileged(bench: &Bench, arguments: &[&str]) -> Option<Command> {
    let command = bench.command(arguments);
    if !rustix::process::geteuid().is_root() {
        return Some(command);
    }
    let without = "--bounding-set=-dac_override,-dac_read_search";
    if !Command::new("setpriv").args([without, "true"]).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let mut wrapped = Command::new("setpriv");
    wrapped.arg(without).arg(LAMSTREAM).args(command.get_args()).env_clear();
    wrapped.current_dir(bench.directory.path()).stdin(Stdio::null());
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(wrapped)
}

#[test]
fn reset_deletes_directories_that_may_not_be_written() {
    let bench = Bench::new(CHAT);
    for name in ["start", "stop"] {
        finished(spawn(&bench, name), name, "before");
    }
    // As functions leave them in their code and in their /tmp.
    for place in ["run/x/tmp/cache", "code/0123"] {
        let nested = bench.data().join(place).join("a/b/c");
        std::fs::create_dir_all(&nested).expect("directories");
        std::fs::write(nested.join("file"), "x").expect("a file");
        for directory in nested.ancestors().take(3) {
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o555)).expect("a mode");
        }
    }
    let Some(mut reset) = unprivileged(&bench, &["local", "reset"]) else {
        eprintln!("skipped: root, and no setpriv to give up its rights");
        return;
    };
    let output = reset.output().expect("lamstream runs");
    assert!(output.status.success(), "{}", said(&output));
    assert!(!bench.data().exists());
}
