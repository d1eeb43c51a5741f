//! Puts values from outside into the manifest.

use super::check::Check;
use super::env_file;
use super::environment;
use super::function::Function;
use super::http;
use super::outside::{Origin, Outside};
use super::problem::{Problem, Problems};
use super::secrets;
use crate::stack::{NoValue, Secret, secrets_of};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// The value of each source, or the reason why it has none.
pub type Found = BTreeMap<Origin, Result<Secret, NoValue>>;

/// A place that got no value.
pub struct Unfilled {
    /// Only this place's problem.
    pub problem: Problems,
    /// Where its value should come from, and why there is none.
    pub missing: Option<(Origin, NoValue)>,
}

/// The same, before the problems are in order.
type Wrong = (Problem, Option<(Origin, NoValue)>);

impl Function {
    /// All references to outside values that are still unresolved.
    pub fn outside(&self) -> impl Iterator<Item = &Outside> {
        self.outside.iter().chain(self.checks.iter().flat_map(|check| &check.outside))
    }

    /// All values that may be secret, with their secret parts.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        let of_checks = self.checks.iter().flat_map(Check::secrets).flat_map(Secret::with_parts);
        secrets_of(&self.environment).chain(of_checks)
    }

    /// Adds variables of a file. Those of `environment` override them.
    fn add_variables(&mut self, variables: Vec<(String, String)>) {
        let written: BTreeSet<String> = self.environment.keys().cloned().collect();
        for (name, value) in variables.into_iter().filter(|(name, _)| !written.contains(name)) {
            self.environment.insert(name, Secret::new(value));
        }
    }

    fn fill(&mut self, found: &Found, problems: &mut Vec<Wrong>) {
        let asked = self.outside.first().map(|first| first.place.clone());
        for (outside, value) in taken(&mut self.outside, found, problems) {
            if let Origin::EnvFile(_) = outside.origin {
                match env_file::read(value.reveal()) {
                    Ok(variables) => self.add_variables(variables),
                    Err(why) => problems.push((outside.problem(&format!("cannot be read: {why}")), None)),
                }
                continue;
            }
            if value.reveal().contains('\0') {
                problems.push((outside.problem("contains a NUL character, which no variable can contain"), None));
            }
            self.environment.insert(outside.name, value);
        }
        if let (Some(place), Some(message)) = (asked, environment::too_large(self.all_variables(&self.runtime).iter()))
        {
            problems.push((Problem::new(Some(place), format!("with what comes from outside {message}")), None));
        }
        for check in self.checks.iter_mut() {
            for (outside, value) in taken(&mut check.outside, found, problems) {
                if http::control_character(value.reveal()).is_some() {
                    problems.push((outside.problem("contains a control character, which no header can contain"), None));
                }
                check.headers.push((outside.name, value));
            }
        }
    }
}

/// Headers whose values are never secret.
const HARMLESS: [&str; 5] = ["accept", "accept-language", "content-type", "origin", "user-agent"];

impl Check {
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.iter().filter(|(name, _)| Check::may_be_secret(name));
        headers.map(|(_, value)| value).chain(&self.body)
    }

    /// Whether the value of a header of this name must not be shown.
    pub fn may_be_secret(header: &str) -> bool {
        !HARMLESS.contains(&header.to_ascii_lowercase().as_str())
    }
}

/// The variables of `outside` whose values were found. Values that were not found are reported; those not looked up yet
/// stay.
fn taken(outside: &mut Vec<Outside>, found: &Found, problems: &mut Vec<Wrong>) -> Vec<(Outside, Secret)> {
    let mut taken = Vec::new();
    for one in std::mem::take(outside) {
        match found.get(&one.origin) {
            Some(Ok(value)) => taken.push((one, value.clone())),
            Some(Err(why)) => problems.push((one.problem(&why.to_string()), Some((one.origin, why.clone())))),
            None => outside.push(one),
        }
    }
    taken
}

/// Puts the values found so far into their places. It may be called again with more. `text` is the manifest's text.
///
/// # Errors
/// All values that were not found, and all that a variable or header cannot hold, in the order of their places.
pub fn fill<'f>(
    functions: impl IntoIterator<Item = &'f mut Function>,
    found: &Found,
    text: &str,
) -> Result<(), Vec<Unfilled>> {
    let mut problems: Vec<Wrong> = Vec::new();
    for function in functions {
        function.fill(found, &mut problems);
    }
    if problems.is_empty() {
        return Ok(());
    }
    let place = |problem: &Problem| problem.span.as_ref().map(|span| (span.start, span.end));
    problems.sort_by_key(|(problem, _)| place(problem));
    // Functions share places: those of the app's own environment.
    let mut seen = BTreeSet::new();
    problems.retain(|(problem, _)| seen.insert((place(problem), problem.message.clone())));
    let hidden = secrets::known(DeTable::parse_recoverable(text).0.get_ref());
    let unfilled = |(problem, missing)| Unfilled { problem: Problems::new(vec![problem], hidden.clone()), missing };
    Err(problems.into_iter().map(unfilled).collect())
}
