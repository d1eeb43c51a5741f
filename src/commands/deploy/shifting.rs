//! How the traffic of a function moves to its new release: at once, in part until you decide, or step by step. Flags
//! take precedence over the manifest.

use crate::apply::Observed;
use crate::cli::{Deploy, Percents};
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::failure::Failure;
use crate::manifest::{Function, ShiftRule};
use crate::stack::{Live, Release, Shift, Stack, Steps, Weight};
use std::collections::BTreeMap;

/// What applies to each function.
#[derive(Default)]
pub(in crate::commands) struct Shiftings {
    /// What flags and the manifest ask for, by the function's name.
    asked: BTreeMap<String, Shifting>,
    /// Whether a shift in progress that was begun as one that ends itself goes on as one.
    resumes: bool,
}

#[derive(Clone, Debug)]
pub(in crate::commands) enum Shifting {
    /// `promote` or `abort` ends it.
    Open(Weight),
    /// It ends itself.
    Steps(ShiftRule),
}

/// Decides how each of the functions gets its traffic.
///
/// # Errors
/// When flags ask for what cannot be done. What the manifest alone asks for is left out instead, with a note.
pub(super) fn shiftings(session: &Session, project: &Project, arguments: &Deploy) -> Result<Shiftings, Failure> {
    let mut asked = BTreeMap::new();
    for function in &project.functions {
        let shifting = match (&arguments.shift, arguments.each) {
            (None, None) => from_manifest(session, function, arguments),
            (Some(percents), None) => Some(open(function, percents)?),
            (percents, Some(each)) => {
                let written = function.rollout.as_ref();
                let percents = percents.as_ref().map(|Percents(percents)| percents.clone());
                let percents = percents.or_else(|| written.map(|rule| rule.steps.percents().to_vec()));
                let steps = percents.and_then(|percents| Steps::new(percents, each));
                let steps = steps.ok_or_else(|| Failure::time_without_shift(&function.name))?;
                refuse_unjudged(function, arguments)?;
                let limits = written.map(|rule| rule.limits).unwrap_or_default();
                Some(Shifting::Steps(ShiftRule { steps, limits }))
            }
        };
        asked.extend(shifting.map(|shifting| (function.name.clone(), shifting)));
    }
    Ok(Shiftings { asked, resumes: !arguments.no_verify })
}

fn open(function: &Function, Percents(percents): &Percents) -> Result<Shifting, Failure> {
    refuse_provisioned(function)?;
    let all = || percents.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let one = percents.first().filter(|_| percents.len() == 1).and_then(|percent| Weight::percent(*percent));
    one.map(Shifting::Open).ok_or_else(|| Failure::shift_without_time(&all()))
}

/// Lambda keeps instances warm for one version only.
fn refuse_provisioned(function: &Function) -> Result<(), Failure> {
    match function.provisioned_concurrency {
        Some(_) => Err(Failure::shift_of_provisioned(&function.name)),
        None => Ok(()),
    }
}

fn refuse_unjudged(function: &Function, arguments: &Deploy) -> Result<(), Failure> {
    refuse_provisioned(function)?;
    let refuse = |why: &str| Err(Failure::shift_unjudged(&function.name, why));
    match function {
        _ if arguments.no_verify => refuse("with `--no-verify`, its checks are not asked"),
        Function { url: None, .. } => refuse("it has no URL, and therefore no checks"),
        Function { concurrency: Some(0), .. } => refuse("with `concurrency = 0`, it cannot answer"),
        _ => Ok(()),
    }
}

/// Stopping a function, or deploying without checks, must not be held up by the manifest.
fn from_manifest(session: &Session, function: &Function, arguments: &Deploy) -> Option<Shifting> {
    let rule = function.rollout.clone()?;
    let why = match function.concurrency {
        _ if arguments.no_verify => "with `--no-verify`",
        Some(0) => "with `concurrency = 0`",
        // The local cloud gets little traffic, and a deploy to try something out must not take minutes.
        _ if session.global.local => "with `--local` and without `--for`",
        _ => return Some(Shifting::Steps(rule)),
    };
    let name = &function.name;
    session
        .console
        .note(&format!("`{name}`: `rollout` does not apply {why}; the new release gets all of the traffic at once"));
    None
}

impl Shiftings {
    /// How the traffic of a function moves to this release; `None` if all of it moves at once.
    pub(super) fn of(&self, function: &Function, observed: &Observed, wanted: Option<&Release>) -> Option<Shifting> {
        let asked = self.asked.get(&function.name).cloned();
        let is_begun = || {
            let shift = observed.stack.live.as_ref().and_then(|live| live.shift.as_ref());
            self.resumes && shift.is_some_and(|shift| Some(&shift.release) == wanted)
        };
        let limits = function.rollout.as_ref().map(|rule| rule.limits).unwrap_or_default();
        let begun = || observed.outputs.steps.clone().filter(|_| is_begun());
        asked.or_else(|| begun().map(|steps| Shifting::Steps(ShiftRule { steps, limits })))
    }
}

impl Shifting {
    /// The share of the traffic that the release gets first. A shift to the same release goes on where it is.
    fn weight(&self, current: &Live, wanted: &Release) -> Option<Weight> {
        match self {
            Shifting::Open(weight) => Some(*weight),
            Shifting::Steps(rule) => {
                let begun = current.shift.as_ref().filter(|shift| shift.release == *wanted);
                rule.steps.weight(rule.steps.resumed(begun.map(|shift| shift.weight)))
            }
        }
    }
}

/// Gives the new release a share of the traffic if another release can serve the rest.
pub(super) fn shifted(target: Stack, current: &Stack, shifting: Option<&Shifting>) -> Stack {
    let (Some(shifting), Some(current), Some(wanted)) = (shifting, &current.live, &target.live) else { return target };
    let Some(weight) = shifting.weight(current, &wanted.release).filter(|_| current.release != wanted.release) else {
        return target;
    };
    let live = with_share(current, &wanted.release, weight);
    Stack { live: Some(live), ..target }
}

/// The release that serves, with this share of its traffic on another one.
pub(super) fn with_share(current: &Live, release: &Release, weight: Weight) -> Live {
    let shift = Some(Box::new(Shift { release: release.clone(), weight }));
    Live { release: current.release.clone(), shift }
}
