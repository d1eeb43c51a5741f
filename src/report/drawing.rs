//! Where progress is drawn: stderr, as indicatif sees it.

use console::Term;
use indicatif::TermLike;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// indicatif fills its lines with spaces up to the right edge. A `^C` that the terminal echoes there goes to the next row,
/// and then indicatif clears the wrong rows. Here the spaces become the line ends that they stand for.
#[derive(Debug)]
pub(super) struct Drawing {
    term: Term,
    line_is_full: AtomicBool,
}

impl Drawing {
    pub fn on_stderr() -> Drawing {
        Drawing { term: Term::buffered_stderr(), line_is_full: AtomicBool::new(false) }
    }
}

impl TermLike for Drawing {
    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.trim_start_matches(' ').is_empty() {
            self.line_is_full.store(true, Ordering::Relaxed);
            return Ok(());
        }
        if self.line_is_full.swap(false, Ordering::Relaxed) {
            self.term.write_str("\r\n")?;
        }
        self.term.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.line_is_full.store(false, Ordering::Relaxed);
        self.term.clear_line()
    }

    fn width(&self) -> u16 {
        self.term.size().1
    }

    fn height(&self) -> u16 {
        self.term.size().0
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.term.write_line(text)
    }

    fn move_cursor_up(&self, rows: usize) -> io::Result<()> {
        self.term.move_cursor_up(rows)
    }

    fn move_cursor_down(&self, rows: usize) -> io::Result<()> {
        self.term.move_cursor_down(rows)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.term.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.term.move_cursor_left(columns)
    }

    fn flush(&self) -> io::Result<()> {
        self.term.flush()
    }
}
