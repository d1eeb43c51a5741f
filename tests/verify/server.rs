//! An HTTP/1.1 server on loopback whose answers are written by hand, so that every byte and pause is a test's own.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Server {
    pub url: String,
    /// Each request's head and body, as they came.
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers each request with `answer`, which gets the request's number from 0 and the connection to write to. The
    /// connection is closed when it returns.
    pub(crate) async fn start<F, A>(answer: F) -> Server
    where
        F: Fn(usize, Connection) -> A + Send + Sync + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let task = tokio::spawn(async move {
            loop {
                let mut stream = listener.accept().await.unwrap().0;
                stream.set_nodelay(true).unwrap();
                let request = read_request(&mut stream).await;
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request);
                    seen.len() - 1
                };
                tokio::spawn(answer(number, Connection(stream)));
            }
        });
        Server { url, requests, task }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// Writes that fail are none of a test's business: a client may leave once it has seen enough.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) async fn raw(&mut self, text: &str) {
        self.bytes(text.as_bytes()).await;
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        drop(self.0.write_all(bytes).await);
        drop(self.0.flush().await);
    }

    /// A whole answer in one piece.
    pub(crate) async fn whole(&mut self, status: u16, body: &str) {
        let length = body.len();
        self.raw(&format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")).await;
    }

    /// The head of an answer that streams.
    pub(crate) async fn head(&mut self, status: u16) {
        self.raw(&format!("HTTP/1.1 {status} X\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")).await;
    }

    pub(crate) async fn chunk(&mut self, text: &str) {
        self.raw(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    pub(crate) async fn last_chunk(&mut self) {
        self.raw("0\r\n\r\n").await;
    }

    /// The pause that a client is to notice.
    pub(crate) async fn pause(&self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Keeps the connection open until the client closes it, and says nothing.
    pub(crate) async fn hang(mut self) {
        let mut byte = [0];
        while self.0.read(&mut byte).await.is_ok_and(|count| count > 0) {}
    }
}
