//! The story on a terminal: what is done stays, and what is going on is drawn below it.

use super::Reporter;
use super::outlet;
use super::story::told;
use super::style::Line;
use super::ticker::Ticker;
use crate::apply::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::time::Instant;

/// Draws a line for each step that is going on.
#[derive(Default)]
pub struct Terminal {
    drawing: MultiProgress,
    bars: Vec<ProgressBar>,
    ticker: Ticker,
    /// Whether cargo has the terminal, with a progress bar of its own.
    cargo_draws: bool,
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
        // Otherwise the cleared lines stay as empty ones.
        let _ = self.drawing.clear();
        if self.cargo_draws {
            outlet::clear_line_of_stderr();
        }
    }

    fn draw(&mut self) {
        if self.cargo_draws {
            return;
        }
        let lines = self.ticker.lines(Instant::now());
        self.bars.drain(lines.len().min(self.bars.len())..).for_each(|bar| bar.finish_and_clear());
        for (nth, line) in lines.iter().enumerate() {
            if nth == self.bars.len() {
                let style = ProgressStyle::with_template("{msg}");
                let bar =
                    ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                self.bars.push(self.drawing.add(bar));
            }
            self.bars[nth].set_message(outlet::drawn(line));
            self.bars[nth].tick();
        }
    }
}

impl Reporter for Terminal {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Building { .. } | Event::BuildGoesOn { .. } => {
                self.clear();
                self.cargo_draws = true;
            }
            // Cargo draws nothing before it is its turn.
            Event::BuildWaits { .. } | Event::Packaged { .. } => {
                self.clear();
                self.cargo_draws = false;
            }
            _ => {}
        }
        self.ticker.on(event, Instant::now());
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
        self.ticker.end_all();
        self.clear();
        self.cargo_draws = false;
    }
}
