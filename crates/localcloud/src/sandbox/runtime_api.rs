//! The Runtime API: how a process gets requests, and answers them.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::answer::{Answer, FailureReason};
use super::channel::RuntimeChannel;
use super::extensions_api;
use super::message::{AnswerEnd, BodyEnd, Delivery, RuntimeMessage};
use super::pipe::{Piece, pipe};
use super::processes::Peer;
use super::request::{Outcome, Reply};
use super::runtime_reply::{RuntimeReply, accepted, read_body, refuse};
use crate::net::guard;
use crate::net::head_timeout::{HeadTimeout, Requests};
use crate::net::quick_ack::QuickAck;
use crate::net::self_wake::SelfWaking;
use crate::sync::lock;

/// lambda_runtime should send this as a trailer when a stream fails, but writes it into the body, as a separate chunk.
const ERROR_TEXT: &[u8] = b"Lambda-Runtime-Function-Error-Type:";

/// Serves an instance until its process is gone and everything that it sent has been read. If this is dropped earlier,
/// all connections break.
pub(super) async fn serve(channel: Arc<RuntimeChannel>, listener: TcpListener, mut gone: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, peer)) = listener.accept() => drop(connections.spawn(serve_connection(channel.clone(), stream, peer))),
            Some(_) = connections.join_next() => {}
            _ = &mut gone => break,
        }
    }
    // A process may have connected, sent something and ended since the last `accept`.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, peer)) = listener.accept() {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            connections.extend(stream.ok().map(|stream| serve_connection(channel.clone(), stream, peer)));
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Serves one connection to its end. Its process is looked up once, at its first request.
async fn serve_connection(channel: Arc<RuntimeChannel>, stream: TcpStream, peer: SocketAddr) {
    let requests = Requests::default();
    let process = Arc::new(OnceCell::new());
    let stream = HeadTimeout::new(QuickAck::new(stream), &requests, channel.head_timeout);
    let service = service_fn(move |request| {
        let (channel, process, open) = (channel.clone(), process.clone(), requests.begin(&request));
        async move {
            let process = *process.get_or_init(|| identify(&channel, peer)).await;
            let reply = answer(&channel, process, request).await;
            drop(open);
            Ok::<_, std::convert::Infallible>(reply)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = SelfWaking::new(connection).await;
}

async fn identify(channel: &Arc<RuntimeChannel>, peer: SocketAddr) -> Peer {
    if channel.processes.is_likely(peer, channel.address) {
        return Peer::Own;
    }
    let blocking = channel.clone();
    let identified = tokio::task::spawn_blocking(move || blocking.processes.identify(peer, blocking.address)).await;
    identified.unwrap_or(Peer::Foreign)
}

async fn answer(channel: &Arc<RuntimeChannel>, process: Peer, request: Request<Incoming>) -> RuntimeReply {
    if let Err(message) = guard::runtime(&request, &channel.address.to_string()) {
        return refuse(StatusCode::FORBIDDEN, "Forbidden", &message);
    }
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    // A process may end as soon as it has sent one of these. Each needs the id of a request or of an extension, which
    // no other process knows.
    let may_be_last = matches!(
        segments.as_slice(),
        ["2018-06-01", "runtime", "invocation", _, "response" | "error"]
            | ["2020-01-01", "extension", "init" | "exit", "error"]
    );
    if process == Peer::Foreign || (process == Peer::Gone && !may_be_last) {
        let message = "this Runtime API is for the processes of its own instance";
        return refuse(StatusCode::FORBIDDEN, "Forbidden", message);
    }
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(channel).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            response(channel, id, request).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => error(channel, id, request).await,
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => init_error(channel, request).await,
        (_, ["2020-01-01", "extension", rest @ ..]) => extensions_api::answer(channel, request, rest).await,
        _ => refuse(StatusCode::NOT_FOUND, "NotFound", "the Runtime API has no such path"),
    }
}

async fn next(channel: &RuntimeChannel) -> RuntimeReply {
    let (waiting, delivery) = oneshot::channel();
    channel.send(RuntimeMessage::Next(waiting));
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

/// Takes the client that waits for the answer to this request, which can be answered only once.
fn take(channel: &RuntimeChannel, id: &str, headers: &HeaderMap) -> Result<(Reply, FailureReason), Box<RuntimeReply>> {
    let mut open = lock(&channel.open);
    let Some(open) = open.as_mut().filter(|open| open.request_id == id) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID").into());
    };
    if headers
        .get("lambda-runtime-invocation-id")
        .is_some_and(|echoed| echoed.as_bytes() != open.invocation_id.as_bytes())
    {
        channel.send(RuntimeMessage::Stale { id: id.to_owned() });
        return Err(refuse(StatusCode::GONE, "InvocationExpired", "the invocation is over").into());
    }
    let failure = open.failure.clone();
    open.reply.take().map(|client| (client, failure)).ok_or_else(|| {
        let message = "State transition from Ready to InvocationResponse failed for runtime. Error: State transition is not allowed";
        refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", message).into()
    })
}

/// Reports how a body ended. If the connection breaks, hyper drops the handler, and the body was cut.
struct EndReport<'a> {
    channel: &'a RuntimeChannel,
    end: Option<BodyEnd>,
    bytes: u64,
}

impl Drop for EndReport<'_> {
    fn drop(&mut self) {
        let end = self.end.take().unwrap_or(BodyEnd::Cut);
        self.channel.send(RuntimeMessage::Answered(AnswerEnd { end, bytes: self.bytes, at: Instant::now() }));
    }
}

