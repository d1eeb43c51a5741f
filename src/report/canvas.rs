//! stderr, as the terminal that indicatif draws on.

use super::drawing::Drawing;
use super::outlet;
use indicatif::TermLike;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// indicatif erases as many rows as it has drawn. These are the wrong rows if the terminal was resized or has echoed a
/// `^C`. So this type collects the lines, and [`Drawing`] replaces the drawn lines with them.
#[derive(Debug, Default)]
pub(super) struct Canvas(Mutex<Draft>);

#[derive(Debug, Default)]
struct Draft {
    lines: Vec<String>,
    drawing: Drawing,
}

impl Canvas {
    fn draft(&self) -> MutexGuard<'_, Draft> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Canvas {
    fn width(&self) -> u16 {
        outlet::size_of_stderr().0.try_into().unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        outlet::size_of_stderr().1.try_into().unwrap_or(u16::MAX)
    }

    /// indicatif writes each line in one piece, then spaces up to the right edge.
    fn write_str(&self, text: &str) -> io::Result<()> {
        if !text.trim_ascii().is_empty() {
            self.draft().lines.push(text.to_owned());
        }
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn flush(&self) -> io::Result<()> {
        let mut draft = self.draft();
        let lines = std::mem::take(&mut draft.lines);
        outlet::draw_on_stderr(&draft.drawing.replaced(&lines, outlet::size_of_stderr()));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_up(&self, _rows: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _rows: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _columns: usize) -> io::Result<()> {
        Ok(())
    }
}
