//! The colours of everything that lamstream prints. They are cargo's, whose lines stand between lamstream's.

use anstyle::{AnsiColor, Style};

/// What is done or in order, and headings.
pub const GREEN: Style = AnsiColor::BrightGreen.on_default().bold();
/// What is going on.
pub const CYAN: Style = AnsiColor::BrightCyan.on_default().bold();
/// What changes, and hints.
pub const YELLOW: Style = AnsiColor::BrightYellow.on_default().bold();
/// What failed or is deleted.
pub const RED: Style = AnsiColor::BrightRed.on_default().bold();
/// Placeholders in help.
pub const PLACEHOLDER: Style = AnsiColor::Cyan.on_default();
