//! Variables, files and descriptors that are not as lamstream needs them: each is named, and nothing panics.

use crate::CHAT;
use crate::support::bench::{Bench, LAMSTREAM, said};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_variable_that_is_not_text_is_named() {
    let bench = Bench::new(CHAT);
    let value = OsStr::from_bytes(b"pr\xffd");
    for (name, code) in
        [("LAMSTREAM_STAGE", 2), ("AWS_PROFILE", 2), ("AWS_REGION", 2), ("LAMSTREAM_ATTEMPT_TIMEOUT", 2)]
    {
        let output = bench.command(&["url"]).env(name, value).output().unwrap();
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(code), "{name}: {told}");
        assert!(told.contains(&format!("`{name}`")) && !told.contains("one or more arguments"), "{name}: {told}");
    }
    // The option takes its place.
    let mut command = bench.command(&["url", "--stage", "prod"]);
    let told = errors(&command.env("LAMSTREAM_STAGE", value).output().unwrap());
    assert!(!told.contains("LAMSTREAM_STAGE"), "{told}");
    // An argument that is not text is another mistake.
    let told = errors(&bench.command(&["url", "--stage"]).arg(value).output().unwrap());
    assert!(told.contains("invalid UTF-8") && !told.contains("LAMSTREAM_STAGE"), "{told}");
}

#[test]
fn a_damaged_key_pair_is_named_with_what_helps() {
    let bench = Bench::new(CHAT);
    bench.good(&["local", "start"]);
    let path = bench.data().join("credentials.json");
    for text in ["", "no json", "{}", r#"{"access_key_id":"","secret_access_key":""}"#] {
        std::fs::write(&path, text).unwrap();
        for arguments in [&["status", "--local"][..], &["local", "env"]] {
            let output = bench.run(arguments);
            let told = errors(&output);
            assert_eq!(output.status.code(), Some(1), "{text}: {told}");
            assert!(told.contains("credentials.json` is damaged"), "{text}: {told}");
            assert!(told.contains("hint: run `lamstream local reset`"), "{text}: {told}");
        }
    }
    bench.good(&["local", "stop"]);
    let data = bench.data().display().to_string();
    let mut command = bench.command(&["local", "start", "--data", &data]);
    let told = errors(&command.env_remove("LAMSTREAM_LOCAL_DIR").output().unwrap());
    assert!(told.contains(&format!("run `lamstream local reset --data {data}`")), "{told}");
    bench.good(&["local", "reset"]);
    bench.good(&["local", "start"]);
}

#[test]
fn what_is_left_of_an_earlier_local_cloud_is_replaced_whatever_it_is() {
    let bench = Bench::new(CHAT);
    bench.good(&["local", "start"]);
    bench.good(&["local", "stop"]);
    for name in ["daemon.error", "daemon.json"] {
        let path = bench.data().join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir_all(path.join("deep")).unwrap();
        assert_eq!(bench.good(&["local", "status"]), "not running\n", "{name}");
        bench.good(&["local", "start"]);
        bench.good(&["local", "stop"]);
    }
    let log = bench.data().join("daemon.log");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let output = bench.run(&["local", "start"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(errors(&output).contains("daemon.log`"), "{}", said(&output));
}

/// With few descriptors, commands do what they can or say what is missing.
#[test]
fn few_file_descriptors_are_no_panic() {
    let bench = Bench::new(CHAT);
    for count in 3..16 {
        for arguments in ["status --local", "plan", "build", "local status", "url --output json"] {
            let script = format!("ulimit -n {count} && exec '{LAMSTREAM}' {arguments}");
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &script]).current_dir(bench.path("")).env_clear();
            command.env("LAMSTREAM_LOCAL_DIR", bench.data()).env("HOME", bench.path("home"));
            let output = command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().unwrap();
            let told = errors(&output);
            assert!(!told.contains("panicked") && output.status.code() != Some(101), "{count} {arguments}: {told}");
            assert!(output.status.success() || !told.is_empty(), "{count} {arguments}: {}", said(&output));
        }
    }
}
