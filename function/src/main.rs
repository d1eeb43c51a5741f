//! A chat endpoint that streams its response token by token. Copy it to start your own.

mod answer;
mod chat;
mod request;

use answer::Answer;
use http::{Method, StatusCode};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use request::Request;

/// One thread is enough: Lambda gives an instance one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|event: LambdaEvent<Request>| async move { Ok::<_, Error>(route(&event.payload)) })).await
}

/// Routes a request. Unknown paths and methods get an error in FastAPI's format.
fn route(request: &Request) -> Answer {
    match (request.path(), request.method()) {
        ("/", Method::GET) => answer::text("POST /stream/chat?query=… streams an answer, token by token\n"),
        ("/", _) => answer::method_not_allowed(&Method::GET),
        ("/stream/chat", Method::POST) => match request.query("query") {
            Some(query) => answer::stream(chat::tokens(&query)),
            None => answer::missing_query("query"),
        },
        ("/stream/chat", _) => answer::method_not_allowed(&Method::POST),
        _ => answer::detail(StatusCode::NOT_FOUND, "Not Found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    fn request(method: &str, path: &str, query: &str) -> Request {
        serde_json::from_value(serde_json::json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query,
            "requestContext": { "http": { "method": method } },
        }))
        .expect("a payload 2.0 event")
    }

    async fn body(answer: Answer) -> String {
        let chunks: Vec<_> = answer.stream.map(|Ok(chunk)| chunk).collect().await;
        String::from_utf8(chunks.concat()).expect("utf-8")
    }

    async fn answer_to(method: &str, path: &str, query: &str) -> (u16, String) {
        let answer = route(&request(method, path, query));
        (answer.metadata_prelude.status_code.as_u16(), body(answer).await)
    }

    #[tokio::test]
    async fn the_root_names_the_endpoint() {
        let (status, body) = answer_to("GET", "/", "").await;
        assert_eq!(status, 200);
        assert!(body.contains("/stream/chat"), "{body}");
    }

    #[tokio::test]
    async fn a_missing_query_is_a_422_in_fastapis_shape() {
        for query in ["", "quer=1", "other=query"] {
            let (status, body) = answer_to("POST", "/stream/chat", query).await;
            assert_eq!(status, 422);
            let json: serde_json::Value = serde_json::from_str(&body).expect("json");
            let expected = serde_json::json!({"detail": [
                {"type": "missing", "loc": ["query", "query"], "msg": "Field required", "input": null}
            ]});
            assert_eq!(json, expected);
        }
    }

    #[tokio::test]
    async fn an_event_of_another_shape_is_not_found() {
        let request: Request = serde_json::from_str("{}").expect("an empty event");
        assert_eq!(route(&request).metadata_prelude.status_code, 404);
    }

    #[tokio::test]
    async fn other_paths_and_methods_are_refused_as_json() {
        assert_eq!(answer_to("GET", "/nowhere", "").await, (404, r#"{"detail":"Not Found"}"#.into()));
        for (method, path, allowed) in [("GET", "/stream/chat", "POST"), ("DELETE", "/", "GET")] {
            let answer = route(&request(method, path, "query=x"));
            assert_eq!(answer.metadata_prelude.status_code, 405);
            assert_eq!(answer.metadata_prelude.headers["allow"], allowed);
            assert_eq!(body(answer).await, r#"{"detail":"Method Not Allowed"}"#);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_chat_streams_the_articles_exact_bytes() {
        let answer = route(&request("POST", "/stream/chat", "query=hello"));
        assert_eq!(answer.metadata_prelude.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(body(answer).await.as_bytes(), include_bytes!("stream_chat_body.bin"));
    }
}
