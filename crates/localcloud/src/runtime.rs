//! The Runtime API: what a process asks for, and what it answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::Options;
use crate::cloud::lock;
use crate::connection::{Punctual, Requests};
use crate::extension::{self, Extensions};
use crate::guard;
use crate::peer::{Members, Peer};
use crate::sandbox::{Answer, Failure, Outcome, Pace, Piece, Reply as Client, Seat, pipe};
use crate::socket::Prompt;

/// lambda_runtime means these as trailers when a stream fails, and writes them into the body, as a chunk of their own.
const ERROR_TEXT: &[u8] = b"Lambda-Runtime-Function-Error-Type:";

pub(crate) type Reply = Response<Full<Bytes>>;

/// What an instance hears from its process.
pub(crate) enum Word {
    /// The process waits for a request.
    Next(oneshot::Sender<Delivery>),
    /// The answer has begun.
    Answering,
    /// The answer is complete, or was cut, or told of its own failure.
    Answered(Ending),
    /// An answer to an invocation that is over.
    Stale { id: String },
    /// The body contains the text of an error.
    Words(String),
    /// The stream was longer than it may be.
    TooLong(String),
    /// The function says that it failed.
    Failed { text: String },
    /// The process says that it cannot start.
    InitFailed { payload: Bytes },
    /// An extension waits for its next event.
    ExtensionWaits,
    /// An extension says that it cannot go on, or has ended without saying so.
    ExtensionFailed { name: String, kind: String, how: String },
}

/// How a body ended.
pub(crate) enum Ending {
    Whole,
    Cut,
    /// The client left before the end.
    Unread,
    /// Error trailers.
    Trailers(String),
}

/// A request as the process gets it.
pub(crate) struct Delivery {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) event: Bytes,
}

/// The request that a process has at the moment.
pub(crate) struct Open {
    pub(crate) request_id: String,
    /// Echoed by newer clients, so that an answer to an earlier delivery is told apart.
    pub(crate) invocation_id: String,
    pub(crate) reply: Option<Client>,
    /// Why its answer is cut, once that is known.
    pub(crate) failure: Failure,
    pub(crate) seat: Seat,
}

/// What the process's side and the instance share.
pub(crate) struct Desk {
    /// Of the listener.
    pub(crate) address: SocketAddr,
    /// Who may connect to it.
    pub(crate) members: Members,
    pub(crate) head_timeout: Duration,
    pub(crate) words: mpsc::UnboundedSender<Word>,
    pub(crate) open: Mutex<Option<Open>>,
    pub(crate) extensions: Mutex<Extensions>,
    /// What every stream begins with.
    pub(crate) pace: Pace,
}

impl Desk {
    /// Of an instance that has no request yet; `address` is its listener's.
    pub(crate) fn new(
        options: &Options,
        address: SocketAddr,
        members: Members,
        words: mpsc::UnboundedSender<Word>,
        extensions: Extensions,
    ) -> Self {
        let (head_timeout, pace) = (options.head_timeout, Pace::new(options));
        Self { address, members, head_timeout, words, open: Mutex::default(), extensions: extensions.into(), pace }
    }

    pub(crate) fn say(&self, word: Word) {
        // An instance that has ended hears nothing more.
        let _ = self.words.send(word);
    }

    /// Notes that the answer is complete before its client can know it and come with the next request.
    fn complete(&self) {
        if let Some(open) = lock(&self.open).as_mut() {
            open.seat.finishing();
        }
    }
}

/// Serves one process until it is gone and all that it sent has been read. Dropped before, every connection breaks.
pub(crate) async fn serve(desk: Arc<Desk>, listener: TcpListener, mut gone: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, peer)) = listener.accept() => drop(connections.spawn(converse(desk.clone(), stream, peer))),
            Some(_) = connections.join_next() => {}
            _ = &mut gone => break,
        }
    }
    // A process can have connected, sent and died before anybody looked.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, peer)) = listener.accept() {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            connections.extend(stream.ok().map(|stream| converse(desk.clone(), stream, peer)));
        }
    }
    while connections.join_next().await.is_some() {}
}

