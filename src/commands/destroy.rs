//! `lamstream destroy`: plans and applies the changes that lead to an empty stack.

use super::foresight::{Foresight, Found, Purpose, Writers, function_names, known_or};
use super::project::Project;
use super::proposal::Proposal;
use super::session::Session;
use super::site::Site;
use super::stages::deployed;
use crate::apply::{Cloud as _, CloudError, Delivery, NoTrial, Step, apply};
use crate::aws::{Current, Place, observe_all};
use crate::cli::{Destroy, Global};
use crate::failure::Failure;
use crate::plan::{Action, ResourceKind};
use crate::report::{Answer, FunctionAnswer, State};
use crate::stack::{Names, Stack};
use crate::text::{self, list};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// How many functions are deleted at once. AWS limits the calls to each service, so that all of them at once would wait for
/// Lambda first, and then for IAM and CloudWatch Logs.
const AT_ONCE: usize = 32;

pub(super) async fn destroy(session: &Session, arguments: &Destroy) -> Result<Answer, Failure> {
    let agreed = session.has_consent(arguments.yes, "destroy")?;
    let project = Project::of_any_stage(&session.global)?;
    if arguments.expired {
        let site = Site::connect(session, &project.manifest).await?;
        let functions = destroy_expired(session, arguments, &project, &site, agreed).await?;
        return Ok(site.functions(&project, functions).into());
    }
    let (site, foresight) = Site::connect_to(session, &project, Purpose::Destroy).await?;
    let functions = destroy_stage(session, arguments, &project, &site, foresight, agreed).await?;
    Ok(site.functions(&project, functions).into())
}

/// Deletes every stage in this region that has expired, one after the other.
async fn destroy_expired(
    session: &Session,
    arguments: &Destroy,
    project: &Project,
    site: &Site,
    agreed: bool,
) -> Result<Vec<FunctionAnswer>, Failure> {
    if let Some(stage) = &project.manifest.stage {
        let failure = Failure::usage(format!("`--expired` is for all stages, but the stage `{stage}` is chosen"));
        return Err(failure.hint("leave out `--stage`, and unset `LAMSTREAM_STAGE`"));
    }
    let stages = deployed(session, site, project).await?;
    let expired = stages.into_iter().filter(|stage| stage.is_expired);
    let expired: Vec<Expired> = expired
        .filter_map(|found| Some(Expired { stage: found.stage?, at: found.expires?, functions: found.functions }))
        .collect();
    if expired.is_empty() {
        session.console.note("no stage has expired");
    }
    let (mut functions, mut deleted) = (Vec::new(), Vec::new());
    for (nth, Expired { stage, at, .. }) in expired.iter().enumerate() {
        session.console.note(&format!("stage `{stage}` expired on {at}"));
        let global = Global { stage: Some(stage.clone()), ..session.global.clone() };
        let one = async {
            let project = Project::of_any_stage(&global)?;
            // A stage may be for an account of its own.
            site.refuse_other_account(session, &project.manifest)?;
            destroy_stage(session, arguments, &project, site, Foresight::default(), agreed).await
        };
        match one.await {
            Ok(answers) => {
                if answers.iter().all(|answer| answer.error.is_none()) {
                    deleted.push(stage.as_str());
                }
                functions.extend(answers);
            }
            Err(failure) => {
                let failure = Failure { done: kinds_done(&functions), ..failure };
                functions.extend(left_over(project, site, &expired[nth..], &deleted, failure));
                break;
            }
        }
    }
    Ok(functions)
}

/// One step of each kind that was done.
fn kinds_done(functions: &[FunctionAnswer]) -> Vec<Step> {
    let mut kinds: Vec<Step> = Vec::new();
    for step in functions.iter().flat_map(|function| &function.done) {
        if kinds.iter().all(|known| known.kind != step.kind) {
            kinds.push(step.clone());
        }
    }
    kinds
}

/// A stage that has expired.
struct Expired {
    stage: String,
    at: String,
    functions: Vec<String>,
}

