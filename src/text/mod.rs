//! Texts that others wrote, made fit to be shown: without secrets, and harmless on a terminal, in a CI log, in JSON and
//! in a shell.

mod harmless;
mod hidden;
mod parts;
mod shell;
mod spelling;

pub use harmless::{Stream, coloured_line, coloured_lines, json, line, lines, uncoloured};
pub use hidden::{HIDDEN, hide};
pub use parts::parts;
pub use shell::quoted;
