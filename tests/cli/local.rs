//! The local cloud as a thing to run: started, found, stopped, forgotten.

use crate::support::bench::{Bench, LAMSTREAM, Server, said};
use crate::{CHAT, deploy};
use std::process::Command;

#[test]
fn it_starts_once_and_stops_as_often_as_asked() {
    let bench = Bench::new(CHAT);
    assert_eq!(bench.good(&["local", "status"]), "not running\n");
    let address = bench.good(&["local", "start"]);
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    assert_eq!(bench.good(&["local", "start"]), address);
    assert_eq!(bench.good(&["local", "status"]), address);
    bench.good(&["local", "stop"]);
    bench.good(&["local", "stop"]);
    assert_eq!(bench.good(&["local", "status"]), "not running\n");
}

#[test]
fn its_environment_serves_any_aws_tool() {
    let bench = Bench::new(CHAT);
    assert_eq!(bench.run(&["local", "env"]).status.code(), Some(1), "it does not run yet");
    let address = bench.good(&["local", "start"]);
    let env = bench.good(&["local", "env"]);
    let names: Vec<&str> = env.lines().map(|line| line.split('=').next().unwrap()).collect();
    let expected = [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCOUNT_ID",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ];
    assert_eq!(names, expected.map(|name| format!("export {name}")));
    assert!(env.starts_with(&format!("export AWS_ENDPOINT_URL={address}")));

    let Some(bin) = crate::support::python::python() else { return };
    let script =
        format!("{env}\n'{}' sts get-caller-identity --query Account --output text", bin.join("aws").display());
    let output = Command::new("sh").args(["-c", &script]).env_remove("AWS_CA_BUNDLE").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "000000000000\n", "{}", said(&output));
}

#[test]
fn what_was_deployed_survives_a_restart_at_the_same_address() {
    let bench = Bench::new(CHAT);
    let url = deploy(&bench, &[]);
    bench.good(&["local", "stop"]);
    assert_eq!(bench.good(&["url", "--local"]), url);
    let get = Command::new("curl").args(["-s", url.trim()]).output().unwrap();
    assert!(String::from_utf8_lossy(&get.stdout).contains("/stream/chat"), "{}", said(&get));
    assert_eq!(bench.status(&["--local"]).lines().next(), Some("chat: deployed, version 1"));
}

#[test]
fn urls_are_open_when_a_cloud_says_that_it_runs() {
    let bench = Bench::new(CHAT);
    let url = deploy(&bench, &[]);
    bench.good(&["local", "stop"]);
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/');
    for _ in 0..5 {
        let cloud = Server::start(bench.command(&["local", "run"]).stderr(std::process::Stdio::null()));
        std::net::TcpStream::connect(address).unwrap();
        drop(cloud);
    }
}

