//! InvokeWithResponseStream through the SDKs of Rust and Python: each frame is seen as it is made.

use crate::cloud::{Cloud, good};
use crate::deployed::{deploy, lambda};
use crate::support::bench::function_zip;
use crate::support::python::python;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvokeWithResponseStreamResponseEvent::{InvokeComplete, PayloadChunk};
use std::time::{Duration, Instant};

/// The chat makes a character every 30 ms.
const CHAT: &str = r#"{"version":"2.0","rawPath":"/stream/chat","rawQueryString":"query=hello","requestContext":{"http":{"method":"POST"}}}"#;
const BODY: &[u8] = include_bytes!("../fixtures/stream_chat_body.bin");
/// What the function takes from its first to its last character, less a generous part: an answer that was gathered
/// anywhere comes in an instant.
const AT_LEAST: Duration = Duration::from_secs(5);

#[tokio::test]
async fn the_rust_sdk_sees_each_frame_as_it_is_made() {
    let cloud = Cloud::start(|_| {});
    deploy(&cloud, "chat", std::fs::read(function_zip()).expect("the package"), &[]).await;
    let invoke = lambda(&cloud).invoke_with_response_stream().function_name("chat").payload(Blob::new(CHAT));
    let mut answer = invoke.send().await.expect("an answer");
    let (mut bytes, mut seen, mut complete) = (Vec::new(), Vec::new(), 0);
    while let Some(event) = answer.event_stream.recv().await.expect("a good frame") {
        match event {
            PayloadChunk(chunk) => {
                seen.push(Instant::now());
                bytes.extend(chunk.payload.expect("a payload").into_inner());
            }
            InvokeComplete(end) => {
                assert_eq!((end.error_code, end.error_details), (None, None));
                complete += 1;
            }
            other => panic!("an unknown event: {other:?}"),
        }
    }
    assert_eq!(complete, 1);
    let body = bytes.windows(8).position(|window| window == [0; 8]).expect("the prelude's end") + 8;
    assert_eq!(&bytes[body..], BODY);
    let took = seen[seen.len() - 1] - seen[0];
    println!("{} frames in {took:?}", seen.len());
    assert!(seen.len() > 200 && took > AT_LEAST, "{} frames in {took:?}", seen.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_sees_each_frame_as_it_is_made() {
    let Some(bin) = python() else { return };
    let cloud = Cloud::start(|_| {});
    deploy(&cloud, "chat", std::fs::read(function_zip()).expect("the package"), &[]).await;
    let told = good(cloud.script(&bin, "frames.py").args(["chat", CHAT]));
    let told: serde_json::Value = serde_json::from_str(&told).expect("json");
    println!("{} frames in {} s", told["frames"], told["took"]);
    assert!(told["body"].as_str().is_some_and(|body| body.as_bytes() == BODY), "{told}");
    assert_eq!(told["complete"], serde_json::json!([{}]));
    assert!(told["frames"].as_u64() > Some(200), "{told}");
    assert!(told["took"].as_f64() > Some(AT_LEAST.as_secs_f64()), "{told}");
}
