//! A reader that leaves: the function's own bootstrap against a runtime API that hangs up in the middle of the answer.

use crate::support::bench::function_zip;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Reads until `sign` has come.
fn read_until(stream: &mut TcpStream, sign: &str) {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !read.windows(sign.len()).any(|window| window == sign.as_bytes()) {
        let count = stream.read(&mut buffer).expect("the function goes on");
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn a_reader_that_leaves_ends_the_stream() {
    let directory = tempfile::tempdir().unwrap();
    let bootstrap = directory.path().join("bootstrap");
    let mut zip = zip::ZipArchive::new(std::fs::File::open(function_zip()).unwrap()).unwrap();
    std::io::copy(&mut zip.by_name("bootstrap").unwrap(), &mut std::fs::File::create(&bootstrap).unwrap()).unwrap();
    std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();

    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut function = Command::new(&bootstrap)
        .env("AWS_LAMBDA_RUNTIME_API", api.local_addr().unwrap().to_string())
        .envs([("AWS_LAMBDA_FUNCTION_NAME", "chat"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = api.accept().unwrap();
    read_until(&mut stream, "/invocation/next");
    let event = r#"{"rawPath":"/stream/chat","rawQueryString":"query=x","requestContext":{"http":{"method":"POST"}}}"#;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 1\r\nlambda-runtime-deadline-ms: 9999999999999\r\n\
         content-length: {}\r\n\r\n{event}",
        event.len()
    )
    .unwrap();
    read_until(&mut stream, "[START]");
    drop(stream);

    // The whole text would take more than 6 s. The function asks for its next request, or its process ends, at once.
    let left = Instant::now();
    api.set_nonblocking(true).unwrap();
    while api.accept().is_err() && function.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let elapsed = left.elapsed();
    let _ = function.kill();
    let _ = function.wait();
    assert!(elapsed < Duration::from_secs(5), "it went on for {elapsed:?}");
}
