//! A chat endpoint that streams its answer, word by word: `POST /chat` with `{"message": "…"}`. It has no Lambda code.

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

/// The pause before each word.
const PACE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Chat {
    message: String,
}

/// The words of the answer. A real server would call its model here.
fn answer(message: &str) -> Vec<String> {
    format!("You said: {message}\n")
        .split_inclusive(' ')
        .map(str::to_owned)
        .collect()
}

async fn chat(Json(Chat { message }): Json<Chat>) -> Body {
    Body::from_stream(stream::iter(answer(&message)).then(|word| async {
        tokio::time::sleep(PACE).await;
        Ok::<_, Infallible>(word)
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(8080);
    let app = Router::new()
        .route(
            "/",
            get(|| async { "POST {\"message\": \"hello\"} to /chat\n" }),
        )
        .route("/chat", post(chat));
    axum::serve(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?, app).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_answer_comes_word_by_word() {
        let mut words = chat(Json(Chat {
            message: "hello".to_owned(),
        }))
        .await
        .into_data_stream();
        let mut found = Vec::new();
        while let Some(Ok(word)) = words.next().await {
            found.push(word);
        }
        assert_eq!(found, ["You ", "said: ", "hello\n"]);
    }
}
