//! What Lambda makes of a package's files, of layers and of a log.

use super::{Fact, accepted, facts};
use crate::live::Live;
use crate::report::{Seen, seen};
use anyhow::{Context as _, Result};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvokeWithResponseStreamResponseEvent as Event, LogType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "links-kept" "Lambda keeps the symbolic links of a zip, also absolute ones and those that lead out of it" links_kept;
    Everywhere "mode-0600" "A function cannot read a file with mode 0600" mode_0600;
    Everywhere "log-tail" "The log of a streamed invocation is its last 4 KB" log_tail;
    OnlyOnAws "adapter-layer" "The layer of Lambda Web Adapter that lamstream uses can be read" adapter_layer;
};

/// The line about one file of the raw function's package.
async fn file(live: &Live<'_>, name: &str) -> Result<String> {
    let answer = live.invoke_raw("/files").await?;
    let files = answer["body"].as_str().with_context(|| format!("no list of files: {answer}"))?;
    let line = files.lines().find(|line| line.split([':', ' ']).next() == Some(name));
    line.map(str::to_owned).with_context(|| format!("no `{name}` in: {files}"))
}

async fn links_kept(live: &Live<'_>) -> Result<Seen> {
    let expected = ["inner -> data", "absolute -> /etc/os-release", "outside -> ../outside"];
    let mut found = Vec::new();
    for line in expected {
        found.push(
            file(live, line.split(' ').next().unwrap_or_default()).await.unwrap_or_else(|error| format!("{error:#}")),
        );
    }
    let holds = expected.iter().zip(&found).all(|(line, found)| found.starts_with(line));
    seen(holds, found.join("; "))
}

async fn mode_0600(live: &Live<'_>) -> Result<Seen> {
    let (locked, data) = (file(live, "locked").await?, file(live, "data").await?);
    seen(locked == "locked: unreadable" && data == "data: readable", format!("{locked}; {data} with mode 0644"))
}

async fn log_tail(live: &Live<'_>) -> Result<Seen> {
    let event = r#"{"rawPath":"/print/9000","requestContext":{}}"#;
    let call = live.place.lambda.invoke_with_response_stream().function_name(live.name("probe")).qualifier("live");
    let call = call.log_type(LogType::Tail).payload(Blob::new(event));
    let mut stream = accepted(call.send().await)?.event_stream;
    let mut log = None;
    while let Some(event) = stream.recv().await? {
        if let Event::InvokeComplete(complete) = event {
            log = complete.log_result;
        }
    }
    let log = STANDARD.decode(log.context("there is no log")?)?;
    let holds = (1..=4096).contains(&log.len()) && String::from_utf8_lossy(&log).contains("ppp");
    seen(holds, format!("{} bytes of a longer log", log.len()))
}

async fn adapter_layer(live: &Live<'_>) -> Result<Seen> {
    let get = live.place.lambda.get_function_configuration().function_name(live.name("web"));
    let layers = accepted(get.send().await).context("the web app was not deployed")?.layers.unwrap_or_default();
    let arn = layers.first().and_then(|layer| layer.arn.clone()).context("it has no layer")?;
    let found = super::answer(live.place.lambda.get_layer_version_by_arn().arn(&arn).send().await)?;
    let layer = arn.rsplit("layer:").next().unwrap_or(&arn);
    match found {
        Ok(_) => seen(true, layer),
        Err(refusal) => seen(false, format!("{layer}: {refusal}")),
    }
}
