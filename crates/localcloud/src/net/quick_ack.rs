//! A TCP stream that acknowledges what it receives immediately.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::platform::start;

/// The Runtime API's side of a connection. Clients that leave Nagle's algorithm on send a second small write only when
/// the first is acknowledged, and the kernel delays acknowledgements by 40 ms. Linux resets TCP_QUICKACK, so it
/// is set again each time that everything has been read.
pub(crate) struct QuickAck(TcpStream);

impl QuickAck {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // A hint: without it the connection is slower, but works.
        let _ = stream.set_nodelay(true);
        let stream = Self(stream);
        stream.acknowledge();
        stream
    }

    fn acknowledge(&self) {
        start::acknowledge(&self.0);
    }
}

impl AsyncRead for QuickAck {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.0).poll_read(cx, buf);
        // As long as there is more to read, the client has not begun to wait.
        if polled.is_pending() {
            self.acknowledge();
        }
        polled
    }
}

impl AsyncWrite for QuickAck {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
