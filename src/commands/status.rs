//! `lamstream status`: shows what is deployed, and where it differs from the manifest.

use super::project::Project;
use super::proposal::Proposal;
use super::session::Session;
use super::site::{Job, Site, observe};
use super::values::{Missing, connect_with_what_is_there};
use crate::apply::CloudError;
use crate::aws::Current;
use crate::cli::Status;
use crate::failure::Failure;
use crate::manifest::{ENV_FILE, Function};
use crate::report::{Answer, Comparison, Detail, FunctionAnswer, NotCompared, State};
use crate::stack::{Names, Secret, Stack};
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

/// How many functions are few.
const FEW: usize = 10;

pub(super) async fn status(session: &Session, arguments: &Status) -> Result<Answer, Failure> {
    let project = Project::read(&session.global, &arguments.functions)?;
    let (project, site, missing) = connect_with_what_is_there(session, project).await?;
    let jobs = site.jobs(&project, session.global.local);
    let everything = arguments.functions.is_empty();
    let orphans = async {
        match project.functions.first().filter(|_| everything) {
            Some(function) => {
                let names = site.names(&project, function);
                Ok(session.until_stopped(site.account.orphans(&names, &project.manifest.function_names())).await??)
            }
            None => Ok(BTreeSet::new()),
        }
    };
    let (observed, orphans) = tokio::try_join!(observe(session, jobs), orphans)?;
    let mut unmanaged = unmanaged(session, &observed).await?;
    let mut elsewhere = elsewhere(session, &site, &observed).await?;
    let mut functions = Vec::new();
    for (mut job, current) in observed {
        let missing = without_missing(&mut job.function, &missing);
        let mut target = job.target_with_live_code(&current.observed.stack);
        let undecryptable = leave_out(&missing, &current.observed.stack, &mut target);
        if let (Some(live), Some(wanted)) = (&current.observed.stack.live, &target.live)
            && *live.newest() == wanted.release
        {
            // A shift is not drift: the user asked for it, and it is shown separately.
            target.live = Some(live.clone());
        }
        let is_live = current.observed.stack.live.is_some();
        let is_readable = is_live && undecryptable.is_none();
        let missing = missing.into_iter().filter(|_| is_readable);
        let field = |name: String| if name == ENV_FILE { name } else { format!("environment.{name}") };
        let missing = missing.map(|(name, why)| NotCompared { field: field(name), why });
        let not_compared = missing.chain(undecryptable).collect();
        let comparison = Comparison {
            in_manifest: true,
            not_compared,
            origin: current.observed.origin.clone(),
            published_at: current.observed.published_at.clone(),
            other_regions: elsewhere.remove(&job.function.name).map(Vec::from_iter),
        };
        let drift = Proposal::new(current, target);
        let mut answer = job.answer(&drift.current.observed);
        answer.set_outside.extend(unmanaged.remove(&job.function.name).into_iter().flatten());
        answer.set_outside.sort_unstable();
        answer.set_outside.dedup();
        functions.push(FunctionAnswer { plan: Some(drift.plan), detail: Detail::Comparison(comparison), ..answer });
    }
    for name in orphans {
        let detail = Detail::Comparison(Comparison::default());
        functions.push(FunctionAnswer { name, state: State::Deployed, detail, ..FunctionAnswer::default() });
    }
    Ok(site.functions(&project, functions).into())
}

/// The other regions of functions that are not deployed here, by their names. One call shows those of all.
async fn elsewhere(
    session: &Session,
    site: &Site,
    observed: &[(Job<'_>, Current<'_>)],
) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let is_absent = |(_, current): &&(Job<'_>, Current<'_>)| current.observed.stack.function.is_none();
    let absent: Vec<Names> = observed.iter().filter(is_absent).map(|(job, _)| job.names().clone()).collect();
    if absent.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = session.read("the roles of other regions", site.account.other_regions(&absent)).await??;
    Ok(found.unwrap_or_default())
}

/// Settings that take calls of their own, by the functions' names. They are read for a few functions only: an account has
/// few calls per second.
async fn unmanaged(
    session: &Session,
    observed: &[(Job<'_>, Current<'_>)],
) -> Result<BTreeMap<String, BTreeSet<&'static str>>, Failure> {
    if observed.len() > FEW {
        return Ok(BTreeMap::new());
    }
    let deployed = observed.iter().filter(|(_, current)| current.observed.stack.function.is_some());
    let read = deployed.map(async |(job, current)| {
        let settings = job.place.unmanaged(current.observed.outputs.version.as_deref()).await?;
        Ok::<_, CloudError>((job.function.name.clone(), settings))
    });
    Ok(session.read("the settings", try_join_all(read)).await??.into_iter().collect())
}

/// Removes the variables whose values cannot be read here, and returns each with the reason.
fn without_missing(function: &mut Function, missing: &Missing) -> Vec<(String, String)> {
    let variables = missing.variables(function);
    function.outside.clear();
    variables
}

/// Gives variables that cannot be read here the values that they have on AWS, so that the rest can be compared. Returns
/// the whole environment if these credentials cannot decrypt it.
fn leave_out(missing: &[(String, String)], current: &Stack, target: &mut Stack) -> Option<NotCompared> {
    let (Some(live), Some(wanted)) = (&current.live, &mut target.live) else { return None };
    let live = &live.newest().configuration;
    if let Some(undecryptable) = &live.undecryptable {
        let wanted = &mut wanted.release.configuration;
        wanted.environment.clone_from(&live.environment);
        wanted.undecryptable = Some(undecryptable.clone());
        let key = live.attachments.kms_key.as_deref().unwrap_or("the key that encrypts it");
        let why = format!("{undecryptable}; allow them `kms:Decrypt` on {key}");
        return Some(NotCompared { field: "environment".to_owned(), why });
    }
    let is = &live.environment;
    for (name, _) in missing {
        if name == ENV_FILE {
            // Any variable that is not written in the manifest may come from the file.
            for (name, value) in is {
                wanted.release.configuration.environment.entry(name.clone()).or_insert_with(|| value.clone());
            }
            continue;
        }
        // A variable that AWS does not have differs, whatever its value is.
        let value = is.get(name).cloned().unwrap_or_else(|| Secret::new(""));
        wanted.release.configuration.environment.insert(name.clone(), value);
    }
    None
}
