//! What a Function URL makes of a response. The function behind it answers byte by byte as the path says.

use super::{Fact, facts};
use crate::live::{Live, SETTLES};
use crate::place::{reply, until};
use crate::report::{Seen, seen};
use anyhow::Result;
use std::time::{Duration, Instant};

const MIB: usize = 1024 * 1024;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "url-raw-json" "A buffered answer behind a `RESPONSE_STREAM` URL is returned as raw JSON with status 200" raw_json;
    Everywhere "url-renamed-headers" "A URL renames `WWW-Authenticate` and `Date`" renamed_headers;
    Everywhere "url-remapped-refused" "A function that sends an `x-amzn-remapped-…` header itself gets 500" remapped_refused;
    Everywhere "url-buffered-failure" "A failed function behind a `BUFFERED` URL gets 502 with the text `Internal Server Error`" buffered_failure;
    Everywhere "url-bodyless" "A streamed response with status 204 stays open until the function's timeout" bodyless;
    Everywhere "url-stream-rate" "A stream is slowed down to 2 MB/s after its first 6 MB" stream_rate;
    OnlyOnAws "url-stream-size" "A stream breaks at 200 MB" stream_size;
    Everywhere "url-request-size" "A request over 6 MB is refused" request_size;
    Everywhere "url-response-size" "A buffered response over 6 MB is refused" response_size;
    Everywhere "url-stream-timeout" "A stream that reaches the function's timeout breaks" stream_timeout;
    Everywhere "url-path" "`rawPath` is the path as sent, `requestContext.http.path` is decoded" path;
    Everywhere "url-disconnect" "A client that disconnects does not stop the function" disconnect;
    Everywhere "prelude-split" "The prelude and its NULs may be split over frames in any way" split;
    OnlyOnAws "glibc" "`provided.al2023` has glibc 2.34" glibc;
};

async fn raw_json(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get("probe", "json").await?;
    let is_raw = reply.body.starts_with("{\"statusCode\":");
    seen(reply.status == 200 && is_raw, format!("{} {}", reply.status, reply.body))
}

async fn renamed_headers(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get("probe", "headers").await?;
    let (asks, date) = (reply.header("x-amzn-remapped-www-authenticate"), reply.header("x-amzn-remapped-date"));
    let kept = reply.header("www-authenticate");
    let holds = asks == Some("Basic") && date.is_some() && kept.is_none() && reply.header("x-plain") == Some("kept");
    seen(holds, format!("www-authenticate: {kept:?}, remapped: {asks:?}; date, remapped: {date:?}"))
}

async fn remapped_refused(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get("probe", "remapped").await?;
    seen(reply.status == 500, format!("{} {}", reply.status, reply.body))
}

async fn buffered_failure(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get_signed("signed", "fail").await?;
    let holds = reply.status == 502 && reply.body == "Internal Server Error";
    seen(holds, format!("{} {}", reply.status, reply.body))
}

async fn bodyless(live: &Live<'_>) -> Result<Seen> {
    let began = Instant::now();
    let outcome = match live.get("brief", "status/204").await {
        Ok(reply) => format!("{} ended", reply.status),
        Err(error) => format!("broke off ({error})"),
    };
    let took = began.elapsed();
    seen(took > Duration::from_millis(2500), format!("{outcome} after {:.1} s of 3 s", took.as_secs_f64()))
}

/// The bytes that came, when the first 6 MiB and all of them were there, and whether the response was complete.
async fn streamed(live: &Live<'_>, count: usize) -> Result<(usize, Duration, Duration, bool)> {
    let mut response = live.place.http.get(live.url("probe", &format!("bytes/{count}"))?).send().await?;
    let (began, mut came, mut burst) = (Instant::now(), 0, Duration::ZERO);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => came += chunk.len(),
            Ok(None) => return Ok((came, burst, began.elapsed(), true)),
            Err(_) => return Ok((came, burst, began.elapsed(), false)),
        }
        if burst.is_zero() && came >= 6 * MIB {
            burst = began.elapsed();
        }
    }
}

