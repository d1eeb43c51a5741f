//! What a user does: deploys, streams, breaks it, rolls back and destroys, and between that all checks of facts.

use crate::facts::{Asked, Fact, GROUPS, LAST};
use crate::live::Live;
use crate::place::Place;
use crate::report::{Report, Seen};
use crate::support::bench::said;
use anyhow::{Context as _, Result, anyhow, ensure};
use futures_util::future::{join, join_all};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the sample's endpoint answers, to the byte.
const CHAT: &[u8] = include_bytes!("../fixtures/stream_chat_body.bin");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A copy of the probe that is not inside this repository's workspace, and whose build is kept.
///
/// # Errors
/// If it cannot be copied.
pub(crate) fn probe() -> Result<PathBuf> {
    let (from, to) = (root().join("tests/live/probe"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe"));
    std::fs::create_dir_all(to.join("src"))?;
    for file in ["Cargo.toml", "src/main.rs"] {
        let (text, copy) = (std::fs::read(from.join(file))?, to.join(file));
        if std::fs::read(&copy).ok() != Some(text.clone()) {
            std::fs::write(copy, text)?;
        }
    }
    Ok(to)
}

/// The manifest of a run. `release` is a variable of the probe that makes another release of it.
pub(crate) fn manifest(app: &str, has_web: bool, release: Option<&str>) -> String {
    let (root, probe) = (root().display(), Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe"));
    let probe = probe.display();
    let web = format!(
        r#"[functions.web]
web = "{root}/examples/fastapi-chat/app"
runtime = "python3.13"
run = "run.sh"
port = 8000
readiness_path = "/health"
memory = 256
url = {{ auth = "none" }}
check = {{ method = "POST", path = "/stream/chat", query = {{ query = "hello" }}, streams = true }}
"#
    );
    let web = if has_web { web } else { String::new() };
    let release = release.map(|name| format!("environment = {{ {name} = \"1\" }}\n")).unwrap_or_default();
    format!(
        r#"app = "{app}"
[functions.chat]
crate = "{root}/function"
url = {{ auth = "none" }}
check = {{ method = "POST", path = "/stream/chat", query = {{ query = "hello" }}, streams = true }}
{web}[functions.probe]
crate = "{probe}"
timeout = 180
url = {{ auth = "none" }}
{release}[functions.brief]
crate = "{probe}"
timeout = 3
url = {{ auth = "none" }}
[functions.signed]
crate = "{probe}"
timeout = 20
memory = 256
url = {{ auth = "aws-iam", mode = "buffered" }}
environment = {{ PROBE_MODE = "buffered" }}
"#
    )
}

/// All of it. What is found is in the report; what is deployed is destroyed by [`Place::clean`].
///
/// # Errors
/// If the rest makes no sense without a step that failed.
pub(crate) async fn tell(place: &Place, report: &Report) -> Result<()> {
    probe()?;
    place.bench.write("deploy.toml", &manifest(&place.app, place.has_web, None));
    let began = Instant::now();
    let out = place.bench.path("out");
    let built = place.lamstream(&["build", "probe", "--out", &out.display().to_string()]).await?;
    let package = PathBuf::from(String::from_utf8_lossy(&built.stdout).trim());
    report.step("build", began, worked(&built));
    ensure!(built.status.success(), "without the probe nothing can be checked");
    let urls = deploy(place, report).await?;
    let live = Live { place, urls, package };
    let live = &live;
    let streamed: &[&str] = if place.has_web { &["chat", "web"] } else { &["chat"] };
    let streams = streamed.iter().map(|&function| async move {
        let began = Instant::now();
        report.step(&format!("stream from {function}"), began, stream(live, function).await);
    });
    let groups = GROUPS.iter().map(|group| check(live, report, group));
    join(join_all(streams), join_all(groups)).await;
    for group in &LAST[..LAST.len() - 1] {
        check(live, report, group).await;
    }
    releases(live, report).await?;
    check(live, report, LAST[LAST.len() - 1]).await;
    Ok(())
}

async fn check(live: &Live<'_>, report: &Report, group: &[Fact]) {
    for fact in group {
        let found = match fact.asked {
            Asked::OnlyOnAws if !live.place.is_live => Err(anyhow!("only on AWS")),
            _ => found(fact, live).await,
        };
        report.fact(fact, found);
    }
}

/// How long one check may take.
const LONGEST: Duration = Duration::from_secs(400);

async fn found(fact: &Fact, live: &Live<'_>) -> Result<Seen> {
    tokio::time::timeout(LONGEST, (fact.check)(live)).await.context("the check takes too long")?
}

/// Deploys all functions, and gives their addresses.
async fn deploy(place: &Place, report: &Report) -> Result<BTreeMap<String, String>> {
    let began = Instant::now();
    let output = place.lamstream(&["deploy", "--yes", "--output", "json"]).await?;
    let document: Value = serde_json::from_slice(&output.stdout).with_context(|| said(&output))?;
    let mut urls = BTreeMap::new();
    for function in document["functions"].as_array().context("no functions")? {
        let name = function["name"].as_str().unwrap_or_default().to_owned();
        let error = &function["error"];
        let outcome = if error.is_null() { Ok(()) } else { Err(anyhow!("{}", error["message"])) };
        if let (Ok(()), Some(url)) = (&outcome, function["url"].as_str()) {
            urls.insert(name.clone(), url.to_owned());
        }
        report.step(&format!("deploy {name}"), began, outcome);
    }
    ensure!(!urls.is_empty(), "nothing was deployed: {}", document["error"]["message"]);
    let began = Instant::now();
    let again = place.lamstream(&["plan", "--detailed-exitcode"]).await?;
    let code = again.status.code();
    let outcome = if code == Some(0) { Ok(()) } else { Err(anyhow!("there are changes: {}", said(&again))) };
    report.step("plan finds nothing to do", began, outcome);
    Ok(urls)
}

/// Reads a stream to its end: the same bytes as ever, of which the first come long before the last.
async fn stream(live: &Live<'_>, function: &str) -> Result<()> {
    let url = live.url(function, "stream/chat?query=hello")?;
    let began = Instant::now();
    let mut response = live.place.http.post(url).send().await?;
    let (mut body, mut first) = (Vec::new(), None);
    while let Some(chunk) = response.chunk().await? {
        first.get_or_insert_with(|| began.elapsed());
        body.extend_from_slice(&chunk);
    }
    let first = first.context("the response is empty")?;
    ensure!(body == CHAT, "the bytes differ: {}", String::from_utf8_lossy(&body));
    ensure!(began.elapsed() > first * 2, "all of it came at once, after {:.1} s", first.as_secs_f64());
    Ok(())
}

/// A bad release moves `live` back, a good one moves it on, and a rollback back again.
async fn releases(live: &Live<'_>, report: &Report) -> Result<()> {
    let place = live.place;
    let first = version(place).await?;
    let began = Instant::now();
    place.bench.write("deploy.toml", &manifest(&place.app, place.has_web, Some("PROBE_BROKEN")));
    let broken = place.lamstream(&["deploy", "probe", "--yes"]).await?;
    let moved_back = String::from_utf8_lossy(&broken.stderr).contains("oved back");
    let serves = live.get("probe", "").await?;
    let outcome = match (broken.status.code(), moved_back, version(place).await? == first, serves.status) {
        (Some(1), true, true, 200) => Ok(()),
        (_, _, same, status) => Err(anyhow!("same version: {same}, status {status}: {}", said(&broken))),
    };
    report.step("a bad release: `live` moves back", began, outcome);

    let began = Instant::now();
    place.bench.write("deploy.toml", &manifest(&place.app, place.has_web, Some("PROBE_RELEASE")));
    let better = place.lamstream(&["deploy", "probe", "--yes"]).await?;
    report.step("a good release", began, worked(&better));
    let began = Instant::now();
    let back = place.lamstream(&["rollback", "probe", "--yes"]).await?;
    let outcome = worked(&back).and(match version(place).await? {
        found if found == first => Ok(()),
        found => Err(anyhow!("live is version {found}, not {first}")),
    });
    report.step("rollback", began, outcome);
    Ok(())
}

/// The version that `live` of the probe points to.
async fn version(place: &Place) -> Result<String> {
    let get = place.lambda.get_alias().function_name(place.name("probe")).name("live");
    crate::facts::accepted(get.send().await)?.function_version.context("the alias has no version")
}

fn worked(output: &std::process::Output) -> Result<()> {
    ensure!(output.status.success(), "{}", said(output));
    Ok(())
}
