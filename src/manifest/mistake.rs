//! Problems of the manifest that only this machine's files show, reported at their place in the text.

use super::problem::{Problem, Problems};
use super::secrets;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One such problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub function: String,
    /// Keys of the function, with dots for nested tables. The first one that the manifest has is reported.
    pub keys: &'static [&'static str],
    pub message: String,
}

/// Converts mistakes into problems of the manifest. `text` is the manifest's text, `stage` the stage that was applied.
pub fn located(mistakes: Vec<Mistake>, text: &str, stage: Option<&str>) -> Problems {
    let (document, _) = DeTable::parse_recoverable(text);
    let root = document.get_ref();
    let problem = |mistake: Mistake| Problem::new(place(root, stage, &mistake), mistake.message);
    Problems::new(mistakes.into_iter().map(problem).collect(), secrets::known(root))
}

/// The stage's keys take precedence over the function's. If none of the keys is written, the function's name is
/// reported.
fn place(root: &DeTable<'_>, stage: Option<&str>, mistake: &Mistake) -> Option<Range<usize>> {
    let staged = stage.and_then(|stage| lookup(root, &["stages", stage, "functions", &mistake.function]));
    let tables = [staged, lookup(root, &["functions", &mistake.function])];
    for key in mistake.keys {
        let path: Vec<&str> = key.split('.').collect();
        for table in tables.iter().flatten().filter_map(|(_, value)| value.get_ref().as_table()) {
            if let Some((key, value)) = lookup(table, &path) {
                return Some(if value.get_ref().is_table() { key } else { value.span() });
            }
        }
    }
    tables.into_iter().flatten().map(|(key, _)| key).next_back()
}

/// The place of the key at the end of this path, and its value.
fn lookup<'a>(table: &'a DeTable<'a>, path: &[&str]) -> Option<(Range<usize>, &'a Spanned<DeValue<'a>>)> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.get_key_value(*first)?;
    if rest.is_empty() { Some((key.span(), value)) } else { lookup(value.get_ref().as_table()?, rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "app = 'a'\n[functions.f]\ncrate = 'x'\nbuild.rustc = './r'\n[stages.p.functions.f]\ncrate = 'y'\n";

    fn shown(keys: &'static [&'static str], stage: Option<&str>) -> String {
        let mistake = Mistake { function: "f".into(), keys, message: "wrong".into() };
        let rendered = located(vec![mistake], TEXT, stage).render("deploy.toml", TEXT);
        rendered.lines().next().unwrap().to_owned()
    }

    #[test]
    fn the_first_key_that_is_written_is_shown_as_the_stage_has_it() {
        assert_eq!(shown(&["bin", "crate"], None), "deploy.toml:3:9: wrong");
        assert_eq!(shown(&["crate"], Some("p")), "deploy.toml:6:9: wrong");
        assert_eq!(shown(&["build.rustc"], Some("p")), "deploy.toml:4:15: wrong");
        assert_eq!(shown(&["run"], None), "deploy.toml:2:12: wrong");
    }
}
