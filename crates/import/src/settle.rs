//! Whether what was written is a manifest: what lamstream itself would refuse is switched off, and told.

use super::draft::{Draft, Item, LeftOver, Said};
use super::render::{Origin, render};
use super::rules::Rules;
use super::template::Template;
use std::collections::BTreeSet;

/// Switching something off may bring up something else, but not for ever.
const ROUNDS: usize = 50;

/// Until the manifest is one, or until only that is left for which there is no key to switch off.
pub fn settle(draft: &mut Draft, template: &Template, rules: &dyn Rules) {
    let mut told = BTreeSet::new();
    for _ in 0..ROUNDS {
        let rendered = render(draft, rules);
        let problems = rules.problems(&rendered.text);
        if problems.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for problem in problems {
            let origin = problem.at.and_then(|at| {
                let holds = |(range, _): &&(std::ops::Range<usize>, Origin)| range.contains(&at);
                rendered.origins.iter().find(holds).map(|(_, origin)| origin.clone())
            });
            found.push((problem.message, origin));
        }
        let mut comments = Vec::new();
        let mut is_other = false;
        for (message, origin) in found {
            let off = guilty(draft, &message, origin.as_ref());
            off.iter().for_each(|number| switch_off(&mut draft.items[*number].said));
            is_other |= !off.is_empty();
            let (at, table) = place(draft, &off, origin.as_ref());
            if told.insert((message.clone(), table.clone())) {
                let left = left_over(template, &table, message, !off.is_empty());
                comments.push((at, Item { table, said: Said::Left(left) }));
            }
        }
        // From behind, so that the numbers before stay right.
        comments.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        comments.into_iter().for_each(|(at, item)| draft.items.insert(at, item));
        if !is_other {
            return;
        }
    }
}

/// The items in force without which there would be no such problem.
fn guilty(draft: &Draft, message: &str, origin: Option<&Origin>) -> Vec<usize> {
    let stage = message.strip_prefix("in stage `").and_then(|rest| rest.split('`').next());
    let path = match origin {
        Some(Origin::Item(number)) => path(&draft.items[*number]),
        Some(Origin::Table(table)) => table.clone(),
        None => return Vec::new(),
    };
    let is_stages = path.first().is_some_and(|first| first == "stages");
    let path = match stage {
        // What is right without the stage stays as it is; a function's own header says nothing that would help.
        Some(_) if !is_stages && matches!(origin, Some(Origin::Table(_))) => return Vec::new(),
        Some(stage) if !is_stages => [vec!["stages".to_owned(), stage.to_owned()], path].concat(),
        _ => path,
    };
    let all: Vec<usize> = (0..draft.items.len()).filter(|number| is_on(&draft.items[*number].said)).collect();
    let inside: Vec<usize> =
        all.iter().copied().filter(|number| self::path(&draft.items[*number]).starts_with(&path)).collect();
    let goes_whole = path.len() == 2 && path[0] == "functions";
    let of_stages = |number: &usize| {
        let other = self::path(&draft.items[*number]);
        goes_whole && other.len() > 3 && other[0] == "stages" && other[2..].starts_with(&path)
    };
    let with_stages: Vec<usize> =
        all.iter().copied().filter(|number| inside.contains(number) || of_stages(number)).collect();
    let stays = |number: &usize| draft.items[*number].table.first().is_some_and(|first| first == "functions");
    // A manifest without any function would be none either.
    if goes_whole && !all.iter().any(|number| stays(number) && !with_stages.contains(number)) {
        return Vec::new();
    }
    with_stages
}

/// The keys that lead to what an item says.
fn path(item: &Item) -> Vec<String> {
    match &item.said {
        Said::Key { name, .. } | Said::Part { name, .. } => [&item.table[..], std::slice::from_ref(name)].concat(),
        Said::Comment(_) | Said::Left(_) => item.table.clone(),
    }
}

fn is_on(said: &Said) -> bool {
    matches!(said, Said::Key { on: true, .. } | Said::Part { on: true, .. })
}

fn switch_off(said: &mut Said) {
    if let Said::Key { on, .. } | Said::Part { on, .. } = said {
        *on = false;
    }
}

/// Where the comment goes: before the first of what is off, or to where the problem is.
fn place(draft: &Draft, off: &[usize], origin: Option<&Origin>) -> (usize, Vec<String>) {
    let first = match origin {
        Some(Origin::Item(number)) => Some(*number),
        Some(Origin::Table(table)) => draft.items.iter().position(|item| item.table == *table),
        None => None,
    };
    match off.first().copied().or(first) {
        Some(number) => (number, draft.items[number].table.clone()),
        None => (0, Vec::new()),
    }
}

fn left_over(template: &Template, table: &[String], message: String, is_off: bool) -> LeftOver {
    let inner = if table.first().is_some_and(|first| first == "stages") { table.get(2..) } else { Some(table) };
    let function = inner.filter(|table| table.len() > 1 && table[0] == "functions").map(|table| &table[1]);
    let resource = function.and_then(|name| template.root.at(&["Resources", name]));
    let advice = if is_off { "it is switched off here: see what is meant, and write it" } else { "change it here" };
    LeftOver {
        file: template.file.clone(),
        line: resource.unwrap_or(&template.root).line,
        path: function.map_or_else(|| table.join("."), |name| format!("Resources.{name}")),
        what: format!("lamstream would refuse the manifest: {message}"),
        advice: advice.to_owned(),
    }
}