async fn stream_rate(live: &Live<'_>) -> Result<Seen> {
    let (came, burst, took, _) = streamed(live, 9 * MIB).await?;
    let rate = (came.saturating_sub(6 * MIB)) as f64 / MIB as f64 / (took - burst).as_secs_f64();
    let text = format!("6 MiB in {:.2} s, then {rate:.1} MiB/s", burst.as_secs_f64());
    seen((1.0..3.0).contains(&rate), text)
}

async fn stream_size(live: &Live<'_>) -> Result<Seen> {
    let (came, _, took, complete) = streamed(live, 210 * MIB).await?;
    let size = came as f64 / MIB as f64;
    let ended = if complete { "complete" } else { "broken off" };
    let holds = !complete && (190.0..=201.0).contains(&size);
    seen(holds, format!("{ended} after {size:.1} MiB and {:.0} s", took.as_secs_f64()))
}

async fn request_size(live: &Live<'_>) -> Result<Seen> {
    let request = live.place.http.post(live.url("probe", "")?).body(vec![b'x'; 7 * MIB]);
    let reply = reply(request).await?;
    seen(reply.status == 413, format!("{} {}", reply.status, reply.body))
}

async fn response_size(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get_signed("signed", &format!("bytes/{}", 7 * MIB)).await?;
    let start: String = reply.body.chars().take(200).collect();
    seen(reply.status >= 400, format!("{} {start}", reply.status))
}

async fn stream_timeout(live: &Live<'_>) -> Result<Seen> {
    let began = Instant::now();
    let outcome = live.get("brief", "slow/8/never").await;
    let (took, complete) = (began.elapsed(), outcome.is_ok());
    let how = if complete { "ended as if complete" } else { "broke off" };
    let holds = !complete && (2.5..6.0).contains(&took.as_secs_f64());
    seen(holds, format!("{how} after {:.1} s of 3 s", took.as_secs_f64()))
}

async fn path(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get("probe", "event/a%20b/%C3%A4?q=%20").await?;
    let Ok(event) = serde_json::from_str::<serde_json::Value>(&reply.body) else {
        return seen(false, format!("{} {}", reply.status, reply.body));
    };
    // The probe looks at the part of the path before the first slash, so it is the event.
    let (raw, decoded) = (&event["rawPath"], &event["requestContext"]["http"]["path"]);
    seen(raw == "/event/a%20b/%C3%A4" && decoded == "/event/a b/ä", format!("{raw} and {decoded}"))
}

async fn disconnect(live: &Live<'_>) -> Result<Seen> {
    let token = format!("{:08x}", fastrand::u32(..));
    let mut response = live.place.http.get(live.url("probe", &format!("slow/1/{token}"))?).send().await?;
    response.chunk().await?;
    drop(response);
    let (logs, group) = (&live.place.logs, format!("/aws/lambda/{}", live.name("probe")));
    let pattern = format!("\"survived {token}\"");
    let found = until(SETTLES, || async {
        let found = logs.filter_log_events().log_group_name(&group).filter_pattern(&pattern).send().await;
        Ok(super::accepted(found)?.events.and_then(|events| events.into_iter().next()))
    });
    match found.await? {
        Some((_, after)) => seen(true, format!("its last line was readable {:.1} s later", after.as_secs_f64())),
        None => seen(false, "its last line was not in the log within 90 s"),
    }
}

async fn split(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get("probe", "split").await?;
    let holds = reply.status == 201 && reply.body == "split\n" && reply.header("x-split") == Some("1");
    seen(holds, format!("{} {}", reply.status, reply.body))
}

async fn glibc(live: &Live<'_>) -> Result<Seen> {
    let reply = live.get("probe", "libc").await?;
    seen(reply.body.contains("release version 2.34"), reply.body)
}
