//! Makes text from elsewhere fit to be shown: without secrets, and harmless on a terminal, in a CI log, in JSON and in
//! a shell. Also colours, wrapping, and how lists and bytes are written.

pub mod list;

mod harmless;
mod hidden;
pub(crate) mod palette;
mod parts;
mod shell;
mod spelling;
mod wrap;

pub use harmless::{Stream, coloured_line, coloured_lines, json, line, lines, uncoloured};
pub use hidden::{HIDDEN, hide};
pub use parts::parts;
pub use shell::quoted;
pub use wrap::{excerpt, wrapped};