/// The answers for the functions of the stages that were not deleted, because of this failure.
fn left_over(
    project: &Project,
    site: &Site,
    stages: &[Expired],
    deleted: &[&str],
    failure: Failure,
) -> Vec<FunctionAnswer> {
    let failure = match deleted {
        [] => failure,
        deleted => failure.therefore(&format!("stages already deleted: {}", list::quoted_and(deleted))),
    };
    let names = stages.iter().map(|expired| expired.stage.as_str());
    let failure = failure.therefore(&format!("stages left: {}", list::quoted_and(names)));
    let functions = stages.iter().flat_map(|expired| expired.functions.iter().map(|name| (&expired.stage, name)));
    let names = functions.map(|(stage, function)| Names {
        app: project.manifest.app.clone(),
        stage: Some(stage.clone()),
        function: function.clone(),
        region: site.account.region.clone(),
        account: site.id.clone(),
        log_group: None,
    });
    let names: Vec<Names> = names.collect();
    let step =
        |names: &Names| Step { kind: ResourceKind::Function, action: Action::Delete, name: names.function_name() };
    // Each error is shown once, so it lists all of them.
    let left: Vec<Step> = names.iter().map(step).collect();
    let answer = |names: Names| {
        let own = step(&names);
        let error = Some(Failure { left: left.clone(), ..failure.clone() });
        FunctionAnswer { state: State::Failed, left: vec![own], error, ..FunctionAnswer::of(names) }
    };
    names.into_iter().map(answer).collect()
}

/// Deletes functions of the project's stage.
async fn destroy_stage(
    session: &Session,
    arguments: &Destroy,
    project: &Project,
    site: &Site,
    foresight: Foresight,
    agreed: bool,
) -> Result<Vec<FunctionAnswer>, Failure> {
    let Foresight { deployed, orphans, shared_log_groups, earlier_log_groups } = foresight;
    let named = &arguments.functions;
    let Scope { places, shared } = scope(session, project, site, named, orphans, shared_log_groups).await?;
    let observing = observe_all(places, |place| place, deployed);
    let observed = session.read("what is deployed", observing).await??;
    let observed: Vec<Current<'_>> = observed.into_iter().map(|(_, current)| current).collect();
    let mut told = BTreeSet::new();
    if !arguments.keep_logs {
        session.read("the versions", note_earlier_log_groups(session, earlier_log_groups, &observed)).await?;
    }
    let proposals: Vec<Proposal<'_>> = observed
        .into_iter()
        .map(|current| {
            let stack = &current.observed.stack;
            let others = shared.get(&stack.names.log_group());
            if let (Some(others), Some(_)) = (others, &stack.log_group) {
                let (group, others) = (stack.names.log_group(), list::quoted_and(others));
                // Several of the functions may write to it.
                if told.insert(group.clone()) {
                    session
                        .console
                        .note(&format!("log group `{group}` is kept: other functions write to it: {others}"));
                }
            }
            let target = emptied(stack, arguments.keep_logs || others.is_some());
            Proposal::new(current, target)
        })
        .collect();
    if proposals.iter().all(|proposal| proposal.plan.is_empty()) {
        session.console.note("nothing to destroy");
    } else if !agreed {
        let lines: Vec<_> = proposals.iter().flat_map(Proposal::lines).collect();
        let question = format!("Delete these resources of {} in {}?", project.app(), site.words());
        session.ask(&lines, &question).await?;
    }
    let kept = Kept { bucket: project.manifest.artifact_bucket.as_deref(), logs: arguments.keep_logs };
    let cleared = stream::iter(proposals).map(|proposal| clear(session, proposal, kept));
    Ok(cleared.buffered(AT_ONCE).collect().await)
}

/// What is to be destroyed.
struct Scope<'a> {
    places: Vec<Place<'a>>,
    /// The log groups that other functions write to, too, with these functions' names on AWS.
    shared: Writers,
}

