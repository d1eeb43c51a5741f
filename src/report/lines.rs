//! Progress as plain lines, for CI and everything else that is not a terminal.

use super::Reporter;
use super::story::told;
use super::style::Line;
use super::ticker::Ticker;
use crate::apply::Event;
use std::io::Write;
use std::time::Instant;

/// Writes every line immediately, and reports steps that take long.
pub(crate) struct Lines<W> {
    out: W,
    ticker: Ticker,
}

impl<W: Write + Send> Lines<W> {
    pub(crate) fn new(out: W) -> Lines<W> {
        Lines { out, ticker: Ticker::default() }
    }

    fn write(&mut self, line: &Line) {
        // If stderr is closed, there is no reader.
        let _ = writeln!(self.out, "{line}");
    }

    fn tick_at(&mut self, now: Instant) {
        self.ticker.due(now).iter().for_each(|line| self.write(line));
    }
}

impl<W: Write + Send> Reporter for Lines<W> {
    fn on(&mut self, event: &Event) {
        self.ticker.on(event, Instant::now());
        if let Some(line) = told(event) {
            self.write(&line);
        }
    }

    fn tick(&mut self) {
        self.tick_at(Instant::now());
    }

    fn note(&mut self, line: &Line) {
        self.write(line);
    }

    fn pause(&mut self) {
        self.ticker.end_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_long_upload_shows_how_far_it_is() {
        let mut lines = Lines::new(Vec::new());
        for sent in [0, 8_400_000, 50_300_000] {
            lines.on(&Event::Uploading { function: "chat".into(), sent, total: 200_000_000 });
        }
        lines.tick_at(Instant::now() + Duration::from_secs(11));
        let said = String::from_utf8(anstream::adapter::strip_bytes(&lines.out).into_vec()).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("Uploading the package of chat [#####---------------] 50 of 200 MB"), "{said}");
    }

    #[test]
    fn a_silent_wait_shows_a_sign_of_life_until_it_ends() {
        let mut lines = Lines::new(Vec::new());
        let soon = |seconds| Instant::now() + Duration::from_secs(seconds);
        lines.tick_at(soon(100));
        lines.on(&Event::Reading { what: "the account" });
        lines.tick_at(soon(9));
        lines.tick_at(soon(11));
        lines.tick_at(soon(12));
        lines.on(&Event::Read { what: "the account" });
        lines.tick_at(soon(100));
        // A run that fails ends without the end of its steps.
        lines.on(&Event::Reading { what: "the URL" });
        lines.pause();
        lines.tick_at(soon(200));
        let said = anstream::adapter::strip_bytes(&lines.out).into_vec();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("     Reading the account"), "{said}");
    }
}
