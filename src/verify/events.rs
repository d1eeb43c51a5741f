//! An event stream (`text/event-stream`), read as browsers read it. Source: WHATWG HTML, "Server-sent events".

/// How much of a line is kept, in bytes: enough for its field's name, and to quote it.
const KEPT: usize = 200;

/// The byte order mark that may begin a stream.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The data by which many APIs say that a stream is over.
const DONE: &[u8] = b"[DONE]";

/// The fields that browsers read.
const FIELDS: [&[u8]; 4] = [b"data", b"event", b"id", b"retry"];

/// The events that were read so far.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Complete events that have data; browsers drop the others.
    pub count: usize,
    /// Whether the last complete event's data was `[DONE]`.
    pub is_done: bool,
    /// The first line that browsers ignore, because its field has another name.
    pub ignored: Option<Vec<u8>>,
    /// The start of the current line.
    line: Vec<u8>,
    /// Whether the current line has any bytes, kept or not.
    has_bytes: bool,
    /// Whether the first line was read, which may begin with a mark.
    is_past_first: bool,
    /// Whether the last byte was a CR, after which an LF ends no other line.
    was_return: bool,
    /// The current event's only line of data; `None` without data or with several lines.
    data: Option<Vec<u8>>,
    has_data: bool,
    /// The current event's last line.
    last: Vec<u8>,
}

impl Events {
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let follows_return = std::mem::replace(&mut self.was_return, *byte == b'\r');
            match byte {
                b'\n' if follows_return => {}
                b'\r' | b'\n' => self.end_line(),
                byte => {
                    self.has_bytes = true;
                    if self.line.len() < KEPT {
                        self.line.push(*byte);
                    }
                }
            }
        }
    }

    /// The last event, if it is not complete: without an empty line after it, browsers drop it.
    pub(super) fn incomplete(&self) -> Option<&[u8]> {
        let is_open = self.has_bytes && !self.line.starts_with(b":");
        let last = if is_open { &self.line } else { &self.last };
        (is_open || self.has_data).then_some(&last[..])
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let is_empty = !std::mem::take(&mut self.has_bytes);
        let is_first = !std::mem::replace(&mut self.is_past_first, true);
        let line = if is_first { line.strip_prefix(MARK).unwrap_or(&line) } else { &line };
        if is_empty || line.is_empty() {
            return self.end_event();
        }
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        match name {
            // A comment.
            b"" => return,
            b"data" => {
                let value = line.get(name.len() + 1..).unwrap_or_default();
                let value = value.strip_prefix(b" ").unwrap_or(value);
                self.data = (!self.has_data).then(|| value.to_vec());
                self.has_data = true;
            }
            name if FIELDS.contains(&name) => {}
            _ => drop(self.ignored.get_or_insert_with(|| line.to_vec())),
        }
        self.last = line.to_vec();
    }

    fn end_event(&mut self) {
        if std::mem::take(&mut self.has_data) {
            self.count += 1;
            self.is_done = self.data.take().as_deref() == Some(DONE);
        }
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.line.len() + self.last.len() + self.data.as_ref().map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Events {
        let mut events = Events::default();
        events.read(text.as_bytes());
        events
    }

    /// Count, whether it is done, the ignored line, the incomplete event.
    fn summary(events: &Events) -> (usize, bool, Option<String>, Option<String>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (events.count, events.is_done, events.ignored.as_deref().map(text), events.incomplete().map(text))
    }

    #[test]
    fn events_are_read_as_browsers_read_them() {
        let some = |text: &str| Some(text.to_owned());
        for (text, expected) in [
            ("", (0, false, None, None)),
            ("data: a\n\n", (1, false, None, None)),
            ("data: a\r\ndata: b\r\n\r\n", (1, false, None, None)),
            ("data: a\r\rdata:b\r\r", (2, false, None, None)),
            ("\u{feff}data: a\n\n", (1, false, None, None)),
            ("data: a\n\n\u{feff}data: b\n\n", (1, false, some("\u{feff}data: b"), None)),
            // Comments keep a connection alive, and events without data are dropped.
            (": ping\n\nevent: tick\nid: 1\nretry: 10\n\n", (0, false, None, None)),
            ("data\n\n", (1, false, None, None)),
            ("data: a\n\ndata: [DONE]\n\n", (2, true, None, None)),
            ("data:[DONE]\n\n", (1, true, None, None)),
            ("data: [DONE]\n\ndata: b\n\n", (2, false, None, None)),
            ("data: [DONE]\ndata: [DONE]\n\n", (1, false, None, None)),
            ("data: [DONE]\n", (0, false, None, some("data: [DONE]"))),
            ("data: a\n", (0, false, None, some("data: a"))),
            ("data: a\n\ndata: b", (1, false, None, some("data: b"))),
            ("data: a\n\n: ping", (1, false, None, None)),
            ("hello\n\n", (0, false, some("hello"), None)),
            ("{\"data\": 1}\n", (0, false, some("{\"data\": 1}"), None)),
            (" data: a\n\n", (0, false, some(" data: a"), None)),
            ("Data: a\n\n", (0, false, some("Data: a"), None)),
        ] {
            assert_eq!(summary(&events(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_stream_means_the_same_however_it_is_split() {
        let text = "\u{feff}: hi\r\ndata: a\r\n\r\nid: 1\rdata: b\r\rdata: [DONE]\n\n";
        let whole = summary(&events(text));
        assert_eq!(whole, (3, true, None, None));
        for cut in 0..text.len() {
            let mut split = Events::default();
            split.read(&text.as_bytes()[..cut]);
            split.read(&text.as_bytes()[cut..]);
            assert_eq!(summary(&split), whole, "cut at {cut}");
        }
    }

    #[test]
    fn long_lines_are_not_kept() {
        let events = events(&format!("data: {}\n\n", "x".repeat(100_000)));
        assert_eq!((events.count, events.kept() <= 3 * KEPT), (1, true));
    }
}
