//! The colours of everything that lamstream prints. They are cargo's, because cargo's lines appear among lamstream's.

use anstyle::{AnsiColor, Style};

/// Success, and headings.
pub(crate) const GREEN: Style = AnsiColor::BrightGreen.on_default().bold();
/// Progress.
pub(crate) const CYAN: Style = AnsiColor::BrightCyan.on_default().bold();
/// Changes and hints.
pub(crate) const YELLOW: Style = AnsiColor::BrightYellow.on_default().bold();
/// Failures and deletions.
pub(crate) const RED: Style = AnsiColor::BrightRed.on_default().bold();
/// Placeholders in help.
pub(crate) const PLACEHOLDER: Style = AnsiColor::Cyan.on_default();
