//! The story of a deploy, called more than once in one process, with somebody else listening.

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use lamstream::apply::Event;
use lamstream::cli::{self, Command, Output};
use lamstream::commands::{Session, Stop, deploy};
use lamstream::failure::{Failure, Kind};
use lamstream::report::{Answer, Console, FunctionAnswer, Line, Reporter};
use std::ffi::OsString;
use std::process;
use std::sync::{Arc, Mutex};

/// Names the package to deploy, in the process that deploys it.
const PACKAGE: &str = "LAMSTREAM_TEST_PACKAGE";

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Event>>>);

impl Reporter for Collected {
    fn on(&mut self, event: &Event) {
        self.0.lock().expect("no panic").push(event.clone());
    }

    fn note(&mut self, _: &Line) {}
}

impl Collected {
    fn count(&self, of: impl Fn(&Event) -> bool) -> usize {
        self.0.lock().expect("no panic").iter().filter(|event| of(event)).count()
    }
}

/// A process of its own has the bench's variables, which the library reads.
#[test]
fn a_deploy_runs_twice_in_one_process_and_tells_anybody() {
    let bench = Bench::new(CHAT);
    let aws = bench.aws_variables();
    let like = bench.command(&[]);
    let mut command = process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "twice::inside"]).current_dir(bench.directory.path()).env_clear();
    command
        .envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .envs(aws)
        .env(PACKAGE, function_zip());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let (document, _) = bench.json(&["releases", "--local"]);
    assert_eq!(document["functions"][0]["releases"].as_array().unwrap().len(), 2, "{document}");
}

#[tokio::test]
async fn inside() {
    let Some(package) = std::env::var_os(PACKAGE) else { return };
    let told = Collected::default();
    for memory in [128, 256] {
        std::fs::write("deploy.toml", CHAT.replace("url =", &format!("memory = {memory}\nurl ="))).unwrap();
        let found = run(&package, &told, Stop::default()).await.unwrap();
        assert!(found.changed && found.error.is_none() && found.verified.is_some(), "{found:#?}");
    }
    assert_eq!(told.count(|event| matches!(event, Event::Finished { changed: true, .. })), 2);
    // What ends one run is not what ends the next.
    let stop = Stop::default();
    stop.first.cancel();
    let failure = run(&package, &told, stop).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Interrupted(2));
    let found = run(&package, &told, Stop::default()).await.unwrap();
    assert!(!found.changed && found.error.is_none(), "{found:#?}");
    assert_eq!(told.count(|event| matches!(event, Event::Finished { .. })), 3);
}

async fn run(package: &OsString, told: &Collected, stop: Stop) -> Result<FunctionAnswer, Failure> {
    let mut zip = OsString::from("--package=");
    zip.push(package);
    let (arguments, again) = cli::parse(["lamstream".into(), "deploy".into(), "--yes".into(), zip]).expect("it parses");
    let Command::Deploy(command) = &arguments.command else { panic!("{arguments:?}") };
    let console = Console::telling(Box::new(told.clone()), Output::Text, again);
    let session = Session::new(arguments.global.clone(), console, stop);
    match deploy(&session, command).await? {
        Answer::Deploy(mut found) => Ok(found.functions.remove(0)),
        other => panic!("{other:?}"),
    }
}