/// The named functions; if none is named, all functions that the app and stage ever deployed.
async fn scope<'a>(
    session: &Session,
    project: &Project,
    site: &'a Site,
    named: &[String],
    orphans: Option<Found<BTreeSet<String>>>,
    shared: Option<Found<Writers>>,
) -> Result<Scope<'a>, Failure> {
    let Some(any) = project.functions.first().map(|function| site.names(project, function)) else {
        return Ok(Scope { places: Vec::new(), shared: BTreeMap::new() });
    };
    let known = function_names(project);
    let orphans = known_or(orphans, site.account.orphans(&any, &known));
    let shared = known_or(shared, site.account.shared_log_groups());
    let reading = async { tokio::try_join!(orphans, shared) };
    let (orphans, mut shared) = session.read("what was deployed", reading).await??;
    let all: Vec<String> = known.into_iter().chain(orphans).collect();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        return Err(Failure::unknown_function(unknown, &all));
    }
    let chosen = all.into_iter().filter(|name| named.is_empty() || named.contains(name));
    let names = chosen.map(|function| {
        let written = project.functions.iter().find(|written| written.name == function);
        let written = written.and_then(|written| site.names(project, written).log_group);
        let names = Names { function, log_group: None, ..any.clone() };
        let is_of = |(_, writers): &(&String, &BTreeSet<String>)| writers.contains(&names.function_name());
        let deployed = shared.iter().find(is_of).map(|(group, _)| group.clone());
        Names { log_group: deployed.or(written), ..names }
    });
    let names: Vec<Names> = names.collect();
    for writers in shared.values_mut() {
        writers.retain(|writer| names.iter().all(|names| names.function_name() != *writer));
    }
    shared.retain(|_, writers| !writers.is_empty());
    let places = names.into_iter().map(|names| Place::to_delete(&site.account, names)).collect();
    Ok(Scope { places, shared })
}

/// Names the log groups that the functions wrote to before, and that stay: other functions may write to them, too. A note
/// is not worth a failure.
async fn note_earlier_log_groups(
    session: &Session,
    mut known: BTreeMap<Names, Found<BTreeSet<String>>>,
    observed: &[Current<'_>],
) {
    let existing = observed.iter().filter(|current| current.observed.stack.function.is_some());
    let reading = stream::iter(existing.map(|current| {
        let names = current.place.names();
        let groups = known_or(known.remove(names), current.place.earlier_log_groups());
        async move { (names.function.clone(), groups.await) }
    }));
    let mut writers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (function, groups) in reading.buffered(AT_ONCE).collect::<Vec<_>>().await {
        match groups {
            Ok(groups) => {
                groups.into_iter().for_each(|group| _ = writers.entry(group).or_default().insert(function.clone()));
            }
            Err(error) => session.console.note(&format!("earlier log groups of `{function}` are not known: {error}")),
        }
    }
    for (group, functions) in writers {
        let (functions, quoted) = (list::quoted_and(&functions), text::quoted(&group));
        session.console.note(&format!(
            "log group `{group}` is kept: {functions} wrote to it before; delete it with `aws logs delete-log-group \
             --log-group-name {quoted}`"
        ));
    }
}

fn emptied(current: &Stack, keep_logs: bool) -> Stack {
    let log_group = current.log_group.clone().filter(|_| keep_logs);
    Stack { log_group, ..Stack::empty(current.names.clone()) }
}

/// What stays when a function is destroyed.
#[derive(Clone, Copy)]
struct Kept<'a> {
    /// The user's bucket for uploads.
    bucket: Option<&'a str>,
    /// Whether the log groups stay.
    logs: bool,
}

async fn clear(session: &Session, proposal: Proposal<'_>, kept: Kept<'_>) -> FunctionAnswer {
    let Proposal { mut current, target, plan, .. } = proposal;
    let delivery = Delivery::of(&target);
    // The bucket for uploads is not part of the stack, and nothing in the stack needs it.
    let place = current.place.clone();
    let buckets = session.until_stopped(place.sweep(kept.bucket));
    let (observer, mut trial) = (session.observer(), NoTrial);
    let applying = apply(&mut current, &plan, &delivery, &mut trial, &observer);
    let (applied, buckets) = tokio::join!(applying, buckets);
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
            sweep(session, &place, kept, buckets).await
        }
        Err(error) => Err(Failure::from(error)),
    };
    match swept {
        Ok(()) => answer,
        Err(failure) => answer.failed(failure),
    }
}

/// Says which buckets were removed, and removes a log group that was used before: neither is part of a stack.
async fn sweep(
    session: &Session,
    place: &Place<'_>,
    kept: Kept<'_>,
    buckets: Result<Result<Vec<String>, CloudError>, Failure>,
) -> Result<(), Failure> {
    let function = &place.names().function;
    if !kept.logs
        && let Some(group) = session.until_stopped(place.sweep_log_group(&session.observer())).await??
    {
        session.console.note(&format!("removed log group `{group}`, which `{function}` wrote to before"));
    }
    for bucket in buckets?? {
        session.console.note(&format!("deleted bucket `{bucket}`, used for uploads of `{function}`"));
    }
    Ok(())
}
