//! Progress on a terminal: completed steps stay, and running ones are drawn below them.

use super::Reporter;
use super::canvas::Canvas;
use super::outlet;
use super::story::told;
use super::style::Line;
use super::ticker::Ticker;
use crate::apply::Event;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Instant;

/// Draws a line for each running step.
#[derive(Default)]
pub(crate) struct Terminal {
    /// All lines are one bar, because indicatif leaves stale lines behind if there are several.
    bar: Option<ProgressBar>,
    ticker: Ticker,
    /// Whether cargo is using the terminal for its own progress bar.
    cargo_draws: bool,
}

impl Terminal {
    fn write(&mut self, line: &Line) {
        self.clear();
        outlet::to_stderr(line);
    }

    fn clear(&mut self) {
        self.bar.take().inspect(ProgressBar::finish_and_clear);
        if self.cargo_draws {
            outlet::clear_line_of_stderr();
        }
    }

    fn draw(&mut self) {
        if self.cargo_draws {
            return;
        }
        let lines: Vec<String> = self.ticker.lines(Instant::now()).iter().map(outlet::drawn).collect();
        if lines.is_empty() {
            return self.clear();
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            let target = ProgressDrawTarget::term_like(Box::new(Canvas::default()));
            ProgressBar::with_draw_target(None, target).with_style(style)
        });
        bar.set_message(lines.join("\n"));
        bar.tick();
    }
}

impl Reporter for Terminal {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Building { .. } | Event::BuildGoesOn { .. } => {
                self.clear();
                self.cargo_draws = true;
            }
            // Cargo draws nothing until its turn, nor if its lines come as events.
            Event::BuildWaits { .. } | Event::BuildLine { .. } | Event::Packaged { .. } => {
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

    fn note(&mut self, line: &Line) {
        self.write(line);
        self.draw();
    }

    fn pause(&mut self) {
        self.ticker.end_all();
        self.clear();
        self.cargo_draws = false;
    }
}
