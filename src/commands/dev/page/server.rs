//! Serves the page, its feed, and the requests that it sends.

use super::body::ChannelBody;
use super::exchange::{self, PageRequest};
use super::feed::Feed;
use super::guard::Guard;
use super::targets::Targets;
use crate::report::Console;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

/// The largest request, in bytes. Lambda accepts 6 MB; JSON may write one byte as six.
const LARGEST: usize = 40 * 1024 * 1024;
/// How many parts of a response wait until the page reads them.
const ROOM: usize = 1024;
/// The pause after a connection that could not be accepted, such as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A tab may be older than this run, which has a token of its own.
const ELSEWHERE: &str = "Open the address that `lamstream dev --open` prints.";

/// The page loads nothing from elsewhere and runs nothing but its own script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // The address has the token.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The page's files: their names, types and contents.
const FILES: [(&str, &str, &str); 4] = [
    ("", "text/html; charset=utf-8", include_str!("index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page.js")),
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

/// What the server needs to answer.
pub(super) struct Server {
    pub guard: Guard,
    pub feed: Arc<Feed>,
    pub targets: Arc<Targets>,
    pub console: Console,
}

type Answer = Response<Either<Full<Bytes>, ChannelBody>>;

impl Server {
    /// Never ends; all connections end when it is dropped.
    pub(super) async fn serve(self, listener: TcpListener) {
        let (server, mut connections) = (Arc::new(self), JoinSet::new());
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let _ = stream.set_nodelay(true);
            let server = Arc::clone(&server);
            connections.spawn(async move {
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request).await) }
                });
                // It ends with an error if the client leaves.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let mut answer = self.routed(request).await.unwrap_or_else(|status| {
            let mut answer = text("text/plain; charset=utf-8", format!("{status}\n{ELSEWHERE}\n"));
            *answer.status_mut() = status;
            answer
        });
        for (name, value) in HEADERS {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }

    async fn routed(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, StatusCode> {
        let (parts, body) = request.into_parts();
        let rest = self.guard.admit(&parts.method, parts.uri.path(), &parts.headers)?;
        match (&parts.method, rest) {
            (&Method::GET, "feed") => {
                let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
                Ok(self.feed_from(last.unwrap_or(0)))
            }
            (&Method::POST, "send") => {
                let read = Limited::new(body, LARGEST).collect().await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
                let wanted = serde_json::from_slice(&read.to_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
                Ok(self.exchange(wanted))
            }
            (&Method::GET, file) => {
                let found = FILES.iter().find(|(name, ..)| *name == file).ok_or(StatusCode::NOT_FOUND)?;
                Ok(text(found.1, found.2))
            }
            _ => Err(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    /// Everything that has happened after this number, and everything that happens from now on.
    fn feed_from(self: Arc<Self>, number: u64) -> Answer {
        let (sender, body) = ChannelBody::new(ROOM);
        tokio::spawn(async move {
            let sending = self.send_news(number, &sender);
            tokio::select! {
                () = sending => {}
                () = sender.closed() => {}
            }
        });
        streamed("text/event-stream", body)
    }

    /// Ends when nothing can be sent.
    async fn send_news(&self, mut number: u64, sender: &Sender<Bytes>) {
        let mut latest = self.feed.subscribe();
        loop {
            latest.mark_unchanged();
            let (news, reached) = self.feed.news(number);
            number = reached;
            let events: String = news
                .iter()
                .map(|news| format!("event: {}\nid: {number}\ndata: {}\n\n", news.kind, news.content))
                .collect();
            if !events.is_empty() && sender.send(events.into()).await.is_err() {
                return;
            }
            if latest.changed().await.is_err() {
                return;
            }
        }
    }

    fn exchange(self: Arc<Self>, wanted: PageRequest) -> Answer {
        let (sender, body) = ChannelBody::new(ROOM);
        tokio::spawn(async move { exchange::run(&self.targets, &self.console, wanted, sender).await });
        streamed("application/x-ndjson", body)
    }
}

fn text(kind: &'static str, content: impl Into<Bytes>) -> Answer {
    with_type(kind, Either::Left(Full::new(content.into())))
}

fn streamed(kind: &'static str, body: ChannelBody) -> Answer {
    with_type(kind, Either::Right(body))
}

fn with_type(kind: &'static str, body: Either<Full<Bytes>, ChannelBody>) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