#[test]
fn one_directory_is_served_once() {
    let bench = Bench::new(CHAT);
    let _first = Server::start(bench.command(&["local", "run", "--port", "0"]).stderr(std::process::Stdio::null()));
    let second = bench.run(&["local", "run"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another local cloud already serves"),
        "{}",
        said(&second)
    );
}

#[test]
fn reset_forgets_its_own_state_and_deletes_nothing_else() {
    let bench = Bench::new(CHAT);
    deploy(&bench, &[]);
    bench.good(&["local", "reset"]);
    assert!(!bench.data().exists());
    assert_eq!(bench.status(&["--local"]), "chat: not deployed\n");

    let precious = bench.path("precious");
    std::fs::create_dir(&precious).unwrap();
    std::fs::write(precious.join("thesis.txt"), "years").unwrap();
    let output = bench.run(&["local", "reset", "--data", precious.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(precious.join("thesis.txt").exists());
}

#[test]
fn a_daemon_killed_outright_is_replaced_and_its_state_kept() {
    let bench = Bench::new(CHAT);
    let url = deploy(&bench, &[]);
    let daemon: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.data().join("daemon.json")).unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(daemon["pid"].as_i64().unwrap() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_eq!(bench.good(&["url", "--local"]), url);
}

#[test]
fn a_daemon_of_another_build_is_replaced() {
    let bench = Bench::new(CHAT);
    let copy = bench.path("lamstream-of-another-build");
    std::fs::copy(LAMSTREAM, &copy).unwrap();
    // A copy is a build of its own: what counts is when the program was made.
    let old = std::fs::File::options().write(true).open(&copy).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1)).unwrap();
    drop(old);
    let command = bench.command(&["local", "start"]);
    let mut other = Command::new(&copy);
    other.args(command.get_args()).env_clear().current_dir(command.get_current_dir().unwrap());
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let first = String::from_utf8(other.output().unwrap().stdout).unwrap();
    assert_ne!(bench.good(&["local", "start"]), first);
}

#[test]
fn another_behaviour_is_another_daemon_and_none_asked_for_is_any() {
    let bench = Bench::new(CHAT);
    let limits = || {
        let daemon: serde_json::Value =
            serde_json::from_slice(&std::fs::read(bench.data().join("daemon.json")).unwrap()).unwrap();
        daemon["limits"].clone()
    };
    let like_aws = ["local", "start", "--like-aws", "--role-propagation", "0s", "--pending", "1s"];
    let first = bench.good(&like_aws);
    assert_eq!(limits(), serde_json::json!(["--like-aws", "--role-propagation=0ms", "--pending=1000ms"]));
    assert_eq!(bench.good(&like_aws), first);
    assert_eq!(bench.good(&["local", "start"]), first);
    bench.good(&["local", "start", "--stream-rate", "2MB", "--failing", "a", "--failing", "b"]);
    assert_eq!(limits(), serde_json::json!(["--stream-rate=2097152B", "--failing=a", "--failing=b"]));
    bench.good(&["local", "stop"]);
    bench.good(&["local", "start"]);
    assert_eq!(limits(), serde_json::json!([]));
    // So is one that knows another adapter.
    let pid = || std::fs::read_to_string(bench.data().join("daemon.json")).unwrap();
    let before = pid();
    let start = || bench.command(&["local", "start"]).env("LAMSTREAM_ADAPTER", LAMSTREAM).output().unwrap();
    assert!(start().status.success());
    let after = pid();
    assert!(before != after && after.contains(LAMSTREAM), "{after}");
    assert!(start().status.success());
    assert_eq!(pid(), after);
    // The variable is for one start only, and its path may be relative.
    bench.write("adapter", "");
    let start = || bench.command(&["local", "start"]).env("LAMSTREAM_ADAPTER", "adapter").output().unwrap();
    assert!(start().status.success());
    let named = bench.path("adapter").display().to_string();
    assert!(pid().contains(&named), "{}", pid());
    bench.good(&["local", "start"]);
    let own = if cfg!(target_os = "linux") { "/proc/self/exe" } else { LAMSTREAM };
    assert!(!pid().contains(&named) && pid().contains(own), "{}", pid());
    for wrong in [["--pending", "2"], ["--pending", "s"], ["--stream-size", "0MB"], ["--api-rate", "0"]] {
        let output = bench.run(&[&["local", "start"], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    }
}

#[test]
fn an_adapter_is_installed_only_if_it_is_a_program_and_can_be_removed() {
    let bench = Bench::new(CHAT);
    let cache = bench.path("cache");
    let run = |arguments: &[&str]| bench.command(arguments).env("LAMSTREAM_CACHE_DIR", &cache).output().unwrap();
    let refused = run(&["local", "adapter", "install", "--from", "deploy.toml"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("executable"), "{}", said(&refused));
    let refused = run(&["local", "adapter", "install", "--from", "deploy.toml", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((&document["path"], &document["ok"]), (&serde_json::Value::Null, &false.into()));
    assert!(document.as_object().unwrap().contains_key("path"));
    let mut foreign = std::fs::read(LAMSTREAM).unwrap();
    foreign[18] = if foreign[18] == 62 { 183 } else { 62 };
    std::fs::write(bench.path("foreign"), foreign).unwrap();
    let refused = run(&["local", "adapter", "install", "--from", "foreign"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("but this machine is"), "{}", said(&refused));
    let taken = run(&["local", "adapter", "install", "--from", LAMSTREAM]);
    let path = String::from_utf8_lossy(&taken.stdout).trim().to_owned();
    assert!(path.starts_with(cache.to_str().unwrap()) && path.ends_with("/adapter/lambda-adapter"), "{}", said(&taken));
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(LAMSTREAM).unwrap());
    for told in ["removed the installed adapter", "no adapter is installed"] {
        let removed = run(&["local", "adapter", "remove"]);
        assert!(removed.status.success() && removed.stdout.is_empty(), "{}", said(&removed));
        assert!(String::from_utf8_lossy(&removed.stderr).contains(told), "{}", said(&removed));
        assert!(!std::path::Path::new(&path).exists());
    }
}

#[test]
fn a_layer_is_kept_under_its_arn() {
    let bench = Bench::new(CHAT);
    let cache = bench.path("cache");
    let zip = crate::support::bench::function_zip();
    let run = |zip: &std::path::Path| {
        let mut command = bench.command(&["local", "layer", "add"]);
        command.arg("arn:aws:lambda:eu-central-1:123456789012:layer:certificates:3").arg(zip);
        command.env("LAMSTREAM_CACHE_DIR", &cache).output().unwrap()
    };
    let refused = run(&bench.path("deploy.toml"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is not a zip file"), "{}", said(&refused));
    let kept = run(zip);
    let path = String::from_utf8_lossy(&kept.stdout).trim().to_owned();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(zip).unwrap(), "{}", said(&kept));
}

/// What Lambda and its download say, in two answers.
fn layers_of_aws(zip: &'static [u8], sha256: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
    let address = format!("http://{}", listener.local_addr().expect("its address"));
    let here = address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let content = format!("{{\"Location\":\"{here}/zip\",\"CodeSha256\":\"{sha256}\",\"CodeSize\":5}}");
            let layer = format!("{{\"Content\":{content},\"Version\":3}}");
            stream.and_then(|stream| answer(stream, zip, layer.as_bytes())).expect("an answer");
        }
    });
    address
}

fn answer(mut stream: std::net::TcpStream, zip: &[u8], layer: &[u8]) -> std::io::Result<()> {
    use std::io::{BufRead, BufReader, Write};
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let body = if first.starts_with("GET /zip ") { zip } else { layer };
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(body)
}

#[test]
fn a_layer_is_fetched_once_and_only_if_it_is_what_lambda_says() {
    const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:layer:certificates:3";
    let bench = Bench::new(CHAT);
    let fetch = |address: &str, cache: &str| {
        let mut command = bench.command(&["local", "layer", "add", ARN]);
        command.env("LAMSTREAM_CACHE_DIR", bench.path(cache)).env("AWS_ENDPOINT_URL", address);
        command.envs([("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")]).output().unwrap()
    };
    // Base64 of the SHA-256 of `PK\x03\x04!`.
    let right = layers_of_aws(b"PK\x03\x04!", "9szmwnGWR5oVSPuR5D0lzApEviCVABPdSXsmRdLCbOY=");
    let fetched = fetch(&right, "cache");
    assert!(fetched.status.success(), "{}", said(&fetched));
    let path = String::from_utf8_lossy(&fetched.stdout).trim().to_owned();
    assert_eq!(std::fs::read(&path).unwrap(), b"PK\x03\x04!");
    // Nothing is running any more that could be asked.
    let again = fetch(&right, "cache");
    assert_eq!(String::from_utf8_lossy(&again.stdout).trim(), path, "{}", said(&again));
    let other = fetch(&layers_of_aws(b"PK\x03\x04?", "9szmwnGWR5oVSPuR5D0lzApEviCVABPdSXsmRdLCbOY="), "other");
    assert_eq!(other.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&other.stderr).contains("does not match the digest that Lambda reports"),
        "{}",
        said(&other)
    );
}

/// CI systems set variables that have no value to the empty string.
#[test]
fn a_variable_that_is_empty_is_not_set() {
    const NAMES: [&str; 5] = [
        "LAMSTREAM_LOCAL_DIR",
        "LAMSTREAM_STAGE",
        "LAMSTREAM_CACHE_DIR",
        "LAMSTREAM_ADAPTER",
        "LAMSTREAM_ATTEMPT_TIMEOUT",
    ];
    let bench = Bench::new(CHAT);
    let run = |arguments: &[&str]| bench.command(arguments).envs(NAMES.map(|name| (name, ""))).output().unwrap();
    for arguments in [&["status", "--local"][..], &["local", "start"], &["local", "status"], &["local", "stop"]] {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    }
    assert!(bench.path("home/.local/state/lamstream/local/daemon.log").exists() && !bench.data().exists());
}

#[test]
fn a_local_cloud_that_ends_at_once_says_why() {
    let bench = Bench::new(CHAT);
    bench.good(&["local", "start"]);
    bench.good(&["local", "stop"]);
    // What an earlier one wrote is not why this one ended.
    bench.write("cloud/daemon.log", "error: an old one\n");
    bench.write("cloud/daemon.error", "an old one");
    // A file is where a directory should be.
    std::fs::remove_dir_all(bench.path("cloud/code")).unwrap();
    bench.write("cloud/code", "");
    for arguments in [&["local", "start"][..], &["status", "--local"]] {
        let output = bench.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains("the local cloud exited at once: cannot create `") && told.contains("cloud/code`"),
            "{told}"
        );
        assert!(told.contains("cloud/daemon.log`") && !told.contains("an old one"), "{told}");
    }
}

/// The process that serves the state only logs; the command that starts it says what to do, and where.
#[test]
fn a_state_that_cannot_be_used_is_named_with_the_command_that_deletes_it() {
    let bench = Bench::new(CHAT);
    let newer = "state.json` has format version 2, and this program supports versions up to 1";
    for (directory, options) in [("cloud", &[][..]), ("x y", &["--data", "x y"])] {
        let place = if options.is_empty() { "" } else { " --data 'x y'" };
        for (state, message, advice) in [
            ("no json", "state.json` is damaged: expected", "run"),
            (r#"{"version":2,"accounts":{}}"#, newer, "update lamstream, or run"),
        ] {
            bench.good(&[&["local", "start"], options].concat());
            bench.good(&[&["local", "stop"], options].concat());
            bench.write(&format!("{directory}/state.json"), state);
            let hint =
                format!("hint: {advice} `lamstream local reset{place}`, which deletes everything in the local cloud\n");
            let commands: &[&[&str]] = match options {
                [] => {
                    &[&["local", "start"], &["status", "--local"], &["deploy", "--local", "--yes"], &["local", "run"]]
                }
                _ => &[&["local", "start", "--data", "x y"], &["local", "run", "--data", "x y"]],
            };
            for arguments in commands {
                let output = bench.run(arguments);
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
                assert!(told.contains(message) && told.contains(&hint), "{arguments:?}: {told}");
                assert!(!told.contains("exited at once"), "{arguments:?}: {told}");
            }
            // It looks at no state.
            bench.good(&[&["local", "status"], options].concat());
            let hinted = hint.split('`').nth(1).and_then(shlex::split).unwrap();
            bench.good(&hinted.iter().skip(1).map(String::as_str).collect::<Vec<_>>());
        }
    }
}
