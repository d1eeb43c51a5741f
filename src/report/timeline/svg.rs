//! The picture itself: bytes over time, with a dot for each chunk.

use super::recorded::Timeline;
use super::words::{escaped, grouped, in_words};
use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle};
use std::io;
use std::time::Duration;

const SIZE: (u32, u32) = (960, 420);

const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const BODY: RGBColor = RGBColor(0x09, 0x69, 0xda);
const HEAD: RGBColor = RGBColor(0x82, 0x50, 0xdf);
const GAP: RGBColor = RGBColor(0xff, 0xf0, 0xc4);
const FAULT: RGBColor = RGBColor(0xcf, 0x22, 0x2e);

/// The colours on a dark screen, by those on a light one.
const DARK: [(RGBColor, &str); 7] = [
    (PAPER, "#0d1117"),
    (INK, "#e6edf3"),
    (GRID, "#30363d"),
    (BODY, "#58a6ff"),
    (HEAD, "#bc8cff"),
    (GAP, "#5c4813"),
    (FAULT, "#ff7b72"),
];

/// A file of its own.
pub(super) fn document(timeline: &Timeline) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", element(timeline))
}

/// The element `svg`, which a page can contain.
pub(super) fn element(timeline: &Timeline) -> String {
    let mut drawn = String::new();
    // Only a backend that writes to a file can fail.
    let _ = draw(timeline, &mut drawn);
    let label = escaped(&format!("timeline of {}", title(timeline)));
    let style = format!("<title>{label}</title><style>{}</style>", dark());
    match drawn.split_once('>') {
        Some((head, rest)) => format!("{head} role=\"img\">{style}{rest}"),
        None => drawn,
    }
}

/// One line that says what the picture shows.
pub(super) fn title(timeline: &Timeline) -> String {
    let chunks = timeline.chunks();
    let s = if chunks == 1 { "" } else { "s" };
    let (count, bytes) = (grouped(chunks as u64), grouped(timeline.bytes()));
    let time = in_words(timeline.ended_at);
    let first = timeline.marks().first().map(|mark| format!(", first byte after {}", in_words(mark.first)));
    // XML allows no control characters.
    let request = timeline.request.replace(char::is_control, " ");
    format!(
        "{request}: status {}, {count} chunk{s}, {bytes} bytes in {time}{}",
        timeline.status,
        first.unwrap_or_default()
    )
}

fn dark() -> String {
    let rules = DARK.iter().map(|(RGBColor(red, green, blue), dark)| {
        let light = format!("#{red:02X}{green:02X}{blue:02X}");
        format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
    });
    format!("@media (prefers-color-scheme:dark){{{}}}", rules.collect::<String>())
}

fn draw(timeline: &Timeline, drawn: &mut String) -> Result<(), DrawingAreaErrorKind<io::Error>> {
    let seconds = |time: Duration| time.as_secs_f64();
    let (end, top) = (seconds(timeline.ended_at).max(0.001) * 1.02, (timeline.bytes().max(1) as f64) * 1.12);
    let root = SVGBackend::with_string(drawn, SIZE).into_drawing_area();
    root.fill(&PAPER)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title(timeline), ("sans-serif", 17).into_font().color(&INK))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(74)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(PAPER.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .x_desc("time since the request was sent")
        .y_desc("bytes of the body")
        .x_label_formatter(&|time| in_words(Duration::try_from_secs_f64(*time).unwrap_or_default()))
        .y_label_formatter(&|bytes| grouped(*bytes as u64))
        .draw()?;
    if let Some((from, to)) = timeline.longest_gap() {
        let area = [(seconds(from), 0.0), (seconds(to), top)];
        chart.draw_series([Rectangle::new(area, GAP.filled())])?;
        let label = format!("longest gap {}", in_words(to - from));
        chart.draw_series([Text::new(
            label,
            (seconds(from), top * 0.97),
            ("sans-serif", 12).into_font().color(&INK),
        )])?;
    }
    let line = |at: Duration, colour: RGBColor| {
        PathElement::new([(seconds(at), 0.0), (seconds(at), top)], ShapeStyle::from(colour).stroke_width(1))
    };
    chart.draw_series([line(timeline.head_at, HEAD)])?;
    let words = format!("head {}", in_words(timeline.head_at));
    let label = Text::new(words, (seconds(timeline.head_at), top * 0.91), ("sans-serif", 12).into_font().color(&HEAD));
    chart.draw_series([label])?;
    if timeline.fault.is_some() {
        chart.draw_series([line(timeline.ended_at, FAULT)])?;
    }
    let (steps, dots) = points(timeline);
    chart.draw_series([PathElement::new(steps, ShapeStyle::from(BODY).stroke_width(2))])?;
    chart.draw_series(dots.into_iter().map(|point| Circle::new(point, 3, BODY.filled())))?;
    root.present()
}

/// A time in seconds, and a number of bytes.
type Point = (f64, f64);

/// The corners of the line, and the place of each mark. The body grows in steps.
fn points(timeline: &Timeline) -> (Vec<Point>, Vec<Point>) {
    let (mut steps, mut dots, mut bytes) = (vec![(timeline.head_at.as_secs_f64(), 0.0)], Vec::new(), 0);
    for mark in timeline.marks() {
        steps.push((mark.first.as_secs_f64(), bytes as f64));
        bytes += mark.bytes;
        steps.push((mark.last.as_secs_f64(), bytes as f64));
        dots.push((mark.last.as_secs_f64(), bytes as f64));
    }
    steps.push((timeline.ended_at.as_secs_f64(), bytes as f64));
    (steps, dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(chunks: &[(u64, usize)]) -> Timeline {
        let ms = Duration::from_millis;
        let mut timeline = Timeline::begin("GET /a<b>&\"c\u{1}".to_owned(), 200, ms(5));
        chunks.iter().for_each(|(at, bytes)| timeline.chunk(ms(*at), *bytes));
        timeline
    }

    #[test]
    fn each_chunk_is_a_dot() {
        for chunks in [&[][..], &[(10, 3)], &[(10, 3), (60, 4), (500, 100)]] {
            let picture = element(&timeline(chunks));
            assert_eq!(picture.matches("<circle").count(), chunks.len());
            assert_eq!(picture.contains("longest gap"), chunks.len() > 1);
            assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
            assert!(!picture.contains("<b>") && !picture.contains('\u{1}'), "{picture}");
        }
    }

    #[test]
    fn a_dark_screen_has_another_colour_for_each_that_is_used() {
        let mut failed = timeline(&[(10, 3), (60, 4)]);
        failed.fault = Some("cut off".to_owned());
        let picture = element(&failed);
        for (RGBColor(red, green, blue), _) in DARK {
            let colour = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
            // Once in the rule for `fill`, once in that for `stroke`.
            assert!(picture.matches(&colour).count() > 2, "{colour} is not in the picture");
        }
    }
}
