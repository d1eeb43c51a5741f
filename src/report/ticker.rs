//! What is going on, function by function, and since when.

use super::story::{Turn, turn};
use crate::apply::Event;
use std::time::{Duration, Instant};

/// One thing that has begun and not ended.
pub(super) struct Going {
    function: String,
    pub verb: &'static str,
    pub about: String,
    began: Instant,
}

impl Going {
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Everything that is going on.
#[derive(Default)]
pub(super) struct Ticker {
    pub going: Vec<Going>,
}

impl Ticker {
    pub fn on(&mut self, event: &Event) {
        match turn(event) {
            Turn::Begins { function, verb, about } => {
                let known = self.going.iter().any(|going| going.function == function && going.about == about);
                if !known {
                    self.going.push(Going { function: function.to_owned(), verb, about, began: Instant::now() });
                }
            }
            Turn::Goes { function, verb, about } => {
                let same = |going: &&mut Going| going.function == function && going.verb == verb;
                match self.going.iter_mut().find(same) {
                    Some(going) => going.about = about,
                    None => {
                        self.going.push(Going { function: function.to_owned(), verb, about, began: Instant::now() })
                    }
                }
            }
            Turn::Stops { function, verb } => {
                self.going.retain(|going| going.function != function || going.verb != verb);
            }
            Turn::Ends { function, about } => {
                self.going.retain(|going| going.function != function || going.about != about);
            }
            Turn::EndsAll { function } => self.going.retain(|going| going.function != function),
            Turn::Nothing => {}
        }
    }
}
