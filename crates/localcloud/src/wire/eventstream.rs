//! The frames of `InvokeWithResponseStream`.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

fn frame(event: &'static str, content_type: &'static str, payload: Bytes) -> Bytes {
    let header = |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new(payload)
        .add_header(header(":event-type", event))
        .add_header(header(":content-type", content_type))
        // The Rust SDK refuses frames without this header.
        .add_header(header(":message-type", "event"));
    let mut buffer = Vec::new();
    // Writing fails only for headers or payloads beyond 16 MB, which no piece of a body is.
    let _ = write_message_to(&message, &mut buffer);
    buffer.into()
}

/// A part of the function's answer.
pub(crate) fn chunk(payload: Bytes) -> Bytes {
    frame("PayloadChunk", "application/octet-stream", payload)
}

/// The last frame, with the result.
pub(crate) fn complete(value: &serde_json::Value) -> Bytes {
    frame("InvokeComplete", "application/json", value.to_string().into())
}
