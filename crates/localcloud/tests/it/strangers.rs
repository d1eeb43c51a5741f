//! What listens on the port of an app and is not the app: no URL answers with it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::processes::start_as;
use crate::support::{Bench, example, wait_until};
use crate::web::{app, free_port, web};

/// A web server of another program, which answers `stranger` to everything.
fn stranger(port: u16) {
    stranger_at(TcpListener::bind(("127.0.0.1", port)).unwrap());
}

fn stranger_at(listener: TcpListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream);
        }
    });
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let _ = stream.read(&mut [0; 4096])?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\nstranger")
}

/// The status and the body of an answer of a URL.
async fn get(bench: &Bench, url: &str) -> (u16, String) {
    let answer = bench.http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The words for this process, which has the port.
fn taken(port: u16) -> String {
    format!("port {port} is taken by process {} (", std::process::id())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_on_the_only_port_of_an_app_is_named() {
    let bench = web(|_| {}).await;
    let port = free_port();
    stranger(port);
    let mut only = app(json!({"MOOD": "stubborn", "PORT": port.to_string(), "LISTENS_ON": port.to_string()}));
    only["Timeout"] = json!(2);
    let url = bench.public("RESPONSE_STREAM", only).await;
    let (status, body) = get(&bench, &url).await;
    assert_eq!(status, 502, "{body}");
    assert!(body.contains(&taken(port)) && body.contains("does not start on another port"), "{body}");
    let text = bench.invoke("live", json!({})).await.text().await.unwrap();
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(error["errorType"], "LocalCloud.PortTaken", "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_a_stranger_was_faster_than_gets_another_port() {
    for mood in ["waits lives", "waits"] {
        let bench = web(|_| {}).await;
        let (port, here, gate) = (free_port(), bench.sign_post("here"), bench.sign_post("gate"));
        let moods = json!({"MOOD": mood, "PORT": port.to_string(), "HERE": here, "GATE": gate});
        let url = bench.public("RESPONSE_STREAM", app(moods)).await;
        let asked = tokio::spawn(bench.http.get(&url).send());
        wait_until("the app has its port", || here.exists()).await;
        stranger(port);
        File::create(&gate).unwrap();
        let answered = asked.await.unwrap().unwrap().text().await.unwrap();
        let own: u16 = answered.parse().unwrap_or_else(|_| panic!("{mood}: {answered}"));
        assert_ne!(own, port, "{mood}");
        bench.wait_for_note(&taken(port)).await;
        bench.wait_for_note("it is started again, on another port").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_takes_over_a_port_gets_no_request() {
    let bench = web(|_| {}).await;
    let (port, here, gate) = (free_port(), bench.sign_post("here"), bench.sign_post("gate"));
    let url = bench.public("RESPONSE_STREAM", app(json!({"PORT": port.to_string()}))).await;
    assert_eq!(get(&bench, &url).await, (200, port.to_string()));
    let leave = format!("{url}leave?here={}&gate={}", here.display(), gate.display());
    let leaving = tokio::spawn(bench.http.get(leave).send());
    wait_until("the port is free", || here.exists() && TcpListener::bind(("127.0.0.1", port)).is_ok()).await;
    File::create(&gate).unwrap();
    assert_eq!(leaving.await.unwrap().unwrap().text().await.unwrap(), "left");
    stranger(port);
    let (status, body) = get(&bench, &url).await;
    assert!(status == 200 && body.parse::<u16>().is_ok_and(|own| own != port), "{status} {body}");
    bench.wait_for_note(&taken(port)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_may_be_a_strangers_is_none() {
    let bench = web(|_| {}).await;
    let (port, here, gate) = (free_port(), bench.sign_post("here"), bench.sign_post("gate"));
    let mut buffered = app(json!({"PORT": port.to_string(), "AWS_LWA_INVOKE_MODE": "buffered"}));
    buffered["Timeout"] = json!(20);
    let url = bench.public("BUFFERED", buffered).await;
    assert_eq!(get(&bench, &url).await, (200, port.to_string()));
    let leave = format!("{url}leave?here={}&gate={}", here.display(), gate.display());
    let leaving = tokio::spawn(bench.http.get(leave).send());
    wait_until("the app has left", || here.exists()).await;
    wait_until("the port is free", || TcpListener::bind(("127.0.0.1", port)).map(stranger_at).is_ok()).await;
    File::create(&gate).unwrap();
    let answer = leaving.await.unwrap().unwrap();
    let reason = answer.headers().get("x-localcloud-reason").map(|reason| reason.to_str().unwrap().to_owned());
    assert_eq!(answer.status(), 502, "{reason:?}");
    assert!(reason.is_some_and(|reason| reason.contains(&taken(port))));
    // The next request is answered by a new instance.
    let (status, body) = get(&bench, &url).await;
    assert!(status == 200 && body.parse::<u16>().is_ok_and(|own| own != port), "{status} {body}");
}

/// Two users' clouds do not know of each other's ports: both choose the same one, which is still free, and then both apps
/// listen on it.
#[tokio::test(flavor = "multi_thread")]
async fn two_clouds_never_answer_for_each_other() {
    assert_eq!(starts_on_another_port_of_two_clouds(true).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clouds_of_one_user_do_not_give_away_the_same_port() {
    assert_eq!(starts_on_another_port_of_two_clouds(false).await, 0);
}

/// How often an app of two clouds has to be started again in four rounds, in which both ask for the same port before either
/// listens. Clouds that are `apart` have no directory in common.
async fn starts_on_another_port_of_two_clouds(apart: bool) -> usize {
    let (mut clouds, mut benches) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let data = tempfile::tempdir().unwrap();
        let mut serve = Command::new(example("serve"));
        serve.arg(data.path()).arg(example("lambda-adapter"));
        if apart {
            serve.env("TMPDIR", data.path());
        }
        let (cloud, address) = start_as(serve);
        let bench = Bench::attach(&address, data).await;
        bench.role().await;
        clouds.push(cloud);
        benches.push(bench);
    }
    for round in 0..4 {
        let (port, gate) = (free_port().to_string(), benches[0].sign_post(&format!("gate{round}")));
        let heres: Vec<_> = benches.iter().map(|bench| bench.sign_post(&format!("here{round}"))).collect();
        let asked = benches.iter().zip(&heres).enumerate().map(|(nth, (bench, here))| {
            let (name, port, gate) = (format!("cloud {nth}, round {round}"), &port, &gate);
            async move {
                let variables = json!({"MOOD": "waits lives", "PORT": port, "NAME": name, "HERE": here, "GATE": gate,
                        "AWS_LWA_INVOKE_MODE": "buffered"});
                renew(bench, app(variables)).await;
                let event =
                    json!({"version": "2.0", "rawPath": "/name", "requestContext": {"http": {"method": "GET"}}});
                let text = bench.invoke("$LATEST", event).await.text().await.unwrap();
                let answer: Value = serde_json::from_str(&text).unwrap();
                assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!(name)), "{text}");
            }
        });
        let go = async {
            wait_until("both apps are about to listen", || heres.iter().all(|here| here.exists())).await;
            File::create(&gate).unwrap();
        };
        tokio::join!(futures_util::future::join_all(asked), go);
    }
    let notes: String = benches.iter().map(Bench::notes).collect();
    notes.matches("it is started again, on another port").count()
}

/// Creates the function, or gives it the new variables.
async fn renew(bench: &Bench, mut input: Value) {
    const F: &str = "/2015-03-31/functions/f";
    let created = bench.lambda(Method::GET, F, Value::Null).await.0 == 200;
    if created {
        bench.done(Method::PUT, &format!("{F}/configuration"), json!({"Environment": input["Environment"]})).await;
    } else {
        input["FunctionName"] = json!("f");
        input["Role"] = json!("arn:aws:iam::000000000000:role/role");
        input["Timeout"] = json!(30);
        while bench.lambda(Method::POST, "/2015-03-31/functions", input.clone()).await.0 != 201 {}
    }
    let settled = |shown: &Value| shown["State"] == "Active" && shown["LastUpdateStatus"] == "Successful";
    while !settled(&bench.done(Method::GET, &format!("{F}/configuration"), Value::Null).await) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_crashes_beside_a_stranger_keeps_its_own_reason() {
    let bench = web(|_| {}).await;
    let port = free_port();
    stranger(port);
    let mut crashing = app(json!({"MOOD": "crash", "PORT": port.to_string()}));
    crashing["Timeout"] = json!(2);
    bench.function(crashing).await;
    let answer = bench.invoke("live", json!({})).await;
    let text = answer.text().await.unwrap();
    assert!(text.contains("Runtime.ExitError") && text.contains("exit status 3"), "{text}");
}
