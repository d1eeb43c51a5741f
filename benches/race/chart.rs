//! The times as bars.

use crate::contestant::{Case, Contestant};
use crate::figures::Figures;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: u32 = 900;
/// The room left of the bars, and right of the longest one.
const LEFT: i32 = 220;
const RIGHT: i32 = 110;
const TOP: i32 = 96;
const ROW: i32 = 17;
/// The room between two cases.
const GAP: i32 = 14;
const FONT: &str = "sans-serif";
/// Distinguishable with any colour vision: those of Okabe and Ito.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
];

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A bar for each case and contestant. The part of a bar in which the contestant sleeps is pale.
pub(crate) fn draw(figures: &Figures, delay: u64) -> String {
    let rows: i32 = Case::SHOWN.iter().map(|case| figures.taking(*case, delay).len() as i32 * ROW + GAP).sum();
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, (TOP + rows + GAP) as u32)).into_drawing_area();
        bars(figures, delay, &area).and_then(|()| area.present()).unwrap();
    }
    text
}

impl Figures {
    /// Those that can do a case, and those that cannot although others can.
    fn taking(&self, case: Case, delay: u64) -> Vec<Contestant> {
        let is_measured =
            |contestant: &&Contestant| self.median((**contestant, case, delay), |run| run.seconds).is_some();
        // `sam sync --code` is for code alone.
        let is_shown = |contestant: &&Contestant| {
            is_measured(contestant) || **contestant != Contestant::SamSync && contestant.is_asked(case)
        };
        self.contestants.iter().filter(is_shown).copied().collect()
    }
}

fn bars(figures: &Figures, delay: u64, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Drawn {
    area.fill(&WHITE)?;
    let text = |size: f64, anchor| TextStyle::from((FONT, size)).pos(Pos::new(anchor, VPos::Center)).color(&BLACK);
    area.draw_text(&format!("Seconds, with {delay} ms added to every call"), &text(18.0, HPos::Left), (16, 24))?;
    let note = "pale: asleep; lamstream verifies what it deploys; CloudFormation takes no time on moto";
    area.draw_text(note, &text(12.0, HPos::Left), (16, 46))?;
    let mut left = 16;
    for (contestant, colour) in figures.contestants.iter().zip(COLOURS) {
        area.draw(&Rectangle::new([(left, 64), (left + 12, 76)], colour.filled()))?;
        area.draw_text(contestant.name(), &text(12.0, HPos::Left), (left + 17, 70))?;
        left += 42 + contestant.name().len() as i32 * 7;
    }
    let places = Case::SHOWN.iter().flat_map(|case| figures.contestants.iter().map(|one| (*one, *case, delay)));
    let longest = places.filter_map(|place| figures.median(place, |run| run.seconds)).fold(0.1, f64::max);
    let scale = f64::from(WIDTH as i32 - LEFT - RIGHT) / longest;
    let end = |seconds: f64| LEFT + (seconds * scale).round() as i32;
    let mut top = TOP;
    for case in Case::SHOWN {
        let taking = figures.taking(case, delay);
        area.draw_text(case.name(), &text(13.0, HPos::Right), (LEFT - 10, top + ROW / 2))?;
        for contestant in taking {
            let nth = figures.contestants.iter().position(|one| *one == contestant).unwrap_or_default();
            let (colour, middle) = (COLOURS[nth], top + ROW / 2 - 1);
            let median = |figure: fn(&crate::figures::Run) -> f64| figures.median((contestant, case, delay), figure);
            match (median(|run| run.seconds), median(|run| run.idle)) {
                (Some(seconds), Some(idle)) => {
                    let awake = end(seconds - idle);
                    area.draw(&Rectangle::new([(LEFT, top), (awake, top + ROW - 3)], colour.filled()))?;
                    area.draw(&Rectangle::new(
                        [(awake, top), (end(seconds), top + ROW - 3)],
                        colour.mix(0.3).filled(),
                    ))?;
                    area.draw_text(&format!("{seconds:.2}"), &text(12.0, HPos::Left), (end(seconds) + 6, middle))?;
                }
                _ => {
                    let absence = format!("{}: {}", contestant.name(), contestant.absence(case));
                    area.draw_text(&absence, &text(11.0, HPos::Left), (LEFT + 4, middle))?;
                }
            }
            top += ROW;
        }
        top += GAP;
    }
    Ok(())
}
