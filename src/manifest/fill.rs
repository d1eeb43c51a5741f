//! How values from outside get to their places.

use super::check::Check;
use super::environment;
use super::function::Function;
use super::http;
use super::outside::{Origin, Outside};
use super::problem::{Problem, Problems};
use super::secrets;
use crate::stack::Secret;
use std::collections::BTreeMap;
use toml::de::DeTable;

/// What each origin has; or why it has nothing, in words that follow "which".
pub type Found = BTreeMap<Origin, Result<Secret, String>>;

impl Function {
    /// All of its values that come from outside and are not filled in yet.
    pub fn outside(&self) -> impl Iterator<Item = &Outside> {
        self.outside.iter().chain(self.checks.iter().flat_map(|check| &check.outside))
    }

    /// All of its secret values.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.environment.values().chain(self.checks.iter().flat_map(Check::secrets))
    }

    fn fill(&mut self, found: &Found, problems: &mut Vec<Problem>) {
        let asked = self.outside.first().map(|first| first.place.clone());
        for (outside, value) in taken(&mut self.outside, found, problems) {
            if value.reveal().contains('\0') {
                problems.push(outside.problem("holds a NUL character, which no variable can"));
            }
            self.environment.insert(outside.name, value);
        }
        if let (Some(place), Some(message)) = (asked, environment::too_large(self.all_variables(&self.runtime).iter()))
        {
            problems.push(Problem::new(Some(place), format!("with what comes from outside {message}")));
        }
        for check in self.checks.iter_mut() {
            for (outside, value) in taken(&mut check.outside, found, problems) {
                if !http::is_value(value.reveal()) {
                    problems.push(outside.problem("holds a control character, which no header can"));
                }
                check.headers.push((outside.name, value));
            }
        }
    }
}

impl Check {
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.headers.iter().map(|(_, value)| value).chain(&self.body)
    }
}

/// Those of `outside` whose value was found. One that was not found is a problem, and one that was not looked for stays.
fn taken(outside: &mut Vec<Outside>, found: &Found, problems: &mut Vec<Problem>) -> Vec<(Outside, Secret)> {
    let mut taken = Vec::new();
    for one in std::mem::take(outside) {
        match found.get(&one.origin) {
            Some(Ok(value)) => taken.push((one, value.clone())),
            Some(Err(why)) => problems.push(one.problem(why)),
            None => outside.push(one),
        }
    }
    taken
}

/// Puts what was found into its places. May be called again with more. `text` is the manifest that was parsed.
///
/// # Errors
/// All values that were not found, or that a variable or a header cannot have.
pub fn fill(functions: &mut [Function], found: &Found, text: &str) -> Result<(), Problems> {
    let mut problems = Vec::new();
    for function in functions {
        function.fill(found, &mut problems);
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Problems::new(problems, secrets::known(DeTable::parse_recoverable(text).0.get_ref())))
}
