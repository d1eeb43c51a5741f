//! A page with the picture and its figures. It loads nothing.

use super::recorded::Timeline;
use super::svg;
use super::words::escaped;

const STYLE: &str = "\
    :root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}\
    body{max-width:62rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#24292f}\
    h1{font-size:1.2rem;overflow-wrap:anywhere}\
    figure{margin:0 0 1rem}\
    svg{width:100%;height:auto}\
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.5rem}\
    dt{opacity:.7}\
    dd{margin:0;overflow-wrap:anywhere}\
    @media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}}";

pub(super) fn document(timeline: &Timeline) -> String {
    let facts =
        timeline.facts().into_iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(&value)));
    let title = escaped(&timeline.request);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<figure>\n{}\n</figure>\n\
         <dl>\n{}</dl>\n</body>\n</html>\n",
        svg::element(timeline),
        facts.collect::<String>(),
    )
}