/// One connection, to its end. Whose it is, is found out once, when its first request is there.
async fn converse(desk: Arc<Desk>, stream: TcpStream, peer: SocketAddr) {
    let requests = Requests::default();
    let whose = Arc::new(OnceCell::new());
    let stream = Punctual::new(Prompt::new(stream), &requests, desk.head_timeout);
    let service = service_fn(move |request| {
        let (desk, whose, open) = (desk.clone(), whose.clone(), requests.begin(&request));
        async move {
            let whose = *whose.get_or_init(|| judge(&desk, peer)).await;
            let reply = answer(&desk, whose, request).await;
            drop(open);
            Ok::<_, std::convert::Infallible>(reply)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

async fn judge(desk: &Arc<Desk>, peer: SocketAddr) -> Peer {
    if desk.members.is_likely(peer, desk.address) {
        return Peer::Own;
    }
    let judging = desk.clone();
    let judged = tokio::task::spawn_blocking(move || judging.members.judge(peer, judging.address)).await;
    judged.unwrap_or(Peer::Stranger)
}

async fn answer(desk: &Arc<Desk>, whose: Peer, request: Request<Incoming>) -> Reply {
    if let Err(message) = guard::runtime(&request, &desk.address.to_string()) {
        return refuse(StatusCode::FORBIDDEN, "Forbidden", &message);
    }
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    // A process may end as soon as it has sent its last words. These need an id that no stranger knows: the request's, or
    // the extension's.
    let last_words = matches!(
        segments.as_slice(),
        ["2018-06-01", "runtime", "invocation", _, "response" | "error"]
            | ["2020-01-01", "extension", "init" | "exit", "error"]
    );
    if whose == Peer::Stranger || (whose == Peer::Gone && !last_words) {
        let message = "this Runtime API is for the processes of its own instance";
        return refuse(StatusCode::FORBIDDEN, "Forbidden", message);
    }
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(desk).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => response(desk, id, request).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => error(desk, id, request).await,
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => init_error(desk, request).await,
        (_, ["2020-01-01", "extension", rest @ ..]) => extension::answer(desk, request, rest).await,
        _ => refuse(StatusCode::NOT_FOUND, "NotFound", "the Runtime API has no such path"),
    }
}

pub(crate) fn reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Response::new(Full::from(body.to_string()));
    *reply.status_mut() = status;
    reply.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    reply
}

pub(crate) fn refuse(status: StatusCode, kind: &str, message: &str) -> Reply {
    reply(status, &json!({"errorType": kind, "errorMessage": message}))
}

fn accepted() -> Reply {
    reply(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

async fn next(desk: &Desk) -> Reply {
    let (waiting, delivery) = oneshot::channel();
    desk.say(Word::Next(waiting));
    let Ok(Delivery { headers, event }) = delivery.await else {
        return refuse(StatusCode::GONE, "Shutdown", "this instance is ending");
    };
    let mut reply = Response::new(Full::new(event));
    reply.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

/// Takes the client that waits for this id, with the place of its failure; each can be answered once.
fn take(desk: &Desk, id: &str, headers: &HeaderMap) -> Result<(Client, Failure), Box<Reply>> {
    let mut open = lock(&desk.open);
    let Some(open) = open.as_mut().filter(|open| open.request_id == id) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID").into());
    };
    if headers
        .get("lambda-runtime-invocation-id")
        .is_some_and(|echoed| echoed.as_bytes() != open.invocation_id.as_bytes())
    {
        desk.say(Word::Stale { id: id.to_owned() });
        return Err(refuse(StatusCode::GONE, "InvocationExpired", "the invocation is over").into());
    }
    let failure = open.failure.clone();
    open.reply.take().map(|client| (client, failure)).ok_or_else(|| {
        let message = "State transition from Ready to InvocationResponse failed for runtime. Error: State transition is not allowed";
        refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", message).into()
    })
}

/// Says that a body was cut unless it says something else first: a broken connection drops its handler.
struct Telling<'a>(&'a Desk, Option<Ending>);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.say(Word::Answered(self.1.take().unwrap_or(Ending::Cut)));
    }
}

async fn response(desk: &Arc<Desk>, id: &str, request: Request<Incoming>) -> Reply {
    let (client, failure) = match take(desk, id, request.headers()) {
        Ok(taken) => taken,
        Err(refusal) => return *refusal,
    };
    let headers = request.headers();
    let streaming = headers
        .get("lambda-runtime-function-response-mode")
        .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
    let content_type = headers.get("content-type").cloned();
    let (pieces, body) = pipe();
    desk.say(Word::Answering);
    let mut telling = Telling(desk, None);
    let (pace, words) = (desk.pace.clone(), desk.words.clone());
    let told = failure.clone();
    let answer = Answer { streaming, content_type, pieces: body, over: false, too_long: None, pace, failure, words };
    let mut reading = client.send(Ok(Outcome::Answer(answer))).is_ok();
    let mut trailers = None;
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return refuse(StatusCode::BAD_REQUEST, "Truncated", "the body was cut");
        };
        match frame.into_data() {
            // A client that left changes nothing for the function: its answer is drained, as on AWS.
            Ok(bytes) => {
                if bytes.starts_with(ERROR_TEXT) {
                    desk.say(Word::Words(String::from_utf8_lossy(&bytes).into_owned()));
                }
                reading = reading && (bytes.is_empty() || pieces.send(Piece::Chunk(bytes)).await);
            }
            Err(frame) => trailers = frame.into_trailers().ok().and_then(|trailers| error_in(&trailers)),
        }
    }
    if let Some((kind, body)) = trailers {
        let payload = if body.starts_with('{') {
            body.clone()
        } else {
            json!({"errorType": kind, "errorMessage": body}).to_string()
        };
        let _ = told.set(payload.into());
        telling.1 = Some(Ending::Trailers(format!("{kind} {body}")));
        return accepted();
    }
    desk.complete();
    reading = reading && pieces.send(Piece::End).await;
    telling.1 = Some(if reading { Ending::Whole } else { Ending::Unread });
    accepted()
}

