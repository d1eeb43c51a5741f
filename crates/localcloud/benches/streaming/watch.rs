//! `cargo lambda watch`, with this program as its function.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::machine::Process;
use crate::python;
use crate::support::client;

/// What is measured, as pip installs it.
const REQUIREMENTS: &str = "cargo-lambda==1.9.2\n";

/// The emulator and the function that it runs.
pub(crate) struct Watch {
    pub url: String,
    _emulator: Process,
    _function: Process,
    _home: tempfile::TempDir,
}

/// Installs it under `target/` on first use; the error says why there is none.
pub(crate) async fn start() -> Result<Watch, String> {
    let program = python::installed("cargo-lambda", REQUIREMENTS, &[])?.join("cargo-lambda");
    let version = Command::new(&program).args(["lambda", "--version"]).output();
    let version = version.map_err(|error| format!("`{}` does not run: {error}", program.display()))?;
    println!("{}", String::from_utf8_lossy(&version.stdout).trim());
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("src")).unwrap();
    std::fs::write(home.path().join("src/main.rs"), "fn main() {}").unwrap();
    std::fs::write(home.path().join("Cargo.toml"), "[package]\nname = \"streamer\"\nedition = \"2024\"\n").unwrap();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let mut emulator = Command::new(program);
    emulator.args(["lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port"]);
    emulator.arg(port.to_string()).current_dir(&home).stdout(Stdio::null()).stderr(Stdio::null());
    let emulator = Process { url: String::new(), child: emulator.spawn().unwrap() };
    let mut function = Command::new(std::env::current_exe().unwrap());
    function.env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt/streamer"));
    function.env("AWS_LAMBDA_FUNCTION_NAME", "streamer").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
    function.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128").stdout(Stdio::null()).stderr(Stdio::null());
    let url = format!("http://127.0.0.1:{port}/lambda-url/streamer/");
    let begun = Instant::now();
    // It takes a moment to listen, and a function that cannot connect gives up.
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err("it does not come up".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let function = Process { url: String::new(), child: function.spawn().unwrap() };
    let first = client().get(&url).timeout(Duration::from_secs(20)).send().await.map_err(|error| error.to_string())?;
    if !first.status().is_success() {
        return Err(format!("its URL answers {}: {}", first.status(), first.text().await.unwrap_or_default()));
    }
    Ok(Watch { url, _emulator: emulator, _function: function, _home: home })
}
