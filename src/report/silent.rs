//! No progress at all, for `--quiet`.

use super::{Line, Reporter};
use crate::apply::Event;

pub(crate) struct Silent;

impl Reporter for Silent {
    fn on(&mut self, _: &Event) {}

    fn note(&mut self, _: &Line) {}
}
