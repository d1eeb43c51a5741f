//! A plain axum server that counts, one number per chunk. It has no Lambda code.

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::routing::get;
use futures_util::stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

/// The pause before each number except the first.
const PACE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Count {
    #[serde(default = "ten")]
    to: u32,
}

fn ten() -> u32 {
    10
}

async fn count(Query(Count { to }): Query<Count>) -> Body {
    Body::from_stream(stream::unfold(1, move |number| async move {
        if number > 1 {
            tokio::time::sleep(PACE).await;
        }
        (number <= to).then(|| (Ok::<_, Infallible>(format!("{number}\n")), number + 1))
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    let app = Router::new().route("/", get(|| async { "count at /count?to=10\n" })).route("/count", get(count));
    axum::serve(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?, app).await
}
