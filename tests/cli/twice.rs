//! The story of a deploy, called more than once in one process, with another observer.

use crate::CHAT;
use crate::support::bench::{Bench, function_zip, said};
use lamstream::apply::Event;
use lamstream::cli::{self, Arguments, Command, TypedCommand};
use lamstream::commands::{Session, Stop, deploy};
use lamstream::failure::{Failure, FailureKind};
use lamstream::report::{Answer, Console, FunctionAnswer, Line, Output, Reporter};
use std::ffi::OsString;
use std::process;
use std::sync::{Arc, Mutex};

/// Names the package to deploy, in the process that deploys it.
const PACKAGE: &str = "LAMSTREAM_TEST_PACKAGE";

/// Keeps every event.
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
        // As much as lamstream's own thread has: without optimisation, a deploy is a future of more than a megabyte.
        .env("RUST_MIN_STACK", "67108864")
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
    let (arguments, again) = arguments(&package);
    let console = Console::reporting_to(Box::new(told.clone()), Output::Text, again);
    let process = Stop::default();
    let run = async |stop: Stop| run(&arguments, &console, stop).await;
    for memory in [128, 256] {
        std::fs::write("deploy.toml", CHAT.replace("url =", &format!("memory = {memory}\nurl ="))).unwrap();
        let found = run(process.child()).await.unwrap();
        assert!(found.changed && found.error.is_none() && found.verified.is_some(), "{found:#?}");
    }
    assert_eq!(told.count(|event| matches!(event, Event::Finished { changed: true, .. })), 2);
    // What ends one run is not what ends the next.
    let stop = process.child();
    stop.first.cancel();
    let failure = run(stop).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted(2));
    assert_eq!(process.requested(), None);
    let found = run(process.child()).await.unwrap();
    assert!(!found.changed && found.error.is_none(), "{found:#?}");
    assert_eq!(told.count(|event| matches!(event, Event::Finished { .. })), 3);
}

fn arguments(package: &OsString) -> (Arguments, TypedCommand) {
    let mut zip = OsString::from("--package=");
    zip.push(package);
    cli::parse(["lamstream".into(), "deploy".into(), "--yes".into(), zip]).expect("it parses")
}

/// One run. The console knows nothing of it afterwards.
async fn run(arguments: &Arguments, console: &Console, stop: Stop) -> Result<FunctionAnswer, Failure> {
    let Command::Deploy(command) = &arguments.command else { panic!("{arguments:?}") };
    let session = Session::new(arguments.global.clone(), console.clone(), stop);
    let result = Box::pin(deploy(&session, command)).await;
    let answer = result.as_ref().map_or_else(|_| Answer::default(), Answer::clone);
    assert_eq!(console.done().is_empty(), !answer.found.functions.iter().any(|function| function.changed));
    console.finish(&answer, result.as_ref().err()).expect("it is printed");
    assert_eq!(console.done(), []);
    Ok(result?.found.functions.remove(0))
}
