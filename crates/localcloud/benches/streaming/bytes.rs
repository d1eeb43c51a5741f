//! The bytes that every server sends, as a request's query says.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};

use crate::measure;

/// Reads `count`, `size` and `pause` of a query.
pub(crate) fn asked(query: &str) -> measure::Stream {
    let read = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
    };
    measure::Stream {
        count: read("count").unwrap_or(1),
        size: read("size").unwrap_or(16),
        pause: read("pause").unwrap_or(0),
    }
}

/// Chunk after chunk, with a pause before each but the first.
pub(crate) fn made(asked: &measure::Stream) -> impl Stream<Item = Bytes> + Send + 'static + use<> {
    let (count, pause) = (asked.count, Duration::from_millis(asked.pause));
    let chunk = Bytes::from(vec![b'x'; asked.size as usize]);
    stream::unfold(0, move |number| {
        let chunk = chunk.clone();
        async move {
            if number > 0 && !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            (number < count).then_some((chunk, number + 1))
        }
    })
}
