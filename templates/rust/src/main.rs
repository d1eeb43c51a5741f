//! A chat endpoint that streams its answer, word by word: `POST /chat` with `{"message": "…"}`.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use lambda_http::{Error, Request, Response, run_with_streaming_response, service_fn};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;

/// The pause before each word.
const PACE: Duration = Duration::from_millis(100);

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

#[derive(Deserialize)]
struct Chat {
    message: String,
}

/// The words of the answer. A real function would call its model here.
fn answer(message: &str) -> Vec<String> {
    format!("You said: {message}\n")
        .split_inclusive(' ')
        .map(str::to_owned)
        .collect()
}

async fn handle(request: Request) -> Result<Response<Body>, Error> {
    let (status, words) = match (request.method().as_str(), request.uri().path()) {
        ("POST", "/chat") => match serde_json::from_slice::<Chat>(request.body()) {
            Ok(chat) => (200, answer(&chat.message)),
            Err(error) => (422, vec![format!("{error}\n")]),
        },
        ("GET", "/") => (
            200,
            vec!["POST {\"message\": \"hello\"} to /chat\n".to_owned()],
        ),
        _ => (404, vec!["not found\n".to_owned()]),
    };
    let chunks = stream::iter(words).then(|word| async {
        tokio::time::sleep(PACE).await;
        Ok(Frame::data(Bytes::from(word)))
    });
    let response = Response::builder()
        .status(status)
        .header("content-type", "text/plain; charset=utf-8");
    Ok(response.body(StreamBody::new(chunks.boxed()))?)
}

/// One thread is enough: Lambda gives an instance one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run_with_streaming_response(service_fn(handle)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test(start_paused = true)]
    async fn the_answer_comes_word_by_word() {
        let mut request = Request::new(r#"{"message": "hello"}"#.into());
        *request.method_mut() = "POST".parse().expect("a method");
        *request.uri_mut() = "/chat".parse().expect("a path");
        let mut body = handle(request).await.expect("a response").into_body();
        let mut words = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            words.push(frame.into_data().expect("data"));
        }
        assert_eq!(words, ["You ", "said: ", "hello\n"]);
    }

    #[tokio::test(start_paused = true)]
    async fn other_paths_are_not_found() {
        let mut request = Request::default();
        *request.uri_mut() = "/nowhere".parse().expect("a path");
        assert_eq!(handle(request).await.expect("a response").status(), 404);
    }
}
