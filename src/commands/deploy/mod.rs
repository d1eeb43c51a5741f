//! `lamstream deploy`: build, plan, ask, apply, verify.

mod credentials;
mod deployment;
mod early;
mod gate;
mod hold;
mod pruning;
mod repeat;
mod shifting;
mod steps;

pub(super) use deployment::{build_all, observe};
pub(super) use shifting::Shiftings;

use super::foresight::Foresight;
use super::import::note_unused;
use super::orphans::note_beside;
use super::package::read_packages;
use super::preflight::preflight;
use super::prepared::Prepared;
use super::project::Project;
use super::session::Session;
use super::site::Site;
use super::values::connect;
use super::verification::Scope;
use crate::apply::CodeOrigin;
use crate::aws::Ahead;
use crate::cli::Deploy;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::report::{Answer, FunctionAnswer, Line};
use crate::text::list;
use deployment::{Deployment, NotBuilt};
use futures_util::future::join_all;
use packaging::Package;
use std::time::Instant;
use tokio::sync::Semaphore;

/// How many functions are rolled out at once: enough to make all calls that AWS's rates allow while versions are tried and
/// URLs are asked.
const AT_ONCE: usize = 32;

pub async fn deploy(session: &Session, arguments: &Deploy) -> Result<Answer, Failure> {
    let mut agreed = session.has_consent(arguments.yes, "deploy")?;
    let began = Instant::now();
    let project = Project::to_deploy(&session.global, &arguments.functions, arguments.release)?;
    let shiftings = shifting::shiftings(session, &project, arguments)?;
    let (site, foresight, prepared) = prepare(session, &project, arguments).await?;
    let observing = observe(session, site.prepared_jobs(&project, prepared), foresight.deployed);
    let mut deployments =
        note_beside(session, &site, &project, &arguments.functions, foresight.orphans, observing).await?;
    refuse_strangers(&deployments, arguments)?;

    // lamstream asks once: before the build if a function is new, otherwise with the complete plan.
    if !agreed && deployments.iter().any(Deployment::is_first) {
        session.ask(&lines(&deployments), &question(&site, &project, &deployments)).await?;
        agreed = true;
        deployments =
            observe(session, deployments.into_iter().map(Deployment::unobserved).collect(), Ahead::default()).await?;
        refuse_strangers(&deployments, arguments)?;
    }
    let built = build_all(session, deployments, agreed, &shiftings).await;

    // If one function cannot be built, the deploy stops for all of them.
    if built.iter().any(Result::is_err) {
        let abandon = |built: Result<_, _>| built.map_or_else(NotBuilt::abandon, Deployment::abandon);
        return Ok(site.functions(&project, built.into_iter().map(abandon).collect()).into());
    }
    let deployments: Vec<Deployment<'_, Package>> = built.into_iter().flatten().collect();
    refuse(&deployments)?;
    tell(session, &deployments);
    let lines = lines(&deployments);
    if !agreed && !lines.is_empty() {
        session.ask(&lines, &question(&site, &project, &deployments)).await?;
    } else if session.global.verbose {
        session.console.show(&lines);
    }
    let functions = apply_and_verify(session, &project, arguments, deployments, began).await;
    Ok(site.functions(&project, functions).into())
}

/// Checks what a deploy needs of the manifest, of this machine and of the account.
async fn prepare(
    session: &Session,
    project: &Project,
    arguments: &Deploy,
) -> Result<(Site, Foresight, Vec<Prepared>), Failure> {
    let packages = read_packages(session, project, &arguments.packages.packages)?;
    let prepared = preflight(session, project, packages, None, true).await?;
    note_unused(session, project).await;
    let (site, foresight, prepared) = connect(session, project, &arguments.functions, prepared).await?;
    site.refuse_missing_adapter(session, project)?;
    if session.global.local {
        note_handlers(session, project);
        credentials::hand_over(session, &site, project, arguments.with_credentials.as_deref()).await?;
    }
    Ok((site, foresight, prepared))
}

/// Refuses resources that lamstream did not create, unless `--adopt` takes them over.
fn refuse_strangers(deployments: &[Deployment<'_>], arguments: &Deploy) -> Result<(), Failure> {
    if arguments.adopt { Ok(()) } else { deployments.iter().try_for_each(Deployment::refuse_strangers) }
}

/// Refuses plans that AWS would not carry out, or that could not be taken back.
fn refuse(deployments: &[Deployment<'_, Package>]) -> Result<(), Failure> {
    deployments.iter().try_for_each(Deployment::refuse_large_role)?;
    deployments.iter().try_for_each(Deployment::refuse_undecryptable)?;
    deployments.iter().try_for_each(Deployment::refuse_shift)
}

/// Reports what the plans do not show.
fn tell(session: &Session, deployments: &[Deployment<'_, Package>]) {
    for deployment in deployments {
        deployment.tell_outside(session);
        deployment.tell_cost(session);
        deployment.tell_log_group(session);
        deployment.tell_shift(session);
    }
}

/// Makes the releases live side by side, and verifies them.
async fn apply_and_verify(
    session: &Session,
    project: &Project,
    arguments: &Deploy,
    deployments: Vec<Deployment<'_, Package>>,
    began: Instant,
) -> Vec<FunctionAnswer> {
    let publishes = deployments.iter().any(Deployment::publishes);
    let origin = publishes.then(|| CodeOrigin(packaging::origin(&project.directory)));
    let scope = match Scope::wanted(!arguments.no_verify) {
        Scope::All if arguments.repeated => Scope::New,
        scope => scope,
    };
    let turns = &Semaphore::new(AT_ONCE);
    let work = deployments.into_iter();
    let work = work.map(|deployment| deployment.carry_out(session, origin.clone(), scope, (turns, began)));
    join_all(work).await
}

fn lines<C>(deployments: &[Deployment<'_, C>]) -> Vec<Line> {
    deployments.iter().flat_map(Deployment::lines).collect()
}

fn question<C>(site: &Site, project: &Project, deployments: &[Deployment<'_, C>]) -> String {
    let public = deployments.iter().filter(|deployment| deployment.makes_public());
    let public: Vec<&str> = public.map(Deployment::name).collect();
    let urls = match public.len() {
        0 => String::new(),
        1 => format!(", with a public URL for {}", list::quoted_and(public)),
        _ => format!(", with public URLs for {}", list::quoted_and(public)),
    };
    format!("Deploy {} to {}{urls}?", project.app(), site.words())
}

/// Notes that AWS alone has the runtimes of languages. A function with a URL fails its check, which says so.
fn note_handlers(session: &Session, project: &Project) {
    let is_handler =
        |function: &&Function| function.runtime.is_managed() && function.web.is_none() && function.url.is_none();
    for function in project.functions.iter().filter(is_handler) {
        let (name, runtime) = (&function.name, &function.runtime);
        session
            .console
            .note(&format!("`{name}`: the local cloud deploys handlers of `{runtime}`, but cannot run them"));
    }
}
