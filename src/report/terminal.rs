//! The story on a terminal: what is done stays, what is going on is drawn below it.

use super::Report;
use super::outlet;
use super::story::told;
use super::style::{self, Line};
use super::ticker::Ticker;
use crate::apply::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws one line for each thing that is going on.
pub struct Terminal {
    drawing: MultiProgress,
    bars: Vec<ProgressBar>,
    ticker: Ticker,
    /// While cargo draws a progress bar of its own.
    cargo_draws: bool,
}

impl Default for Terminal {
    fn default() -> Terminal {
        Terminal { drawing: MultiProgress::new(), bars: Vec::new(), ticker: Ticker::default(), cargo_draws: false }
    }
}

impl Terminal {
    fn write(&mut self, line: &Line) {
        self.clear();
        outlet::to_stderr(line);
    }

    fn clear(&mut self) {
        for bar in self.bars.drain(..) {
            bar.finish_and_clear();
        }
        // A cleared display leaves an empty line behind unless it is told that it is over.
        let _ = self.drawing.clear();
    }

    fn draw(&mut self) {
        if self.cargo_draws {
            return;
        }
        while self.bars.len() < self.ticker.going.len() {
            let bar = ProgressBar::new_spinner()
                .with_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
            self.bars.push(self.drawing.add(bar));
        }
        for bar in self.bars.drain(self.ticker.going.len()..) {
            bar.finish_and_clear();
        }
        for (bar, going) in self.bars.iter().zip(&self.ticker.going) {
            let rest = super::story::timed(&going.about, going.elapsed());
            bar.set_message(Line::verb(style::WAIT, going.verb, &rest).to_string());
            bar.tick();
        }
    }
}

impl Report for Terminal {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Building { .. } => self.cargo_draws = true,
            // Until it is cargo's turn, cargo draws nothing.
            Event::BuildWaits { .. } => self.cargo_draws = false,
            Event::BuildGoesOn { .. } => {
                self.clear();
                self.cargo_draws = true;
            }
            Event::Packaged { .. } => self.cargo_draws = false,
            _ => {}
        }
        self.ticker.on(event);
        if let Some(line) = told(event) {
            self.write(&line);
        }
        self.draw();
    }

    fn tick(&mut self) {
        self.draw();
    }

    fn note(&mut self, line: &str) {
        self.write(&Line::plain(line));
        self.draw();
    }

    fn pause(&mut self) {
        self.cargo_draws = false;
        self.ticker.going.clear();
        self.clear();
        self.drawing.set_draw_target(ProgressDrawTarget::stderr());
    }
}
