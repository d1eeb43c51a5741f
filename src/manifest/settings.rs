//! The settings of a function that are one value each.

use super::section::Section;
use super::snap_start;
use crate::stack::{Runtime, Settings};

pub(super) fn read(keys: &Section<'_>, runtime: &Runtime) -> Settings {
    Settings {
        memory: keys.number("memory"),
        timeout: keys.number("timeout"),
        ephemeral_storage: keys.number("ephemeral_storage"),
        snap_start: snap_start::read(keys, runtime),
    }
}
