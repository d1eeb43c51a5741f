//! Draws the first byte over time as SVG, with the releases marked. Pure.

use super::answer::{Detail, Figures, FunctionAnswer};
use super::moment::utc_seconds;
use crate::logs::{Part, ReleaseFigures};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

const WIDTH: u32 = 960;
/// The height of one function.
const HEIGHT: u32 = 360;
/// The most times below the chart.
const TICKS: usize = 6;
const FONT: &str = "sans-serif";
/// Distinguishable with any colour vision: those of Okabe and Ito.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
/// One of a part's percentiles.
type Rank = fn(&Part) -> f64;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// One chart for each function with figures, one below the other.
pub(crate) fn chart(functions: &[FunctionAnswer]) -> String {
    let figures = |function: &'_ FunctionAnswer| match &function.detail {
        Detail::Stats(Some(figures)) => Some((function.name.clone(), figures.clone())),
        _ => None,
    };
    let found: Vec<(String, Figures)> = functions.iter().filter_map(figures).collect();
    let mut text = String::new();
    {
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX).max(1);
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT.saturating_mul(count))).into_drawing_area();
        // Text in memory can always be written.
        let _ = root.fill(&WHITE);
        for ((name, figures), area) in found.iter().zip(root.split_evenly((found.len().max(1), 1))) {
            let _ = draw(&area, name, figures);
        }
        let _ = root.present();
    }
    text
}

fn draw(area: &Area<'_>, name: &str, figures: &Figures) -> Drawn {
    let Range { start, end } = figures.time;
    let releases = &figures.releases;
    let times = releases.iter().flat_map(|release| &release.parts).map(|part| part.first_byte.p95);
    let longest = times.fold(0.0, f64::max);
    let top = if longest > 0.0 { longest * 1.15 } else { 1.0 };
    let title = format!("{name}: first byte, p50 and p95");
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(title, (FONT, 18))
        .x_label_area_size(32)
        .y_label_area_size(72)
        .build_cartesian_2d((start..end.max(start + 1)).with_key_points(ticks(start, end)), 0.0..top)?;
    let hour = |milliseconds: &i64| utc_seconds(milliseconds / 1000).replace('T', " ").replace('Z', "");
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(TICKS)
        .x_label_formatter(&hour)
        .y_label_formatter(&|time| match longest {
            0.0 => String::new(),
            ..10.0 => format!("{time:.1} ms"),
            _ => format!("{time:.0} ms"),
        })
        .label_style((FONT, 12))
        .draw()?;
    for (nth, release) in releases.iter().rev().enumerate() {
        let colour = COLOURS[nth % COLOURS.len()];
        let line = |time: Rank| release.parts.iter().map(move |part| (part.at, time(part)));
        let (p50, p95): (Rank, Rank) = (|part| part.first_byte.p50, |part| part.first_byte.p95);
        chart.draw_series(LineSeries::new(line(p50), colour.stroke_width(2)))?;
        chart.draw_series(LineSeries::new(line(p95), colour.mix(0.5)))?;
        // A line needs two points.
        chart.draw_series(line(p50).map(|point| Circle::new(point, 2, colour.filled())))?;
        chart.draw_series(line(p95).map(|point| Circle::new(point, 2, colour.mix(0.5).filled())))?;
        let begin = release.first.clamp(start, end);
        chart.draw_series(std::iter::once(PathElement::new(vec![(begin, 0.0), (begin, top)], colour.mix(0.6))))?;
        // A mark near the end would not fit to its right.
        let side = if begin > start + (end - start) / 5 * 4 { HPos::Right } else { HPos::Left };
        let label = TextStyle::from((FONT, 13)).color(&colour).pos(Pos::new(side, VPos::Top));
        let lower = top * (1.0 - 0.06 * (nth % 4) as f64);
        chart.draw_series(std::iter::once(Text::new(mark(release), (begin, lower), label)))?;
    }
    if longest == 0.0 {
        let label = TextStyle::from((FONT, 14)).pos(Pos::new(HPos::Center, VPos::Center));
        let middle = (start + (end - start) / 2, 0.5);
        chart.draw_series(std::iter::once(Text::new("no first byte in the log".to_owned(), middle, label)))?;
    }
    Ok(())
}

/// Round times, as many as fit below the chart.
fn ticks(start: i64, end: i64) -> Vec<i64> {
    const SECONDS: [i64; 14] = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800];
    let step =
        SECONDS.into_iter().find(|step| (end - start) / (step * 1000) < TICKS as i64).unwrap_or(30 * 86_400) * 1000;
    let first = start.div_euclid(step) + i64::from(start.rem_euclid(step) > 0);
    (first..).map(|nth| nth * step).take_while(|time| *time <= end).take(100).collect()
}

fn mark(release: &ReleaseFigures) -> String {
    format!(" version {} ", release.version.as_deref().unwrap_or("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Percentiles;

    fn function(name: &str, releases: Vec<ReleaseFigures>) -> FunctionAnswer {
        let figures = Figures { time: 1_796_025_600_000..1_796_029_200_000, releases };
        FunctionAnswer { name: name.to_owned(), detail: Detail::Stats(Some(figures)), ..FunctionAnswer::default() }
    }

    fn release(version: &str, from: i64) -> ReleaseFigures {
        let part = |minute: i64| {
            let p50 = 10.0 + minute as f64;
            let at = 1_796_025_600_000 + (from + minute) * 60_000;
            Part { at, first_byte: Percentiles { p50, p95: p50 * 2.0, p99: p50 * 3.0, longest: 100.0 } }
        };
        let first = 1_796_025_600_000 + from * 60_000;
        ReleaseFigures {
            version: Some(version.to_owned()),
            first,
            parts: (0..20).map(part).collect(),
            ..ReleaseFigures::default()
        }
    }

    /// The texts in an XML document.
    ///
    /// # Panics
    /// If it is not one.
    fn words(text: &str) -> Vec<String> {
        let mut reader = quick_xml::Reader::from_str(text);
        let mut words = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Text(text) => words.push(text.trim().to_owned()),
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn the_chart_is_xml_and_names_the_releases() {
        let functions = [function("chat", vec![release("8", 30), release("7", 0)]), function("talk", Vec::new())];
        let text = chart(&functions);
        let found = words(&text);
        let words: Vec<&str> = found.iter().map(String::as_str).collect();
        for expected in ["version 7", "version 8", "chat: first byte, p50 and p95", "talk: first byte, p50 and p95"] {
            assert!(words.contains(&expected), "{words:?}");
        }
        assert_eq!(words.iter().filter(|word| **word == "no first byte in the log").count(), 1);
        let times: Vec<&str> = words.iter().filter(|word| word.starts_with("2026")).take(5).copied().collect();
        assert_eq!(times, ["08:00", "08:15", "08:30", "08:45", "09:00"].map(|time| format!("2026-11-30 {time}:00")));
        assert_eq!(self::words(&chart(&[])), Vec::<String>::new());
    }
}
