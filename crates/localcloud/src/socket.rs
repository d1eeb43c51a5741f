//! A TCP stream that acknowledges at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What only a read in a flood of bytes finds.
const FLOOD: usize = 16 * 1024;

/// The Runtime API's side of a connection. Clients that leave Nagle on send a second small write only when the first is
/// acknowledged, and the kernel delays acknowledgements by 40 ms; it forgets TCP_QUICKACK, so every read asks again.
pub(crate) struct Prompt(TcpStream);

impl Prompt {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // Both are hints: a kernel that refuses them is slower, not wrong.
        let _ = stream.set_nodelay(true);
        let prompt = Self(stream);
        prompt.acknowledge();
        prompt
    }

    fn acknowledge(&self) {
        let _ = rustix::net::sockopt::set_tcp_quickack(&self.0, true);
    }
}

impl AsyncRead for Prompt {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.0).poll_read(cx, buf);
        // In a flood the kernel acknowledges by itself; once it pauses, a read finds little or nothing.
        if polled.is_pending() || buf.filled().len() - before < FLOOD {
            self.acknowledge();
        }
        polled
    }
}

impl AsyncWrite for Prompt {
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
