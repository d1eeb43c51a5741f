//! The story as plain lines, for CI and everything that is no terminal.

use super::story::told;
use super::style::{self, Line};
use super::ticker::Ticker;
use super::{Report, story};
use crate::apply::Event;
use std::io::Write;
use std::time::{Duration, Instant};

/// After so long a sign of life is due: with the time between two ticks, nothing is silent for more than a second.
const SILENCE: Duration = Duration::from_millis(750);

/// Writes every line as it comes, and a sign of life every second.
pub struct Lines<W> {
    out: W,
    ticker: Ticker,
    last: Instant,
}

impl<W: Write + Send> Lines<W> {
    pub fn new(out: W) -> Lines<W> {
        Lines { out, ticker: Ticker::default(), last: Instant::now() }
    }

    fn write(&mut self, line: &Line) {
        self.last = Instant::now();
        // Nobody is left to be told when stderr is closed.
        let _ = writeln!(self.out, "{line}");
    }
}

impl<W: Write + Send> Report for Lines<W> {
    fn on(&mut self, event: &Event) {
        self.ticker.on(event);
        if let Some(line) = told(event) {
            self.write(&line);
        }
    }

    fn tick(&mut self) {
        if self.last.elapsed() < SILENCE {
            return;
        }
        let Some(going) = self.ticker.going.last() else { return };
        let rest = story::timed(&going.about, going.elapsed());
        let line = Line::verb(style::WAIT, going.verb, &rest);
        self.write(&line);
    }

    fn note(&mut self, line: &str) {
        self.write(&Line::plain(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_wait_shows_a_sign_of_life_until_it_ends() {
        let mut lines = Lines::new(Vec::new());
        lines.tick();
        lines.on(&Event::Looking { at: "the account" });
        lines.last -= SILENCE;
        lines.tick();
        lines.tick();
        lines.on(&Event::Looked { at: "the account" });
        lines.last -= SILENCE;
        lines.tick();
        let said = anstream::adapter::strip_bytes(&lines.out).into_vec();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("     Reading the account"), "{said}");
    }
}
