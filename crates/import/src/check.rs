//! Checks a draft against lamstream's rules: everything that lamstream would reject becomes a comment, and is reported.

use super::draft::{Draft, Entry, Item, LeftOver};
use super::input::Rules;
use super::render::render;
use std::collections::BTreeSet;
use std::ops::Range;
use toml_edit::{Document, Key, Table};

/// The file, the line and the path of what a function was made of; `None` is the source as a whole. A path of `None` is that
/// of the table in the manifest.
pub(crate) type PlaceOf<'a> = &'a dyn Fn(Option<&str>) -> (String, usize, Option<String>);

/// The most rounds. Disabling something may cause another problem, but this must end.
const ROUNDS: usize = 50;

/// Disables until lamstream accepts the manifest, or until nothing that is left can be disabled.
pub(crate) fn disable_rejected(draft: &mut Draft, place_of: PlaceOf<'_>, rules: &dyn Rules) {
    let mut reported = BTreeSet::new();
    for _ in 0..ROUNDS {
        let text = render("", draft, rules);
        let places = places(&text);
        let mut comments = Vec::new();
        let mut is_other = false;
        for problem in rules.problems(&text) {
            let path = problem.at.and_then(|at| path_at(&places, at));
            let off = path.as_ref().map(|path| responsible(draft, &problem.message, path)).unwrap_or_default();
            off.iter().for_each(|number| draft.items[*number].disable());
            is_other |= !off.is_empty();
            let is_there = |item: &Item| path.as_ref().is_some_and(|path| item.table == *path || item.path() == *path);
            let at = off.first().copied().or_else(|| draft.items.iter().position(is_there));
            let table = at.map(|number| draft.items[number].table.clone()).unwrap_or_default();
            if reported.insert((problem.message.clone(), table.clone())) {
                let left = left_over(place_of, &table, problem.message, !off.is_empty());
                comments.push((at.unwrap_or(0), Item { table, entry: Entry::LeftOver(left) }));
            }
        }
        // From the end, so that earlier positions stay valid.
        comments.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        comments.into_iter().for_each(|(at, item)| draft.items.insert(at, item));
        if !is_other {
            return;
        }
    }
}

/// Where a key or a header begins, and the keys that lead to it.
type Place = (usize, Vec<String>);

/// The last key or header that begins at a byte or before.
fn path_at(places: &[Place], at: usize) -> Option<Vec<String>> {
    places.iter().filter(|(start, _)| *start <= at).max().map(|(_, path)| path.clone())
}

/// The places of all keys and headers of a manifest.
fn places(manifest: &str) -> Vec<Place> {
    let mut places = Vec::new();
    if let Ok(document) = Document::parse(manifest) {
        collect_places(document.as_table(), &[], &mut places);
    }
    places
}

fn collect_places(table: &Table, path: &[String], places: &mut Vec<Place>) {
    for (name, item) in table {
        let path = [path, &[name.to_owned()]].concat();
        let mut place = |span: Option<Range<usize>>| places.extend(span.map(|span| (span.start, path.clone())));
        match item {
            toml_edit::Item::Table(inner) => {
                place(inner.span().filter(|_| !inner.is_implicit()));
                collect_places(inner, &path, places);
            }
            toml_edit::Item::ArrayOfTables(elements) => elements.iter().for_each(|element| place(element.span())),
            _ => place(table.key(name).and_then(Key::span)),
        }
    }
}

/// The enabled items without which there would be no such problem at `path`.
fn responsible(draft: &Draft, message: &str, path: &[String]) -> Vec<usize> {
    let stage = message.strip_prefix("in stage `").and_then(|rest| rest.split('`').next());
    let is_stages = path.first().is_some_and(|first| first == "stages");
    let is_header = draft.items.iter().any(|item| item.table == path);
    let path = match stage {
        // Values that are valid without the stage stay as they are; disabling the header of a function alone would not
        // help.
        Some(_) if !is_stages && is_header => return Vec::new(),
        Some(stage) if !is_stages => [&["stages".to_owned(), stage.to_owned()], path].concat(),
        _ => path.to_vec(),
    };
    let is_function = path.len() == 2 && path[0] == "functions";
    // If a function is disabled, so are its settings in the stages.
    let of_stages =
        |other: &[String]| is_function && other.len() > 3 && other[0] == "stages" && other[2..].starts_with(&path);
    let goes = |item: &Item| item.path().starts_with(&path) || of_stages(&item.path());
    let enabled = draft.items.iter().enumerate().filter(|(_, item)| item.is_enabled());
    let (off, stay): (Vec<_>, Vec<_>) = enabled.partition(|(_, item)| goes(item));
    // A manifest without any function would not be valid, either.
    if is_function && !stay.iter().any(|(_, item)| item.is_in("functions")) {
        return Vec::new();
    }
    off.into_iter().map(|(number, _)| number).collect()
}

fn left_over(place_of: PlaceOf<'_>, table: &[String], message: String, is_off: bool) -> LeftOver {
    let inner = if table.first().is_some_and(|first| first == "stages") { table.get(2..) } else { Some(table) };
    let function = inner.filter(|table| table.len() > 1 && table[0] == "functions").map(|table| &table[1]);
    let (file, line, path) = place_of(function.map(String::as_str));
    let advice =
        if is_off { "it is commented out here: check what is meant, and correct it" } else { "correct it here" };
    LeftOver {
        file,
        line,
        path: path.unwrap_or_else(|| table.join(".")),
        what: format!("lamstream would reject the manifest: {message}"),
        advice: advice.to_owned(),
        blocks: true,
    }
}