async fn response(channel: &Arc<RuntimeChannel>, id: &str, request: Request<Incoming>) -> RuntimeReply {
    // The port was the app's when the request was delivered.
    if let Some(problem) = channel.stranger().await {
        let refusal = refuse(StatusCode::CONFLICT, "PortTaken", &problem);
        channel.send(RuntimeMessage::PortTaken(problem));
        return refusal;
    }
    let (client, failure) = match take(channel, id, request.headers()) {
        Ok(taken) => taken,
        Err(refusal) => return *refusal,
    };
    let headers = request.headers();
    let streaming = headers
        .get("lambda-runtime-function-response-mode")
        .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
    let content_type = headers.get("content-type").cloned();
    let (pieces, body) = pipe();
    channel.send(RuntimeMessage::Answering { at: Instant::now() });
    let mut end = EndReport { channel, end: None, bytes: 0 };
    let (limit, messages) = (channel.stream_limit.clone(), channel.messages.clone());
    let reason = failure.clone();
    let answer =
        Answer { streaming, content_type, pieces: body, over: false, too_long: None, limit, failure, messages };
    let mut reading = client.send(Ok(Outcome::Answer(answer))).is_ok();
    let mut trailers = None;
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return refuse(StatusCode::BAD_REQUEST, "Truncated", "the body was cut");
        };
        match frame.into_data() {
            // If the client has left, the answer is drained, as on AWS: the function does not notice.
            Ok(bytes) => {
                end.bytes += bytes.len() as u64;
                if bytes.starts_with(ERROR_TEXT) {
                    channel.send(RuntimeMessage::ErrorInBody(String::from_utf8_lossy(&bytes).into_owned()));
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
        let _ = reason.set(payload.into());
        end.end = Some(BodyEnd::Trailers { kind, body });
        return accepted();
    }
    channel.answer_complete();
    reading = reading && pieces.send(Piece::End).await;
    end.end = Some(if reading { BodyEnd::Complete } else { BodyEnd::Unread });
    accepted()
}

/// The failure in error trailers: its type, and its details.
fn error_in(trailers: &HeaderMap) -> Option<(String, String)> {
    let text = |name: &str| trailers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let kind = text("lambda-runtime-function-error-type")?;
    let body = text("lambda-runtime-function-error-body").unwrap_or_default();
    let decoded = STANDARD.decode(&body).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    Some((kind, decoded.unwrap_or(body)))
}

async fn error(channel: &Arc<RuntimeChannel>, id: &str, request: Request<Incoming>) -> RuntimeReply {
    let (client, _) = match take(channel, id, request.headers()) {
        Ok(taken) => taken,
        Err(refusal) => return *refusal,
    };
    let mut end = EndReport { channel, end: None, bytes: 0 };
    let payload = read_body(request).await;
    channel.send(RuntimeMessage::Failed { text: String::from_utf8_lossy(&payload).into_owned() });
    channel.answer_complete();
    let _ = client.send(Ok(Outcome::Error { payload, last: String::new() }));
    end.end = Some(BodyEnd::Complete);
    accepted()
}

async fn init_error(channel: &Arc<RuntimeChannel>, request: Request<Incoming>) -> RuntimeReply {
    let payload = read_body(request).await;
    channel.send(RuntimeMessage::InitFailed { payload });
    accepted()
}
