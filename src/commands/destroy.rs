//! `lamstream destroy`: the plan towards an empty stack.

use super::project::Project;
use super::proposal::Proposal;
use super::session::Session;
use super::site::Site;
use crate::apply::{Cloud, Delivery, NoTrial, apply};
use crate::aws::Place;
use crate::cli::Destroy;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer, State};
use crate::stack::{Names, Stack};
use futures_util::future::{join_all, try_join_all};

pub async fn destroy(session: &Session, arguments: &Destroy) -> Result<Answer, Failure> {
    let agreed = session.has_consent(arguments.yes, "destroy")?;
    let project = Project::read(&session.global, &[])?;
    let site = Site::connect(session, &project.manifest).await?;
    let places = places(session, &project, &site, &arguments.functions).await?;
    let observed = session.read("what is deployed", try_join_all(places.iter().map(Cloud::observe))).await??;
    let proposals: Vec<Proposal<'_>> = observed
        .into_iter()
        .map(|current| {
            let target = emptied(&current.observed.stack, arguments.keep_logs);
            Proposal::new(current, target)
        })
        .collect();
    if proposals.iter().all(|proposal| proposal.plan.is_empty()) {
        session.console.note("nothing to destroy");
    } else if !agreed {
        let lines: Vec<_> = proposals.iter().flat_map(Proposal::lines).collect();
        let question = format!("Destroy all this of {} in {}?", project.app(), site.words());
        session.ask(&lines, &question).await?;
    }
    let functions = join_all(proposals.into_iter().map(|proposal| clear(session, proposal))).await;
    Ok(Answer::Destroy(site.functions(&project, functions)))
}

/// Where the functions are that were named; if none was, all that the app and stage ever deployed.
async fn places<'a>(
    session: &Session,
    project: &Project,
    site: &'a Site,
    named: &[String],
) -> Result<Vec<Place<'a>>, Failure> {
    let Some(any) = project.functions.first().map(|function| site.names(project, function)) else {
        return Ok(Vec::new());
    };
    let deployed = session.read("what was deployed", site.account.functions_of(&any)).await??;
    let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
    let orphans = deployed.into_iter().filter(|name| !known.contains(name));
    let all: Vec<String> = known.iter().cloned().chain(orphans).collect();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        return Err(Failure::unknown_function(unknown, &all));
    }
    let chosen = all.into_iter().filter(|name| named.is_empty() || named.contains(name));
    Ok(chosen.map(|function| Place::to_delete(&site.account, Names { function, ..any.clone() })).collect())
}

fn emptied(current: &Stack, keep_logs: bool) -> Stack {
    let log_group = current.log_group.clone().filter(|_| keep_logs);
    Stack { log_group, ..Stack::empty(current.names.clone()) }
}

async fn clear(session: &Session, proposal: Proposal<'_>) -> FunctionAnswer {
    let Proposal { mut current, target, plan } = proposal;
    let delivery = Delivery::of(&target);
    let applied = apply(&mut current, &plan, &delivery, &mut NoTrial, &session.observer()).await;
    let stack = current.observed.stack;
    let left_alone = plan.changes.iter().fold(stack, |stack, change| stack.after(change));
    if left_alone.function.is_some() {
        let name = target.names.function_name();
        session.console.note(&format!("function `{name}` was left alone: lamstream did not create it for this app"));
    }
    let mut answer = FunctionAnswer {
        state: State::Absent,
        changed: !plan.is_empty(),
        plan: Some(plan),
        ..FunctionAnswer::of(target.names.clone())
    };
    let swept = match applied {
        Ok(applied) => {
            answer.done = applied.done;
            let swept = sweep(session, current.place).await;
            swept.map_err(|failure| Failure { done: answer.done.clone(), ..failure })
        }
        Err(error) => Err(Failure::from(error)),
    };
    if let Err(failure) = swept {
        answer.state = State::Failed;
        (answer.done, answer.left) = (failure.done.clone(), failure.left.clone());
        answer.error = Some(failure);
    }
    answer
}

/// The bucket that a killed upload left is not part of a stack.
async fn sweep(session: &Session, place: &Place<'_>) -> Result<(), Failure> {
    if let Some(bucket) = session.until_stopped(place.sweep()).await?? {
        let function = &place.names().function;
        session.console.note(&format!("removed bucket `{bucket}`, left behind by an upload of `{function}`"));
    }
    Ok(())
}
