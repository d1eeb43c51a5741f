//! No story at all, for `--quiet`.

use super::Report;
use crate::apply::Event;

pub struct Silent;

impl Report for Silent {
    fn on(&mut self, _: &Event) {}

    fn note(&mut self, _: &str) {}
}
