//! Finds the answer in the body of a response to one of MCP's requests: one JSON document, or an event stream in which
//! other messages may come first. Source: MCP, "Streamable HTTP".

use serde_json::Value;

/// The largest message that is kept, in bytes: as large as a buffered response of Lambda.
const LARGEST: usize = 6 * 1024 * 1024;

/// The byte order mark that may begin a stream.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The messages that were read so far.
#[derive(Debug, Default)]
pub(in crate::verify) struct Messages {
    /// Whether the body is an event stream, or else one document.
    is_stream: bool,
    /// The current line of a stream, or the whole document.
    gathered: Vec<u8>,
    /// The data of the current event, whose lines are joined.
    data: Option<Vec<u8>>,
    /// Whether the first line was read, which may begin with a mark.
    is_past_first: bool,
    /// Whether the last byte was a CR, after which an LF ends no other line.
    was_return: bool,
    answer: Option<Value>,
    /// The first event with data that is no message.
    unreadable: Option<Vec<u8>>,
    is_too_large: bool,
}

/// The message that answers the request, as far as it can be found.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Answer(Value),
    /// The body has something else, which starts like this.
    Unreadable(Vec<u8>),
    TooLarge,
    Nothing,
}

impl Messages {
    pub(in crate::verify) fn of(is_stream: bool) -> Messages {
        Messages { is_stream, ..Messages::default() }
    }

    /// Whether an event stream needs not be read any further.
    pub(in crate::verify) fn is_settled(&self) -> bool {
        self.is_too_large || (self.is_stream && self.answer.is_some())
    }

    pub(in crate::verify) fn read(&mut self, bytes: &[u8]) {
        if self.is_settled() {
            return;
        }
        if !self.is_stream {
            self.keep(bytes);
            return;
        }
        for byte in bytes {
            let follows_return = std::mem::replace(&mut self.was_return, *byte == b'\r');
            match byte {
                b'\n' if follows_return => {}
                b'\r' | b'\n' => self.end_line(),
                byte => self.keep(std::slice::from_ref(byte)),
            }
        }
    }

    pub(super) fn found(&self) -> Found {
        if self.is_too_large {
            return Found::TooLarge;
        }
        let answer = if self.is_stream { self.answer.clone() } else { answer_in(&self.gathered).ok().flatten() };
        let unreadable = if self.is_stream { self.unreadable.as_ref() } else { Some(&self.gathered) };
        match (answer, unreadable) {
            (Some(answer), _) => Found::Answer(answer),
            (None, Some(bytes)) if !bytes.trim_ascii().is_empty() => Found::Unreadable(bytes.clone()),
            _ => Found::Nothing,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let kept = self.gathered.len() + self.data.as_ref().map_or(0, Vec::len);
        if kept + bytes.len() > LARGEST {
            (self.is_too_large, self.gathered, self.data) = (true, Vec::new(), None);
        }
        if !self.is_too_large {
            self.gathered.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.gathered);
        let is_first = !std::mem::replace(&mut self.is_past_first, true);
        let line = if is_first { line.strip_prefix(MARK).unwrap_or(&line) } else { &line };
        if line.is_empty() {
            return self.end_event();
        }
        let value = match line.strip_prefix(b"data") {
            Some(b"") => b"",
            Some([b':', value @ ..]) => value.strip_prefix(b" ").unwrap_or(value),
            // Other fields and comments carry no message.
            _ => return,
        };
        match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            None => self.data = Some(value.to_vec()),
        }
    }

    fn end_event(&mut self) {
        // An event that only has an id lets the client resume the stream.
        let Some(data) = self.data.take().filter(|data| !data.trim_ascii().is_empty()) else { return };
        match answer_in(&data) {
            Ok(Some(answer)) if self.answer.is_none() => self.answer = Some(answer),
            // A notification, or a request of the server.
            Ok(_) => {}
            Err(_) => drop(self.unreadable.get_or_insert(data)),
        }
    }
}

/// The first answer in a text with a message, or with a list of them as revision 2025-03-26 has it.
fn answer_in(text: &[u8]) -> Result<Option<Value>, serde_json::Error> {
    let is_answer = |message: &Value| message.get("result").is_some() || message.get("error").is_some();
    Ok(match serde_json::from_slice(text)? {
        Value::Array(messages) => messages.into_iter().find(is_answer),
        message => Some(message).filter(is_answer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(is_stream: bool, pieces: &[&str]) -> Found {
        let mut messages = Messages::of(is_stream);
        pieces.iter().for_each(|piece| messages.read(piece.as_bytes()));
        messages.found()
    }

    fn answer() -> Found {
        Found::Answer(json!({"id": 1, "result": {}}))
    }

    #[test]
    fn the_answer_is_found_in_a_document_or_among_events() {
        let unreadable = |text: &str| Found::Unreadable(text.as_bytes().to_vec());
        for (is_stream, text, expected) in [
            (false, "{\"id\":1,\"result\":{}}\n", answer()),
            (false, "[{\"method\":\"x\"},{\"id\":1,\"result\":{}}]", answer()),
            (false, "<html>", unreadable("<html>")),
            (false, "{\"method\":\"x\"}", unreadable("{\"method\":\"x\"}")),
            (false, " ", Found::Nothing),
            (true, "data: {\"id\":1,\"result\":{}}\n\n", answer()),
            // A priming event, a comment, a notification and a request come first.
            (
                true,
                "id: 0\ndata:\n\nretry: 5\n: ping\n\ndata: {\"method\":\"x\"}\n\nid: 1\ndata: {\"id\":9,\"method\":\"ping\"}\n\nevent: message\nid: 2\ndata: {\"id\":1,\"result\":{}}\n\n",
                answer(),
            ),
            (true, "\u{feff}data: {\"id\":1,\r\ndata: \"result\":{}}\r\n\r\n", answer()),
            (true, "data: {\"id\":1,\"result\":{}}\n", Found::Nothing),
            (true, "id: 0\ndata:\n\n", Found::Nothing),
            (true, "", Found::Nothing),
            (true, "data: hello\n\n", unreadable("hello")),
            (true, "data: hello\n\ndata: {\"id\":1,\"result\":{}}\n\n", answer()),
        ] {
            assert_eq!(found(is_stream, &[text]), expected, "{text:?}");
            for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                assert_eq!(found(is_stream, &[&text[..cut], &text[cut..]]), expected, "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn memory_has_a_limit() {
        let piece = "x".repeat(LARGEST / 4);
        for (is_stream, start) in [(false, "{"), (true, "data: "), (true, ": ")] {
            let mut messages = Messages::of(is_stream);
            messages.read(start.as_bytes());
            (0..5).for_each(|_| messages.read(piece.as_bytes()));
            assert_eq!((messages.found(), messages.is_settled()), (Found::TooLarge, true));
            assert!(messages.gathered.is_empty() && messages.data.is_none());
        }
        // Lines that are done with are not kept, however many there are.
        let mut messages = Messages::of(true);
        (0..30).for_each(|_| messages.read(format!(": {}\n", "x".repeat(LARGEST / 4)).as_bytes()));
        assert_eq!((messages.found(), messages.gathered.len()), (Found::Nothing, 0));
    }
}
