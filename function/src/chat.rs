//! The chat's answer as a stream. Each token is produced when the client is ready for it, never in advance.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::time::Duration;

/// The pause between two tokens of the text.
const PACE: Duration = Duration::from_millis(30);

const TEXT: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit.
        Sed tincidunt ex ac quam pretium, ut interdum arcu pharetra. Nulla facilisi.
        Integer pellentesque libero quis est semper, vitae tristique ligula elementum.";

#[derive(Serialize)]
struct Artifact {
    title: &'static str,
    description: &'static str,
    uri: &'static str,
}

const ARTIFACTS: [Artifact; 2] = [
    Artifact {
        title: "Chatgpt api url questions: Chatgpt3.5 error",
        description: "I tried to use openai's api,but it didn't work...",
        uri: "https://stackoverflow.com/questions/76172889/chatgpt-api-url-questions-chatgpt3-5-error",
    },
    Artifact {
        title: "installing pandas-profiling error in python 3.10",
        description: "I am trying to install pandas-profiling in python 3.10 using pychan installation package option.",
        uri: "https://stackoverflow.com/questions/71322187/installing-pandas-profiling-error-in-python-3-10",
    },
];

/// The tokens of the answer to `query`, one per chunk. A real endpoint would call its model here; this one gives the same
/// answer to every query.
pub fn tokens(_query: &str) -> impl Stream<Item = Bytes> + Send + use<> {
    let text = stream::iter(TEXT.char_indices())
        .map(|(at, token)| Bytes::from_static(&TEXT.as_bytes()[at..at + token.len_utf8()]));
    let artifacts = stream::iter(&ARTIFACTS).flat_map(|artifact| {
        stream::iter([Bytes::from_static(b"[ARTIFACT]"), indented(artifact), Bytes::from_static(b"[/ARTIFACT]")])
    });
    let mark = |mark: &'static str| stream::iter([Bytes::from_static(mark.as_bytes())]);
    mark("[START]").chain(paced(text)).chain(mark("[END]")).chain(artifacts)
}

/// Adds a pause before every chunk except the first. The pause is a timer, so it does not block the thread, and no chunk is
/// produced until the client is ready for it.
fn paced(chunks: impl Stream<Item = Bytes> + Send) -> impl Stream<Item = Bytes> + Send {
    let mut first = true;
    chunks.then(move |chunk| {
        let pause = if std::mem::take(&mut first) { Duration::ZERO } else { PACE };
        async move {
            tokio::time::sleep(pause).await;
            chunk
        }
    })
}

/// Formats JSON like Python's `json.dumps(…, indent=4)`.
fn indented(artifact: &Artifact) -> Bytes {
    let mut json = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut json, PrettyFormatter::with_indent(b"    "));
    artifact.serialize(&mut serializer).expect("three strings are JSON");
    json.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn the_text_comes_one_character_every_30_ms() {
        let start = Instant::now();
        let mut tokens = pin!(tokens("hello"));
        assert_eq!(tokens.next().await.as_deref(), Some(&b"[START]"[..]));
        for (nth, character) in TEXT.chars().enumerate() {
            let chunk = tokens.next().await.expect("a chunk for every character");
            assert_eq!(chunk, character.to_string().as_bytes());
            assert_eq!(start.elapsed(), PACE * nth as u32);
        }
        assert_eq!(tokens.next().await.as_deref(), Some(&b"[END]"[..]));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_made_ahead_of_a_slow_reader() {
        let mut tokens = pin!(tokens("hello"));
        tokens.next().await;
        tokens.next().await;
        tokio::time::sleep(PACE * 100).await;
        let asked = Instant::now();
        tokens.next().await;
        assert_eq!(asked.elapsed(), PACE, "the pause began before the reader asked");
    }
}
