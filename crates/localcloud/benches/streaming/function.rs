//! The function, as the local cloud and `cargo lambda watch` run it.

use std::convert::Infallible;

use futures_util::StreamExt;
use lambda_runtime::{Error, LambdaEvent, MetadataPrelude, StreamResponse, run as serve, service_fn};
use serde_json::Value;

use crate::bytes;

/// Serves until it is ended; one thread is enough for one request at a time.
pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(service_fn(answer))).unwrap();
}

async fn answer(
    event: LambdaEvent<Value>,
) -> Result<StreamResponse<impl futures_util::Stream<Item = Result<::bytes::Bytes, Infallible>>>, Error> {
    let asked = bytes::asked(event.payload["rawQueryString"].as_str().unwrap_or_default());
    let mut prelude = MetadataPrelude::default();
    prelude.headers.insert("content-type", http::HeaderValue::from_static("application/octet-stream"));
    Ok(StreamResponse { metadata_prelude: prelude, stream: Box::pin(bytes::made(&asked).map(Ok)) })
}
