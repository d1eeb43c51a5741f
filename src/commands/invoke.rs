//! `lamstream invoke`: sends a request to a deployed URL, and prints the response as it arrives.

use super::picture::PictureFile;
use super::session::Session;
use super::single::SingleFunction;
use crate::apply::Verified;
use crate::cli::Invoke;
use crate::failure::{Failure, FailureKind};
use crate::logs::Figures;
use crate::report::{Answer, Extra, FunctionAnswer, Outlet, Response, State, Timeline, seen_line};
use crate::stack::{self, Auth, Names, Noun as _};
use crate::verify::{Exchange, Fault, Question, Sign};
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The header with the request's id.
const REQUEST_ID: &str = "x-amzn-requestid";

/// How much earlier than expected a log's times may be.
const CLOCKS: Duration = Duration::from_secs(60);

/// Lambda sends nothing more after the function's own timeout; this is for the network.
pub(super) const WAY_BACK: Duration = Duration::from_secs(5);

pub(super) async fn invoke(session: &Session, arguments: &Invoke) -> Result<Answer, Failure> {
    let headers = headers(&arguments.headers)?;
    let picture = arguments.report.as_deref().map(PictureFile::create).transpose()?;
    let body = body(session, arguments.data.as_deref()).await?;
    let one = SingleFunction::find(session, Some(&arguments.function)).await?;
    let (url, address) =
        session.read("the URL", one.account.url(&one.name)).await??.ok_or_else(|| one.without_url())?;
    let signer = match url.auth {
        Auth::AwsIam => Some(
            session
                .until_stopped(one.account.signer())
                .await?
                .map_err(|error| Failure::new(FailureKind::Verify, error))?,
        ),
        Auth::None => None,
    };
    let sign = signer.as_ref().map(|signer| {
        |method: &http::Method, url: &str, headers: &[(String, String)], body: &[u8]| {
            signer.headers(method, url, headers, body)
        }
    });
    let question = Question {
        url: &address,
        path: &arguments.path,
        method: arguments.request.as_deref().unwrap_or(if body.is_some() { "POST" } else { "GET" }),
        headers: &headers,
        body: body.as_deref(),
        sign: sign.as_ref().map(|sign| sign as Sign<'_>),
        silence: Duration::from_secs(u64::from(one.function.settings.timeout)) + WAY_BACK,
    };
    let failed = |fault: Fault| Failure::not_invoked(&one.function, &fault);
    let mut exchange = session.read("the answer", Exchange::begin(&question)).await?.map_err(failed)?;
    let path = arguments.path.split('?').next().unwrap_or_default();
    let mut timeline =
        Timeline::begin(format!("{} {path}", question.method), exchange.seen().status, exchange.head_at());
    let kept = pass_on(session, &mut exchange, &mut timeline).await?;
    let not_drawn = picture.and_then(|picture| draw(picture, timeline, &exchange).err());
    let (seen, headers) = (Verified::from(&exchange.seen()), exchange.headers());
    let mut figures = None;
    if session.global.verbose {
        session.console.note(&seen_line(&seen));
        figures = look_up(session, &one, &headers, exchange.elapsed()).await?;
    }
    let error = refused(session, &one, &exchange).await.or(not_drawn);
    let (init, billed) = (figures.and_then(|figures| figures.init), figures.map(|figures| figures.billed));
    let response = Response { seen, init, billed, headers, body: kept };
    let addresses = url.address(&address).into_iter().collect();
    let function = FunctionAnswer { state: State::Deployed, addresses, url: Some(url), error, ..one.unknown() };
    Ok(Answer { found: one.functions(function), extra: Extra::Response(Some(response)), ..Answer::default() })
}

/// Why the response counts as failed.
async fn refused(session: &Session, one: &SingleFunction, exchange: &Exchange) -> Option<Failure> {
    match exchange.verdict() {
        Ok(_) => None,
        Err(fault @ Fault::RawJson { .. }) => {
            session.console.note(&fault.to_string());
            None
        }
        Err(fault) => {
            let failure = Failure::not_invoked(&one.function, &fault);
            Some(explained(session, one, exchange.seen().status, failure).await)
        }
    }
}

/// Words of the response itself are left out: the picture has nothing of its body.
fn draw(picture: PictureFile, mut timeline: Timeline, exchange: &Exchange) -> Result<(), Failure> {
    timeline.fault = exchange.verdict().err().map(|fault| fault.parts().0.trim_end_matches([':', '`', ' ']).to_owned());
    timeline.ended_at = exchange.seen().duration;
    picture.write(&timeline)
}

/// What Lambda reports of the request, which it writes into the log. This is printed, too.
async fn look_up(
    session: &Session,
    one: &SingleFunction,
    headers: &[(String, String)],
    ago: Duration,
) -> Result<Option<Figures>, Failure> {
    let note = |text: &str| session.console.note(text);
    let Some((_, id)) = headers.iter().find(|(name, _)| name == REQUEST_ID) else {
        note("init and billed time are unknown: the response does not say which request it answers");
        return Ok(None);
    };
    let log_group = one.function.log_group.clone().unwrap_or_else(|| stack::log_group(&one.name));
    let since = ago + CLOCKS;
    let observer = session.observer();
    match session.until_stopped(one.account.report(&log_group, id, since, &observer)).await? {
        Ok(Some(figures)) => {
            let billed = in_milliseconds(figures.billed);
            let init =
                figures.init.map_or_else(|| "no init".to_owned(), |init| format!("init {}", in_milliseconds(init)));
            note(&format!("{init}, billed {billed} (request {id})"));
            Ok(Some(figures))
        }
        Ok(None) => {
            note(&format!(
                "init and billed time are not in the log yet: run `lamstream logs {} --request {id}` in a moment",
                one.function.name
            ));
            Ok(None)
        }
        Err(error) => {
            note(&format!("init and billed time are unknown: {error}"));
            Ok(None)
        }
    }
}

fn in_milliseconds(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}

/// Adds why the version behind the URL cannot answer, if AWS says so. Without permission to ask, the failure stays as it
/// is.
async fn explained(session: &Session, one: &SingleFunction, status: u16, failure: Failure) -> Failure {
    const BAD_GATEWAY: u16 = 502;
    if status != BAD_GATEWAY {
        return failure;
    }
    match session.until_stopped(one.account.unready(&one.name, Names::ALIAS)).await {
        Ok(Ok(Some(why))) => {
            let hint = format!("{why}: rerun the command in a few minutes, when Lambda has restored it");
            Failure { hints: vec![hint], ..failure }
        }
        _ => failure,
    }
}

/// Prints the body as it arrives, or keeps it for the document.
async fn pass_on(session: &Session, exchange: &mut Exchange, timeline: &mut Timeline) -> Result<Vec<u8>, Failure> {
    let outlet = if session.console.is_document() { None } else { Some(Outlet::open()?) };
    let mut kept = Vec::new();
    while let Some(chunk) = session.until_stopped(exchange.next()).await? {
        timeline.chunk(exchange.elapsed(), chunk.len());
        match &outlet {
            None => kept.extend_from_slice(&chunk),
            Some(outlet) if session.until_stopped(outlet.pass_on(chunk)).await?? => {}
            Some(_) => {
                exchange.stop();
                return Ok(kept);
            }
        }
    }
    if let Some(outlet) = &outlet {
        session.until_stopped(outlet.pass_end()).await??;
    }
    Ok(kept)
}

/// # Errors
/// When an argument is not a header. It may contain a secret, so the message only has its number.
fn headers(given: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let header = |(nth, text): (usize, &String)| {
        let (name, value) = text.split_once(':').ok_or_else(|| {
            Failure::usage(format!("header {} has no colon", nth + 1)).hint("write `-H 'NAME: VALUE'`")
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    given.iter().enumerate().map(header).collect()
}

async fn body(session: &Session, given: Option<&OsStr>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(given) = given else { return Ok(None) };
    let bytes = given.as_bytes();
    match bytes.strip_prefix(b"@") {
        _ if bytes == b"-" => stdin(session).await.map(Some),
        Some(b"-") => stdin(session).await.map(Some),
        Some(path) => {
            let path = OsStr::from_bytes(path);
            let read = std::fs::read(path);
            read.map(Some).map_err(|error| Failure::unreadable("the body", Path::new(path), &error))
        }
        None => Ok(Some(bytes.to_vec())),
    }
}

/// Reads all of stdin. A signal ends the wait, because nothing waits for the thread itself.
async fn stdin(session: &Session) -> Result<Vec<u8>, Failure> {
    let (sender, read) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = sender.send(std::io::stdin().read_to_end(&mut bytes).map(|_| bytes));
    });
    let read = session.until_stopped(read).await?.unwrap_or_else(|_| Err(std::io::ErrorKind::BrokenPipe.into()));
    read.map_err(|error| Failure::usage(format!("cannot read stdin: {error}")))
}
