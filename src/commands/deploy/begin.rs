//! What is done for a function before its code is there.

use crate::apply::{Delivery, Observed, Step, apply};
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::failure::Failure;
use crate::plan::plan;
use crate::report::{FunctionAnswer, State};

/// What was done for a function before its code was there.
pub(super) struct Begun {
    pub observed: Observed,
    pub done: Vec<Step>,
    pub failure: Option<Failure>,
}

/// On a first deploy, makes what needs no code while the code is being built: IAM takes seconds to spread a new role.
pub(super) async fn begin(session: &Session, job: &Job<'_>, mut observed: Observed, agreed: bool) -> Begun {
    if !agreed || observed.stack.function.is_some() {
        return Begun { observed, done: Vec::new(), failure: None };
    }
    let target = job.target("");
    let early = plan(&observed.stack, &target).before_code();
    let delivery = Delivery::of(&target);
    let applied = session.watched(async |observer| apply(&job.place, &early, &delivery, observer).await).await;
    match applied {
        Ok(applied) => {
            observed.stack = early.changes.iter().fold(observed.stack, |stack, change| stack.after(change));
            Begun { observed, done: applied.done, failure: None }
        }
        Err(error) => Begun { observed, done: error.done.clone(), failure: Some(error.into()) },
    }
}

/// Nothing more is done for any function when one of them cannot be built.
pub(super) fn ended_early(job: &Job<'_>, begun: Begun, build: Option<Failure>) -> FunctionAnswer {
    let left = plan(&begun.observed.stack, &job.target("")).changes;
    let left: Vec<Step> = left.iter().map(|change| Step::of(change, job.names())).collect();
    // What a failed beginning had done was not observed since.
    let left: Vec<Step> = left.into_iter().filter(|step| !begun.done.contains(step)).collect();
    let error =
        begun.failure.or(build).map(|failure| Failure { done: begun.done.clone(), left: left.clone(), ..failure });
    let state = if error.is_some() { State::Failed } else { job.answer(&begun.observed).state };
    FunctionAnswer {
        state,
        changed: !begun.done.is_empty(),
        done: begun.done,
        left,
        error,
        ..job.answer(&begun.observed)
    }
}
