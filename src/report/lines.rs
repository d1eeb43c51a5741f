//! The story as plain lines, for CI and everything else that is not a terminal.

use super::Reporter;
use super::story::told;
use super::style::Line;
use super::ticker::Ticker;
use crate::apply::Event;
use std::io::Write;
use std::time::Instant;

/// Writes every line as it comes, and reports steps that take long.
pub struct Lines<W> {
    out: W,
    ticker: Ticker,
}

impl<W: Write + Send> Lines<W> {
    pub fn new(out: W) -> Lines<W> {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
        let said = anstream::adapter::strip_bytes(&lines.out).into_vec();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("     Reading the account"), "{said}");
    }
}
