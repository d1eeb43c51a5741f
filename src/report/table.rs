//! Rows of columns. Pure.

use super::style::Line;
use anstyle::Style;
use std::ops::Range;
use textwrap::core::display_width;

/// The space between two columns.
const GAP: usize = 2;

/// The text of one column, with its style.
pub(super) type Cell = (Style, String);

/// The rows as lines for a terminal of this many columns. If it is too narrow, all rows continue on a second line with the
/// same columns, so that no cell is broken.
pub(super) fn table(rows: &[Vec<Cell>], columns: usize) -> Vec<Line> {
    let widths = widths(rows);
    let indent = widths.first().map_or(0, |first| first + GAP);
    let groups = groups(&widths, indent, columns);
    let lines =
        |row: &Vec<Cell>| groups.iter().filter_map(|group| line(row, group, &widths, indent)).collect::<Vec<_>>();
    rows.iter().flat_map(lines).collect()
}

fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        widths.iter_mut().zip(row).for_each(|(width, (_, text))| *width = (*width).max(display_width(text)));
    }
    widths
}

/// The columns that fit on each line. All lines but the first are indented.
fn groups(widths: &[usize], indent: usize, columns: usize) -> Vec<Range<usize>> {
    let (mut groups, mut begin, mut end) = (Vec::new(), 0, 0);
    for (nth, width) in widths.iter().enumerate() {
        if nth > begin && end + GAP + width > columns {
            groups.push(begin..nth);
            (begin, end) = (nth, indent + width);
        } else {
            end += width + if nth > begin { GAP } else { 0 };
        }
    }
    groups.push(begin..widths.len());
    groups
}

/// The cells of these columns; `None` if all of them are empty.
fn line(row: &[Cell], group: &Range<usize>, widths: &[usize], indent: usize) -> Option<Line> {
    let last = row.iter().rposition(|(_, text)| !text.is_empty()).filter(|last| *last >= group.start)?;
    let mut line = Line::plain(&" ".repeat(if group.start == 0 { 0 } else { indent }));
    for nth in group.start..group.end.min(last + 1) {
        let (style, text) = &row[nth];
        let is_last = nth == last || nth + 1 == group.end;
        let padding = if is_last { 0 } else { widths[nth] - display_width(text) + GAP };
        line = line.and(*style, text).and(Style::new(), &" ".repeat(padding));
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_never_broken() {
        let row = |cells: [&str; 4]| cells.map(|cell| (Style::new(), cell.to_owned())).to_vec();
        let rows = [row(["12", "漢字", "of today", "live (90%)"]), row(["3", "é", "no", ""])];
        let lines = |columns| table(&rows, columns).iter().map(Line::to_string).collect::<Vec<_>>();
        assert_eq!(lines(30), ["12  漢字  of today  live (90%)", "3   é     no"]);
        assert_eq!(lines(29), ["12  漢字  of today", "    live (90%)", "3   é     no"]);
        assert_eq!(lines(15), ["12  漢字", "    of today", "    live (90%)", "3   é", "    no"],);
        assert_eq!(lines(1).len(), 7);
        assert_eq!(table(&[], 80), []);
    }
}
