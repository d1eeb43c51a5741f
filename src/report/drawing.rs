//! Lines that are drawn on a terminal and erased again. Pure.

use std::fmt::Write;
use textwrap::core::display_width;

/// The lines that are drawn. The cursor stays on their first character.
///
/// A resized terminal may break lines into more rows or join them, so the number of rows to erase is unknown. But the
/// cursor keeps its place in the text, and erasing from there to the end of the screen erases all of it.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    is_drawn: bool,
}

impl Drawing {
    /// The text that replaces the drawn lines with these, as many as fit on a screen of this size.
    pub(super) fn replaced(&mut self, lines: &[String], (columns, rows): (usize, usize)) -> String {
        let (mut text, mut used) = (self.erased(), 0);
        for line in lines {
            let height = display_width(line).div_ceil(columns).max(1);
            if used + height >= rows {
                break;
            }
            let _ = write!(text, "{}{line}", if used > 0 { "\r\n" } else { "" });
            used += height;
        }
        self.is_drawn = used > 0;
        match used {
            0 => {}
            1 => text.push('\r'),
            _ => _ = write!(text, "\r\x1b[{}A", used - 1),
        }
        text
    }

    /// The text that erases the drawn lines.
    pub(super) fn erased(&mut self) -> String {
        if std::mem::take(&mut self.is_drawn) { "\r\x1b[J".to_owned() } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZero;

    fn screen(columns: u16) -> vt100::Parser {
        let size = |size| NonZero::new(size).expect("a size");
        vt100::Parser::new(size(10), size(columns), 0)
    }

    fn rows(parser: &vt100::Parser) -> Vec<String> {
        let rows: Vec<String> = parser.screen().rows(0, 100).collect();
        rows.into_iter().filter(|row| !row.is_empty()).collect()
    }

    fn going() -> Vec<String> {
        ["Creating role shop-chat", "Waiting for the role of 漢字"].map(str::to_owned).to_vec()
    }

    /// A terminal that rewraps its lines: it writes the text again, and puts the cursor at its old place in the text.
    fn rewrapped(columns: u16, above: &str, drawn: &[String]) -> vt100::Parser {
        let mut parser = screen(columns);
        let rows: usize = drawn.iter().map(|line| display_width(line).div_ceil(columns.into())).sum();
        parser.process(format!("{above}\r\n{}\r\x1b[{}A", drawn.join("\r\n"), rows - 1).as_bytes());
        parser
    }

    #[test]
    fn what_is_drawn_is_replaced_and_erased() {
        let (mut drawing, mut parser) = (Drawing::default(), screen(80));
        parser.process(b"done\r\n");
        parser.process(drawing.replaced(&going(), (80, 10)).as_bytes());
        assert_eq!(rows(&parser), ["done", "Creating role shop-chat", "Waiting for the role of 漢字"]);
        // The terminal echoes the text.
        parser.process(b"^C");
        parser.process(drawing.replaced(&going()[1..], (80, 10)).as_bytes());
        assert_eq!(rows(&parser), ["done", "Waiting for the role of 漢字"]);
        parser.process(drawing.erased().as_bytes());
        assert_eq!((rows(&parser), drawing.erased()), (vec!["done".to_owned()], String::new()));
    }

    #[test]
    fn a_resized_terminal_keeps_no_stale_rows() {
        for columns in [10, 13, 80, 120] {
            for rewraps in [true, false] {
                let (mut drawing, mut parser) = (Drawing::default(), screen(60));
                parser.process(b"done\r\n");
                parser.process(drawing.replaced(&going(), (60, 10)).as_bytes());
                let size = |size| NonZero::new(size).expect("a size");
                match rewraps {
                    true => parser = rewrapped(columns, "done", &going()),
                    false => parser.screen_mut().set_size(size(10), size(columns)),
                }
                parser.process(drawing.replaced(&["Next".to_owned()], (columns.into(), 10)).as_bytes());
                assert_eq!(rows(&parser), ["done", "Next"], "{columns}, {rewraps}");
            }
        }
    }

    #[test]
    fn no_more_is_drawn_than_fits() {
        let (mut drawing, mut parser) = (Drawing::default(), screen(10));
        let lines: Vec<String> = (0..20).map(|nth| format!("line {nth:02}, long")).collect();
        parser.process(b"done\r\n");
        parser.process(drawing.replaced(&lines, (10, 10)).as_bytes());
        parser.process(drawing.replaced(&lines, (10, 10)).as_bytes());
        parser.process(drawing.erased().as_bytes());
        assert_eq!(rows(&parser), ["done"]);
    }
}
