//! The files that can hold the picture.

use super::recorded::Timeline;
use super::{html, svg};
use std::path::Path;

/// A kind of file that holds the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Svg,
    Html,
}

impl PictureFormat {
    /// The format that a file's name asks for.
    pub(crate) fn of(file: &Path) -> Option<PictureFormat> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "svg" => Some(PictureFormat::Svg),
            "html" | "htm" => Some(PictureFormat::Html),
            _ => None,
        }
    }

    /// The picture as the text of a file.
    pub(crate) fn draw(self, timeline: &Timeline) -> String {
        match self {
            PictureFormat::Svg => svg::document(timeline),
            PictureFormat::Html => html::document(timeline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_picture_has_a_limit_and_all_of_the_chunks() {
        let mut timeline = Timeline::begin("GET /".to_owned(), 200, Duration::from_millis(5));
        (0..100_000).for_each(|nth| timeline.chunk(Duration::from_micros(5000 + nth * 10), 7));
        assert_eq!((timeline.chunks(), timeline.bytes()), (100_000, 700_000));
        for format in [PictureFormat::Svg, PictureFormat::Html] {
            let text = format.draw(&timeline);
            assert!(text.contains("100,000") && text.contains("700,000"), "{format:?}");
            assert!(text.len() < 600_000, "{format:?} has {} bytes", text.len());
        }
    }
}
