//! Two deploys with different code and configuration at once: one of them is live, complete, and the other reports that it lost.

use crate::cell::{body, run, succeeded};
use crate::cloud::Cloud;
use crate::found::Found;
use crate::scenario::{DEPLOY, DEPLOYED, RIVALS, Wanted};
use crate::support::bench::said;
use crate::support::proxy::{Call, Proxy};
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

const ROUNDS: usize = 50;

/// How two rivals fared, the first named first.
struct Round {
    outputs: [Output; 2],
    /// What the URL then answers.
    answer: Option<String>,
}

fn race(data: &Path) -> Round {
    let cloud = Cloud::copy_of(data);
    let outputs = std::thread::scope(|scope| {
        let running = RIVALS.each_ref().map(|rival| scope.spawn(|| deploy(&cloud, rival)));
        running.map(|run| run.join().unwrap())
    });
    let answer = body(&cloud, &Found::on(&cloud)).unwrap();
    Round { outputs, answer }
}

fn deploy(cloud: &Cloud, wanted: &Wanted) -> Output {
    let proxy = Proxy::to(&cloud.address);
    let output = run(cloud, &proxy.address, wanted, DEPLOY, |_| {});
    let heard = String::from_utf8_lossy(&proxy.heard()).into_owned();
    for call in proxy.take_requests().iter().filter(|call| takes_revision(call)) {
        let revision = revision(call).unwrap_or_else(|| panic!("{} carries no revision", call.name));
        let at = heard.find(&revision);
        assert!(at.is_some_and(|at| at < call.heard), "{} carries a revision that was never observed", call.name);
    }
    output
}

/// The writes that AWS guards by a revision, and that a race is about.
fn takes_revision(call: &Call) -> bool {
    let (put, post) = (call.name.starts_with("PUT "), call.name.starts_with("POST "));
    let put_ends = ["/configuration", "/code", "/aliases/live"];
    put && put_ends.iter().any(|end| call.name.ends_with(end)) || post && call.name.ends_with("/versions")
}

fn revision(call: &Call) -> Option<String> {
    let body = String::from_utf8_lossy(&call.request).into_owned();
    let (_, rest) = body.split_once(r#""RevisionId":""#)?;
    rest.split_once('"').map(|(revision, _)| revision.to_owned())
}

#[test]
fn of_two_deploys_at_once_one_is_live_and_the_loser_knows() {
    let mut cloud = Cloud::new();
    succeeded(&run(&cloud, &cloud.address, &DEPLOYED, DEPLOY, |_| {})).unwrap();
    cloud.stop();
    let whole = RIVALS.each_ref().map(|rival| {
        let cloud = Cloud::copy_of(cloud.data.path());
        succeeded(&run(&cloud, &cloud.address, rival, DEPLOY, |_| {})).unwrap();
        body(&cloud, &Found::on(&cloud)).unwrap()
    });
    assert_ne!(whole[0], whole[1]);

    let (next, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < ROUNDS {
                    let Round { outputs, answer } = race(cloud.data.path());
                    let won = outputs.each_ref().map(|output| output.status.success());
                    let told = || format!("{answer:?}\n{}\n{}", said(&outputs[0]), said(&outputs[1]));
                    match won {
                        [true, true] => assert!(whole.contains(&answer), "a mix is live: {}", told()),
                        [false, false] => panic!("both lost: {}", told()),
                        _ => assert_eq!(answer, whole[usize::from(won[1])], "the winner is not live: {}", told()),
                    }
                    for output in outputs.iter().filter(|output| !output.status.success()) {
                        let says_so = String::from_utf8_lossy(&output.stderr).contains("another process");
                        assert!(output.status.code() == Some(1) && says_so, "{}", told());
                        lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let lost = lost.into_inner();
    crate::say(&format!("{ROUNDS} races: {lost} had a loser, in {} both deployed one after the other", ROUNDS - lost));
    assert!(lost > 0, "no two deploys ever met");
}
