//! What is built from a crate's directory, with which profile and flags, and what is said when it cannot be.

use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::bench::{Bench, built, compile};

/// Little work for the compiler, where a test is not about the profile.
const QUICK: &str = "\n[profile.lambda]\ninherits = \"dev\"\n";

#[tokio::test]
async fn a_crate_is_built_for_lambda_in_a_directory_of_its_own() {
    let bench = Bench::of("plain");
    let binary = bench.build().await;
    let story = bench.run(&binary);
    assert!(story.contains("panic=abort true\nassertions false\ntheirs false\nplace /target/"), "{story}");
    assert!(bench.path().join("target/lamstream").is_dir());
    assert!(!bench.path().join("target/release").exists());
}

#[tokio::test]
async fn two_checkouts_give_the_same_bytes() {
    let (one, other) = (Bench::of("plain"), Bench::of("plain"));
    let (one_binary, other_binary) = (one.build().await, other.build().await);
    assert_eq!(Sha256::digest(&one_binary), Sha256::digest(&other_binary));
    let path = one.path().to_string_lossy().into_owned();
    assert!(!one_binary.windows(path.len()).any(|window| window == path.as_bytes()), "the binary remembers {path}");
}

#[tokio::test]
async fn a_member_of_a_workspace_is_built_with_the_workspaces_profile() {
    let bench = Bench::of("members");
    let binary = built(&bench.options("chat")).await.unwrap();
    assert_eq!(bench.run(&binary), "hello\nassertions true\n");
}

#[tokio::test]
async fn the_users_release_profile_is_kept_and_the_rest_filled_in() {
    let bench = Bench::of("plain");
    bench.append("Cargo.toml", "\n[profile.release]\npanic = \"unwind\"\nlto = \"off\"\ndebug-assertions = true\n");
    let story = bench.run(&bench.build().await);
    assert!(story.contains("panic=abort false\nassertions true\n"), "{story}");
}

#[tokio::test]
async fn the_users_flags_stay_in_force_in_every_form() {
    let bench = Bench::of("plain");
    bench.append("Cargo.toml", QUICK);
    for theirs in [
        "build.rustflags = ['--cfg', 'theirs']",
        "build.rustflags = '--cfg theirs'",
        "build.rustflags = ['--cfg', 'other']\ntarget.'cfg(target_os = \"linux\")'.rustflags = '--cfg theirs'",
        "build.rustflags = '--cfg theirs'\ntarget.'cfg(windows)'.rustflags = '--cfg other'",
    ] {
        let configuration = bench.path().join(".cargo/config.toml");
        std::fs::create_dir_all(configuration.parent().unwrap()).unwrap();
        std::fs::write(configuration, theirs).unwrap();
        let story = bench.run(&bench.build().await);
        assert!(story.contains("theirs true\nplace /target/"), "{theirs}: {story}");
    }
}

#[tokio::test]
async fn one_of_several_binaries_must_be_named() {
    let bench = Bench::of("several");
    let mut options = bench.options("");
    let error = built(&options).await.unwrap_err();
    assert_eq!(error.message, "cannot build `several`: it has several binaries: `one` and `two`");
    options.bin = Some("two".into());
    options.target_dir = Some(bench.path().join("elsewhere"));
    assert_eq!(bench.run(&built(&options).await.unwrap()), "two\n");
    assert!(bench.path().join("elsewhere").is_dir());
}

#[tokio::test]
async fn what_is_no_crate_with_a_binary_is_said_to_be_none() {
    let bench = Bench::of("members");
    let message = async |path: &str| built(&bench.options(path)).await.unwrap_err();
    let root = message("").await;
    assert!(root.message.ends_with("members`: it is a workspace without a root package"), "{root:?}");
    assert_eq!(root.hints, ["choose one of its packages: `chat` and `words`"]);
    let library = message("words").await;
    assert_eq!(library.message, "cannot build `words`: it is a library and has no binary to run");
    let source = message("words/src").await;
    assert!(source.message.ends_with("words/src`: the directory does not contain a `Cargo.toml`"), "{source:?}");
    let missing = message("nowhere").await;
    assert!(missing.message.ends_with("nowhere`: the directory does not exist"), "{missing:?}");
    bench.append("chat/Cargo.toml", "\nnonsense");
    let nonsense = message("chat").await;
    assert!(nonsense.message.starts_with("cannot read the crate `"), "{nonsense:?}");
    assert!(nonsense.caused_by.iter().any(|line| line.contains("nonsense")), "{nonsense:?}");
}

#[tokio::test]
async fn a_build_that_fails_names_the_package_and_cargo_has_said_why() {
    let bench = Bench::of("broken");
    let lines = Mutex::new(Vec::new());
    let on_line = |line: &str| lines.lock().unwrap().push(line.to_string());
    let error = compile(&bench.options(""), &on_line).await.unwrap_err();
    assert_eq!(error.message, "cannot build `broken`: cargo exited with status 101");
    let lines = lines.into_inner().unwrap();
    assert!(lines.iter().any(|line| line.contains("E0308")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("src/main.rs:4:")), "{lines:?}");
}

#[tokio::test]
async fn cargo_ends_when_nothing_waits_for_it_any_more() {
    let bench = Bench::of("waiting");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    bench.append("port.txt", &listener.local_addr().unwrap().port().to_string());
    let options = bench.options("");
    let mut script = {
        let building = built(&options);
        tokio::select! {
            result = building => panic!("{result:?}"),
            accepted = listener.accept() => BufReader::new(accepted.unwrap().0).lines(),
        }
    };
    assert_eq!(script.next_line().await.unwrap().unwrap(), "started");
    script.get_mut().get_mut().write_all(b"!").await.unwrap();
    assert_eq!(script.next_line().await.unwrap().unwrap(), "cargo is gone");
}
