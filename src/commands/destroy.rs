//! `lamstream destroy`: the plan towards an empty stack.

use super::session::Session;
use crate::apply::{Cloud, Delivery, Observed, apply};
use crate::aws::Place;
use crate::cli::Destroy;
use crate::failure::Failure;
use crate::plan::{Plan, plan};
use crate::report::{Answer, FunctionAnswer, State, plan_lines};
use crate::stack::{Names, Stack};
use futures_util::future::{join_all, try_join_all};

pub async fn destroy(session: &Session, arguments: &Destroy) -> Result<Answer, Failure> {
    let agreed = session.agreed(arguments.yes, "destroy")?;
    let project = session.project(&[])?;
    let site = session.connect(&project.manifest).await?;
    let Some(any) = project.functions.first().map(|function| site.names(&project, function)) else {
        return Ok(site.answer("destroy", &project));
    };
    let deployed = session.looking("what was deployed", site.account.functions_of(&any)).await??;
    let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
    let orphans = deployed.into_iter().filter(|name| !known.contains(name));
    let all: Vec<String> = known.iter().cloned().chain(orphans).collect();
    if let Some(unknown) = arguments.functions.iter().find(|name| !all.contains(name)) {
        return Err(Failure::unknown_function(unknown, &all));
    }
    let chosen = all.into_iter().filter(|name| arguments.functions.is_empty() || arguments.functions.contains(name));
    let places: Vec<Place<'_>> =
        chosen.map(|function| Place::to_delete(&site.account, Names { function, ..any.clone() })).collect();
    let observed = session.looking("what is deployed", try_join_all(places.iter().map(Cloud::observe))).await??;
    let plans: Vec<Plan> =
        observed.iter().map(|observed| plan(&observed.stack, &emptied(&observed.stack, arguments.keep_logs))).collect();
    if plans.iter().all(Plan::is_empty) {
        session.console.note("nothing to destroy");
    } else if !agreed {
        let lines: Vec<String> =
            places.iter().zip(&plans).flat_map(|(place, plan)| plan_lines(place.names(), plan)).collect();
        let question = format!("Destroy all this of {} in {}?", project.app(), site.words());
        session.consent(&lines, &question).await?;
    }
    let mut answer = site.answer("destroy", &project);
    let work = places.iter().zip(observed).zip(plans);
    answer.functions =
        join_all(work.map(|((place, observed), plan)| clear(session, place, observed, plan, arguments.keep_logs)))
            .await;
    Ok(answer)
}

fn emptied(current: &Stack, keep_logs: bool) -> Stack {
    let log_group = current.log_group.clone().filter(|_| keep_logs);
    Stack { log_group, ..Stack::empty(current.names.clone()) }
}

async fn clear(
    session: &Session,
    place: &Place<'_>,
    observed: Observed,
    plan: Plan,
    keep_logs: bool,
) -> FunctionAnswer {
    let target = emptied(&observed.stack, keep_logs);
    let delivery = Delivery::of(&target);
    let applied = session.watched(async |observer| apply(place, &plan, &delivery, observer).await).await;
    let mut answer = FunctionAnswer {
        name: place.names().function.clone(),
        names: Some(place.names().clone()),
        state: State::Absent,
        changed: !plan.is_empty(),
        ..FunctionAnswer::default()
    };
    let left_alone = plan.changes.iter().fold(observed.stack, |stack, change| stack.after(change));
    if left_alone.function.is_some() {
        let name = place.names().function_name();
        session.console.note(&format!("left alone: function `{name}`, which lamstream did not make for this app"));
    }
    answer.plan = Some(plan);
    match applied {
        Ok(applied) => {
            answer.done = applied.done;
            if let Err(mut failure) = sweep(session, place).await {
                failure.done.clone_from(&answer.done);
                answer.state = State::Failed;
                answer.error = Some(failure);
            }
        }
        Err(error) => {
            let failure = Failure::from(error);
            answer.state = State::Failed;
            (answer.done, answer.left) = (failure.done.clone(), failure.left.clone());
            answer.error = Some(failure);
        }
    }
    answer
}

/// What a killed upload left is no part of a stack.
async fn sweep(session: &Session, place: &Place<'_>) -> Result<(), Failure> {
    if let Some(bucket) = session.until_stopped(place.sweep()).await?? {
        let function = &place.names().function;
        session.console.note(&format!("removed the bucket `{bucket}`, which an upload of `{function}` had left"));
    }
    Ok(())
}