/// The failure that trailers tell of: its type, and what is said of it.
fn error_in(trailers: &HeaderMap) -> Option<(String, String)> {
    use base64::Engine;
    let text = |name: &str| trailers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let kind = text("lambda-runtime-function-error-type")?;
    let body = text("lambda-runtime-function-error-body").unwrap_or_default();
    let decoded =
        base64::engine::general_purpose::STANDARD.decode(&body).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Some((kind, decoded.unwrap_or(body)))
}

/// Reads an error's body; one of several megabytes is none.
pub(crate) async fn read(request: Request<Incoming>) -> Bytes {
    let body = Limited::new(request.into_body(), 6 * 1024 * 1024);
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

async fn error(desk: &Arc<Desk>, id: &str, request: Request<Incoming>) -> Reply {
    let (client, _) = match take(desk, id, request.headers()) {
        Ok(taken) => taken,
        Err(refusal) => return *refusal,
    };
    let mut telling = Telling(desk, None);
    let payload = read(request).await;
    desk.say(Word::Failed { text: String::from_utf8_lossy(&payload).into_owned() });
    desk.complete();
    let _ = client.send(Ok(Outcome::Error { payload, last: String::new() }));
    telling.1 = Some(Ending::Whole);
    accepted()
}

async fn init_error(desk: &Arc<Desk>, request: Request<Incoming>) -> Reply {
    let payload = read(request).await;
    desk.say(Word::InitFailed { payload });
    accepted()
}
