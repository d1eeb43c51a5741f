//! A hyper server with nothing between it and its client.

use std::convert::Infallible;

use futures_util::StreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;

use crate::bytes;
use crate::machine::{Process, own};

/// Runs it as a process of its own.
pub(crate) fn start() -> Process {
    own(&["bare"])
}

/// Serves, and prints its address.
pub(crate) async fn serve() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("http://{}/", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
            let made = bytes::made(&bytes::asked(request.uri().query().unwrap_or_default()));
            let frames = made.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
            Ok::<_, Infallible>(http::Response::new(StreamBody::new(Box::pin(frames))))
        });
        tokio::spawn(async move {
            drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
