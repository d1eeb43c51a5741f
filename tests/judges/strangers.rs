//! Other people's deployers, emulators and runtime clients.

use crate::cloud::{Cloud, good, judges};
use crate::deployed::{bootstrap_in, deploy, lambda, zipped};
use crate::support::python::{done, found, tools};
use aws_sdk_lambda::primitives::Blob;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const REQUIREMENTS: &str = include_str!("requirements.txt");
const RUNTIME_CLIENT: &str = "aws-lambda-ric@3.3.0";
const ROOT: &str = r#"{"version":"2.0","rawPath":"/","rawQueryString":"","requestContext":{"http":{"method":"GET"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn cargo_lambda_deploys_and_the_url_answers() {
    let Some(bin) = tools("judges", REQUIREMENTS) else { return };
    // It tries the role that it makes with AssumeRole until that works, and only then makes the function.
    let cloud = Cloud::start(|options| options.role_propagation = Duration::from_secs(1));
    let home = tempfile::tempdir().expect("a directory");
    // It reads a manifest for its settings, whatever it deploys.
    let manifest = "[package]\nname = \"judge\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(home.path().join("Cargo.toml"), manifest).expect("a manifest");
    std::fs::create_dir(home.path().join("src")).expect("a directory");
    std::fs::write(home.path().join("src/main.rs"), "fn main() {}\n").expect("a crate");
    let bootstrap = bootstrap_in(home.path());
    let mut deploy = cloud.foreign(bin.join("cargo-lambda"));
    let cargo = Path::new(env!("CARGO")).parent().expect("cargo's directory");
    let path =
        std::env::join_paths([cargo.to_owned()].into_iter().chain(std::env::split_paths(&path()))).expect("a PATH");
    deploy.env("PATH", path).env("CARGO", env!("CARGO")).current_dir(home.path());
    deploy.args(["lambda", "deploy", "--enable-function-url", "--binary-path"]).arg(bootstrap).arg("judge");
    for again in [false, true] {
        let said = good(&mut deploy);
        println!("cargo lambda deploy, again: {again}: {}", said.lines().last().unwrap_or_default());
    }
    let lambda = lambda(&cloud);
    let url = lambda.get_function_url_config().function_name("judge").send().await.expect("a URL");
    let policy = lambda.get_policy().function_name("judge").send().await.expect("a policy").policy.expect("a document");
    println!("{:?} {policy}", url.invoke_mode());
    let answer = reqwest::get(&url.function_url).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.expect("text").contains("/stream/chat"));
}

/// Starts the script next to it, because cargo-lambda only accepts an ELF file.
const LAUNCHER: &str = "use std::os::unix::process::CommandExt;\n\
    fn main() {\n\
    \x20   let root = std::env::var(\"LAMBDA_TASK_ROOT\").unwrap();\n\
    \x20   panic!(\"{}\", std::process::Command::new(root + \"/moody.py\").exec());\n\
    }\n";

/// docs/verification.md, "Who notices".
#[tokio::test(flavor = "multi_thread")]
async fn cargo_lambda_notices_no_broken_function() {
    let Some(bin) = tools("judges", REQUIREMENTS) else { return };
    let cloud = Cloud::start(|_| {});
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join("src")).expect("a directory");
    for (name, text) in [
        ("Cargo.toml", "[package]\nname = \"judge\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        ("src/main.rs", LAUNCHER),
        ("moody.py", include_str!("../fixtures/moody.py")),
    ] {
        std::fs::write(home.path().join(name), text).expect("a file");
    }
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(home.path().join("moody.py"), executable).expect("its mode");
    let cargo = Path::new(env!("CARGO")).parent().expect("cargo's directory");
    let known = path();
    let with_cargo = [cargo.to_owned()].into_iter().chain(std::env::split_paths(&known));
    let with_cargo = std::env::join_paths(with_cargo).expect("a PATH");
    let mut rustc = Command::new(cargo.join("rustc"));
    rustc.args(["-o", "bootstrap", "src/main.rs"]).current_dir(home.path()).env("PATH", &with_cargo);
    done(&mut rustc).expect("the launcher");
    for (mood, status) in
        [("no start", 502), ("crash", 502), ("broken", 500), ("json", 200), ("at once", 200), ("cut", 502)]
    {
        let mut deploy = cloud.foreign(bin.join("cargo-lambda"));
        deploy.env("PATH", &with_cargo).env("CARGO", env!("CARGO")).current_dir(home.path());
        deploy.args(["lambda", "deploy", "--enable-function-url", "--include", "moody.py"]);
        deploy.args(["--env-var", &format!("MOOD={mood}"), "--binary-path", "bootstrap", "judge"]);
        // It exits with 0.
        good(&mut deploy);
        let url = lambda(&cloud).get_function_url_config().function_name("judge").send().await.expect("a URL");
        let answer = reqwest::get(&url.function_url).await.expect("an answer");
        assert_eq!(answer.status(), status, "{mood}");
    }
}

fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").expect("a PATH")
}

/// A process that ends with its test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An unused loopback address.
fn address() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn awss_own_emulator_and_the_local_cloud_give_the_same_bytes() {
    let Some(bin) = tools("judges", REQUIREMENTS) else { return };
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let library =
        good(Command::new(bin.join("python")).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]));
    let emulator = PathBuf::from(library.trim()).join(format!("samcli/local/rapid/aws-lambda-rie-{machine}"));
    let home = tempfile::tempdir().expect("a directory");
    // A wheel's files are not to be executed.
    let runnable = home.path().join("emulator");
    std::fs::copy(emulator, &runnable).expect("the emulator");
    std::fs::set_permissions(&runnable, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("its mode");
    let bootstrap = bootstrap_in(home.path());
    let (front, api) = (address(), address());
    let mut command = Command::new(runnable);
    command.args(["--runtime-interface-emulator-address", &front, "--runtime-api-address", &api]).arg(bootstrap);
    let _emulator =
        Ends(command.current_dir(home.path()).stderr(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts"));
    let ask = format!("http://{front}/2015-03-31/functions/function/invocations");
    let client = reqwest::Client::new();
    let since = Instant::now();
    let answer = loop {
        match client.post(&ask).body(ROOT).send().await {
            Ok(answer) => break answer,
            // It says nothing when it has begun to listen.
            Err(error) if error.is_connect() => assert!(since.elapsed() < Duration::from_secs(20), "it never listens"),
            Err(error) => panic!("{error}"),
        }
    };
    let theirs = answer.bytes().await.expect("bytes");

    let cloud = Cloud::start(|_| {});
    let zip = std::fs::read(crate::support::bench::function_zip()).expect("the package");
    deploy(&cloud, "judge", zip, &[]).await;
    let ours = lambda(&cloud).invoke().function_name("judge").payload(Blob::new(ROOT)).send().await.expect("an answer");
    let ours = ours.payload.expect("a payload").into_inner();
    assert!(ours.windows(8).any(|window| window == [0; 8]), "prelude, NULs and body");
    assert_eq!(String::from_utf8_lossy(&theirs), String::from_utf8_lossy(&ours));
}

/// The first bytes of a URL's answer come while the function still waits for a file that only then is made.
async fn gated(url: &str, gate: &Path) -> String {
    let mut answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-from"], "elsewhere");
    let mut body = answer.chunk().await.expect("a body").expect("the first bytes").to_vec();
    assert_eq!(body, b"first\n");
    std::fs::write(gate, "").expect("the gate opens");
    while let Some(chunk) = answer.chunk().await.expect("the body goes on") {
        body.extend(chunk);
    }
    String::from_utf8(body).expect("utf-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_loop_with_curl_streams() {
    if found(done(Command::new("curl").arg("--version"))).is_none() {
        return;
    }
    let cloud = Cloud::start(|_| {});
    let gate = cloud.data.path().join("gate");
    let bootstrap = std::fs::read(judges().join("bootstrap.sh")).expect("the script");
    let zip = zipped([("bootstrap", bootstrap.as_slice())]);
    let url = deploy(&cloud, "shell", zip, &[("GATE", gate.to_str().expect("utf-8"))]).await;
    assert_eq!(gated(&url, &gate).await, "first\nsecond\n");
}

/// AWS's runtime client for Node, which builds a part of itself: that needs a compiler, cmake, autoconf and libtool.
fn runtime_client() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node");
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    let ready = home.join("ready");
    if std::fs::read_to_string(&ready).ok().as_deref() != Some(RUNTIME_CLIENT) {
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&home).arg(RUNTIME_CLIENT);
        done(&mut install).map_err(|reason| reason.replace('\n', " "))?;
        std::fs::write(&ready, RUNTIME_CLIENT).map_err(|error| error.to_string())?;
    }
    Ok(home.join("node_modules/aws-lambda-ric/bin/index.mjs"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_on_awss_runtime_client_for_node_streams() {
    let client = match runtime_client() {
        Ok(client) => client,
        // Also in CI: the build needs more than node, and the shell's loop streams in any case.
        Err(reason) => return println!("not tested: {RUNTIME_CLIENT} cannot be built: {reason}"),
    };
    let node = std::env::split_paths(&path()).map(|directory| directory.join("node")).find(|node| node.is_file());
    let node = node.expect("npm ran, so there is a node");
    let bootstrap = format!("#!/bin/sh\nexec {} {} index.handler\n", node.display(), client.display());
    let handler = std::fs::read(judges().join("handler.mjs")).expect("the handler");
    let zip = zipped([("bootstrap", bootstrap.as_bytes()), ("index.mjs", handler.as_slice())]);
    let cloud = Cloud::start(|_| {});
    let gate = cloud.data.path().join("gate");
    let url = deploy(&cloud, "node", zip, &[("GATE", gate.to_str().expect("utf-8"))]).await;
    assert_eq!(gated(&url, &gate).await, "first\nsecond\n");
}
