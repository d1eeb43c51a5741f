//! A machine whose clock is wrong: what it signs is signed by AWS's time, and no good release suffers.

use crate::support::bench::{Bench, moody_zip, said};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What the linker of every Rust toolchain can make of tests/fixtures/clock.c.
pub(crate) fn wrong_clock() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("clock-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clock.c");
        let mut cc = Command::new("cc");
        let output =
            cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").output().expect("cc runs");
        assert!(output.status.success(), "{}", said(&output));
        library
    })
}

fn write(bench: &Bench, release: &str) {
    bench.write(
        "deploy.toml",
        &format!(
            "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\ntimeout = 2\nurl = {{ auth = \"aws-iam\" }}\n\
             environment = {{ RELEASE = \"{release}\", KEY = {{ ssm = \"/shop/key\" }} }}\ncheck = {{ streams = true }}\n"
        ),
    );
}

#[test]
fn a_clock_that_is_off_is_corrected_and_named() {
    let bench = Bench::new("");
    let keys = crate::support::aws::Keys::of(&bench);
    let put = serde_json::json!({ "Name": "/shop/key", "Value": "a value", "Type": "SecureString" });
    keys.json("AmazonSSM.PutParameter", &put);
    for (nth, (ahead, words)) in
        [("1200", "min ahead"), ("-600", "min behind"), ("172800", "48 h ahead")].iter().enumerate()
    {
        write(&bench, &format!("number {nth}"));
        let proxy = bench.proxy();
        let package = format!("--package={}", moody_zip().display());
        let mut command = bench.through(&proxy, &["deploy", "--yes", &package]);
        command.env("LD_PRELOAD", wrong_clock()).env("CLOCK_AHEAD", ahead);
        let output = command.output().expect("lamstream runs");
        assert!(output.status.success(), "{}", said(&output));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("this machine's clock is ") && errors.contains(words), "{errors}");
        assert!(errors.contains("Verified the URL of chat"), "{errors}");
    }
}

/// The log is read from a time that AWS's clock decides.
#[test]
fn the_log_is_there_whatever_the_clock_says() {
    let bench = Bench::new(
        "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\nurl = { auth = \"none\" }\n\
         environment = { RELEASE = \"one\" }\n",
    );
    bench.good(&["deploy", "--local", "--yes", &format!("--package={}", moody_zip().display())]);
    let proxy = bench.proxy();
    let read = |ahead: &str, since: &str| {
        let mut command = bench.through(&proxy, &["logs", "chat", "--since", since]);
        let output = command.env("LD_PRELOAD", wrong_clock()).env("CLOCK_AHEAD", ahead).output();
        let output = output.expect("lamstream runs");
        assert!(output.status.success(), "{}", said(&output));
        let named = String::from_utf8_lossy(&output.stderr).contains("this machine's clock is ");
        (String::from_utf8_lossy(&output.stdout).lines().count(), named)
    };
    let (lines, named) = read("0", "10m");
    assert!(lines > 0 && !named);
    assert_eq!(read("1200", "10m"), (lines, true));
    assert_eq!(read("-1200", "10m"), (lines, true));
    assert_eq!(read("-1200", "0s"), (0, true), "not from twenty minutes ago");
}
