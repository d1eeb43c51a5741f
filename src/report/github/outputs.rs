//! The outputs of a step, in the form that GITHUB_OUTPUT has for values of any text.

use crate::report::answer::{Aim, Answer, Detail, FunctionAnswer, State};
use crate::text;
use serde_json::{Map, Value};

/// The outputs, each with its value: `url` and `version` of the only function, `urls` and `versions` of all of them as a
/// JSON object, and `changed`. A step may run several commands, and the last value of an output counts, so a command
/// writes only what it knows.
pub(super) fn of(answer: &Answer) -> Vec<(&'static str, String)> {
    let functions = &answer.found.functions;
    let mut outputs = Vec::new();
    let is_gone = functions.iter().any(|function| function.state == State::Absent);
    for (one, many, value) in [("url", "urls", url as Known), ("version", "versions", version)] {
        let values = all(functions, value);
        if !values.is_empty() || is_gone {
            outputs.push((one, only(&values, functions)));
            outputs.push((many, text::json(&Value::Object(values))));
        }
    }
    if answer.aim == Aim::Change && !functions.is_empty() {
        let changed = functions.iter().any(|function| match function.detail {
            Detail::Changes => function.plan.as_ref().is_some_and(|plan| !plan.is_empty()),
            _ => function.changed,
        });
        outputs.push(("changed", changed.to_string()));
    }
    outputs
}

/// A value of a function, if it is known.
type Known = fn(&FunctionAnswer) -> Option<&String>;

fn url(function: &FunctionAnswer) -> Option<&String> {
    function.url().filter(|_| function.state != State::Absent)
}

fn version(function: &FunctionAnswer) -> Option<&String> {
    function.outputs.version.as_ref().filter(|_| function.state != State::Absent)
}

fn all(functions: &[FunctionAnswer], value: Known) -> Map<String, Value> {
    let pair = |function: &FunctionAnswer| Some((function.name.clone(), Value::from(value(function)?.as_str())));
    functions.iter().filter_map(pair).collect()
}

/// The value of the only function; empty if there are several, or if it has none.
fn only(values: &Map<String, Value>, functions: &[FunctionAnswer]) -> String {
    let value = values.values().next().filter(|_| functions.len() == 1);
    value.and_then(Value::as_str).map(text::line).unwrap_or_default()
}

/// The outputs as lines of the file. `delimiter` must be unpredictable.
pub(super) fn written(outputs: &[(&'static str, String)], delimiter: &str) -> String {
    let safe = |value: &str| {
        let mut delimiter = delimiter.to_owned();
        while value.contains(&delimiter) {
            delimiter.push('x');
        }
        delimiter
    };
    let one = |(name, value): &(&str, String)| {
        let delimiter = safe(value);
        format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
    };
    outputs.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_does_not_end_itself() {
        let outputs = [("url", "a\nend\nversion=9".to_owned()), ("changed", "true".to_owned())];
        assert_eq!(written(&outputs, "end"), "url<<endx\na\nend\nversion=9\nendx\nchanged<<end\ntrue\nend\n");
    }
}
