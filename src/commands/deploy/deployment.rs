//! The deployment of one function, from observing it to the answer.

use super::early::{begin, upload};
use super::gate::Gate;
use super::hold::tell_steps;
use super::pruning::{may_have_old_versions, prune};
use super::repeat;
use super::shifting::{Shifting, Shiftings, shifted};
use super::steps::SelfEnding;
use crate::apply::{Artifact, CloudError, CodeOrigin, Event, Reason, ReleaseSource, Step};
use crate::aws::{Ahead, Current, observe_all};
use crate::commands::best::leading;
use crate::commands::package::{Purpose, package};
use crate::commands::prepared::Buildable;
use crate::commands::proposal::Proposal;
use crate::commands::rollout::{RolledOut, roll_out};
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::commands::verification::Scope;
use crate::failure::Failure;
use crate::manifest::ShiftRule;
use crate::plan::{Change, ResourceKind};
use crate::report::{Detail, FunctionAnswer, Line};
use crate::stack::{Auth, Family, FunctionUrl, Live, Stack};
use futures_util::future::join_all;
use packaging::Package;
use std::time::Instant;
use tokio::sync::{Mutex, Semaphore};

/// One function of a deploy, whose code is yet to be built, or built.
pub(in crate::commands) struct Deployment<'a, C = Buildable> {
    job: Job<'a>,
    /// Before the package is built, its target keeps the live code, because the new digest is not known yet.
    proposal: Proposal<'a>,
    code: C,
    /// How its traffic moves; `None` if all of it moves at once.
    shifting: Option<Shifting>,
}

/// A deployment whose build failed, or what is created in the meantime.
pub(in crate::commands) struct NotBuilt<'a> {
    deployment: Deployment<'a, ()>,
    pub failure: Failure,
}

/// Observes all functions concurrently, of which some may have been read ahead.
pub(in crate::commands) async fn observe<'a>(
    session: &Session,
    functions: Vec<(Job<'a>, Buildable)>,
    ahead: Ahead,
) -> Result<Vec<Deployment<'a>>, Failure> {
    let observing = observe_all(functions, |(job, _)| &job.place, ahead);
    let observed = session.read("what is deployed", observing).await??.into_iter();
    let deployments: Vec<Deployment<'a>> =
        observed.map(|((job, code), current)| Deployment::new(job, current, code)).collect();
    deployments.iter().try_for_each(Deployment::refuse_impossible)?;
    Ok(deployments)
}

/// Builds all functions. If `begins` is true, resources that need no code are created in the meantime, of a few functions at
/// once and as soon as cargo has accepted all crates, and functions are uploaded while others are built.
pub(in crate::commands) async fn build_all<'a>(
    session: &Session,
    deployments: Vec<Deployment<'a>>,
    begins: bool,
    shiftings: &Shiftings,
) -> Vec<Result<Deployment<'a, Package>, NotBuilt<'a>>> {
    // One after the other, because cargo would serialise the builds anyway.
    let turn = Mutex::new(Vec::new());
    let gate = Gate::new(Buildable::count_builds(deployments.iter().map(|deployment| &deployment.code)));
    let build = |deployment: Deployment<'a>| deployment.build(session, (&turn, &gate), begins, shiftings);
    join_all(deployments.into_iter().map(build)).await
}

impl<'a> Deployment<'a> {
    fn new(job: Job<'a>, current: Current<'a>, code: Buildable) -> Deployment<'a> {
        let target = job.target_with_live_code(&current.observed.stack);
        Deployment { job, proposal: Proposal::new(current, target), code, shifting: None }
    }

    /// Returns the function's place and its code, to observe it again.
    pub(crate) fn unobserved(self) -> (Job<'a>, Buildable) {
        (self.job, self.code)
    }

    /// Refuses what AWS could not do here.
    fn refuse_impossible(&self) -> Result<(), Failure> {
        let Proposal { current, target, .. } = &self.proposal;
        let live = current.observed.stack.live.as_ref().map(|live| &live.newest().configuration);
        if let Some(undecryptable) = live.and_then(|live| live.undecryptable.as_ref()) {
            let action = format!("compare `{}` with what is deployed", self.name());
            return Err(CloudError::new(action, Reason::Undecryptable, undecryptable.to_string()).into());
        }
        self.refuse_large_role()?;
        if target.url.is_some() && !current.observed.has_urls {
            return Err(Failure::no_urls(self.name(), &current.place.account.region));
        }
        self.proposal.refuse_snapshots_beside_warm_instances()
    }

    async fn build(
        self,
        session: &Session,
        (turn, gate): (&Mutex<Vec<Package>>, &Gate),
        begins: bool,
        shiftings: &Shiftings,
    ) -> Result<Deployment<'a, Package>, NotBuilt<'a>> {
        // Without a build, the same steps come first in the plan, where they hold up no other function.
        let begins = begins && self.is_first() && !self.code.is_built();
        let Deployment { job, proposal, code, .. } = self;
        let building = async {
            let mut built = turn.lock().await;
            let (function, platform) = (&job.function, &job.platform);
            let build = gate.build();
            let package = package(session, function, platform, code, Purpose::Deploy, &|| build.accept()).await;
            let package = package.inspect_err(|_| gate.fail())?.sharing(built.iter());
            built.push(package.clone());
            Ok::<Package, Failure>(package)
        };
        let beginning = async {
            let turn = if begins { gate.turn().await } else { None };
            match turn {
                Some(_turn) => begin(session, proposal).await,
                None => (proposal, Ok(())),
            }
        };
        let (package, (proposal, begun)) = tokio::join!(building, beginning);
        let package = match begun.and(package) {
            Ok(package) => package,
            Err(failure) => return Err(NotBuilt::of(job, proposal, failure)),
        };
        let target = job.target(Some(&package.sha256));
        let observed = &proposal.current.observed;
        let shifting = shiftings.of(&job.function, observed, target.live.as_ref().map(Live::newest));
        let target = shifted(target, &observed.stack, shifting.as_ref());
        let proposal = proposal.towards(target);
        // Nothing is gained by it once everything is built.
        let (proposal, created) = match begins && gate.is_building() {
            true => upload(session, proposal, artifact(&job, &package, None)).await,
            false => (proposal, Ok(())),
        };
        match created {
            Ok(()) => Ok(Deployment { proposal, job, code: package, shifting }),
            Err(failure) => Err(NotBuilt::of(job, proposal, failure)),
        }
    }
}

/// The code of a function, as it is uploaded.
fn artifact(job: &Job<'_>, package: &Package, origin: Option<CodeOrigin>) -> ReleaseSource {
    ReleaseSource::Zip(Artifact { zip: package.zip.clone(), bucket: job.bucket.map(str::to_owned), origin })
}

impl<'a> NotBuilt<'a> {
    fn of(job: Job<'a>, proposal: Proposal<'a>, failure: Failure) -> NotBuilt<'a> {
        NotBuilt { deployment: Deployment { job, proposal, code: (), shifting: None }, failure }
    }

    /// The answer, because the deploy stops here.
    pub(crate) fn abandon(self) -> FunctionAnswer {
        self.deployment.abandon().failed(self.failure)
    }
}

impl Deployment<'_, Package> {
    /// Makes the new release live, verifies it, and deletes old versions.
    pub(crate) async fn carry_out(
        self,
        session: &Session,
        origin: Option<CodeOrigin>,
        scope: Scope,
        (turns, began): (&Semaphore, Instant),
    ) -> FunctionAnswer {
        let steps = self.steps().cloned();
        let Deployment { job, mut proposal, code: package, .. } = self;
        let source = artifact(&job, &package, origin);
        proposal.current.note_steps(steps.as_ref().map(|rule| &rule.steps));
        let RolledOut { answer, old_versions } = {
            let _turn = turns.acquire().await;
            // A rollout is large, so it is kept only while it is carried out.
            Box::pin(roll_out(session, &job, proposal, &source, scope)).await
        };
        let answer = match &steps {
            Some(rule) => {
                let whole = &job.target(Some(&package.sha256));
                Box::pin(SelfEnding { session, job: &job, rule, whole }.see_through(answer)).await
            }
            None => answer,
        };
        if answer.error.is_some() {
            return answer;
        }
        if may_have_old_versions(&answer, job.function.keep_releases) {
            Box::pin(prune(session, &job, old_versions)).await;
        }
        let (function, changed) = (job.function.name.clone(), answer.changed);
        session.console.tell(&Event::Finished { function, took: session.took(began), changed });
        let check = leading(&job.function.checks);
        if let (Some(url), Some(check)) = (answer.url().filter(|_| changed), check) {
            session.note_once(&repeat::note(&job.function, url, check));
        }
        if let (Some(weight), Some(version)) = (answer.shift, &answer.outputs.shifted) {
            let name = &job.function.name;
            session.console.note(&format!(
                "version {version} of `{name}` gets {weight} of the traffic: run `lamstream promote {name}` to send it all of \
                 the traffic, or `lamstream abort {name}` to take its share away"
            ));
        }
        answer
    }

    /// Says how the traffic moves, or why none is shifted.
    pub(crate) fn tell_shift(&self, session: &Session) {
        if let Some(rule) = self.steps() {
            tell_steps(session, self.name(), rule);
        } else if self.shifting.is_some() && self.observed().live.is_none() {
            let name = self.name();
            session.console.note(&format!("`{name}` has no previous release to share the traffic with: no shift"));
        }
    }

    /// The answer of `plan`.
    ///
    /// # Errors
    /// If IAM would not take the role.
    pub(crate) fn preview(self) -> Result<FunctionAnswer, Failure> {
        self.refuse_large_role()?;
        self.refuse_undecryptable()?;
        let error = self.proposal.refuse_strangers().err();
        let answer = self.job.answer(&self.proposal.current.observed);
        Ok(FunctionAnswer { plan: Some(self.proposal.plan), detail: Detail::Changes, error, ..answer })
    }

    /// Refuses to write over an environment that cannot be decrypted, because nothing would show what a write has changed.
    /// The live release's may be readable, because another key encrypts it.
    pub(crate) fn refuse_undecryptable(&self) -> Result<(), Failure> {
        let writes = |change: &Change| matches!(change.kind(), ResourceKind::Function | ResourceKind::Release);
        match &self.proposal.current.observed.undecryptable {
            Some(undecryptable) if self.proposal.plan.changes.iter().any(writes) => {
                let action = format!("change `{}`", self.name());
                Err(CloudError::new(action, Reason::Undecryptable, undecryptable.to_string()).into())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn publishes(&self) -> bool {
        self.proposal.plan.changes.iter().any(|change| change.kind() == ResourceKind::Release)
    }

    /// Says what the snapshots of the versions cost, if the deploy makes one.
    pub(crate) fn tell_cost(&self, session: &Session) {
        let release = self.proposal.target.live.as_ref().map(Live::newest);
        let has_snapshots = release.is_some_and(|release| release.configuration.settings.snap_start);
        // AWS makes those of Java's runtimes for free.
        if self.publishes() && has_snapshots && self.job.platform.runtime.family() != Family::Java {
            session.console.note(&format!(
                "`{}` uses SnapStart: AWS bills the snapshot of each version as long as lamstream keeps it \
                 (`keep_releases = {}`), for at least 3 hours, and each start from a snapshot",
                self.name(),
                self.job.function.keep_releases
            ));
        }
    }

    /// Says what becomes of the logs if the release writes to another log group than before, or to one that is not ours.
    pub(crate) fn tell_log_group(&self, session: &Session) {
        let (observed, wanted, name) = (self.observed(), &self.proposal.target, self.name());
        let group = wanted.names.log_group();
        let retention = |stack: &Stack| stack.log_group.as_ref().map(|group| group.retention_days);
        if !self.publishes() {
            return;
        }
        let before = observed.live.as_ref().map(|live| &live.newest().configuration.log_group);
        if let Some(before) = before.filter(|before| **before != group) {
            session.console.note(&format!(
                "`{name}` logs to `{group}` from now on; `{before}` is kept with its logs: delete it with \
                 `aws logs delete-log-group --log-group-name {before}` when you no longer need them"
            ));
        }
        if observed.borrows_log_group() && retention(observed) != retention(wanted) {
            session.console.note(&format!(
                "`{name}` logs to `{group}`, which lamstream did not create: its retention and its tags are not changed"
            ));
        }
    }

    /// Reports which settings the new release will have although no manifest asks for them, and which it will not have.
    pub(crate) fn tell_outside(&self, session: &Session) {
        let outside = &self.proposal.current.observed.outside;
        if self.publishes() && outside.snap_start && !self.job.function.settings.snap_start {
            let name = self.name();
            session.console.note(&format!(
                "`{name}`: SnapStart was switched on outside lamstream; the new version will not have it. To keep it, set \
                 `snap_start = true`"
            ));
        }
        let next = &outside.next;
        if self.publishes() && !next.is_empty() {
            let settings = next.iter().copied().collect::<Vec<_>>().join(", ");
            let name = self.name();
            session.console.note(&format!(
                "`{name}`: the new version keeps settings made outside lamstream: {settings}; to remove them, use the aws \
                 CLI or the console"
            ));
        }
    }

    /// Refuses to shift traffic while the live release is unverified, because a failed check could not tell which of
    /// the two is at fault. Rerunning an interrupted shift publishes nothing and only verifies the URL, so it is
    /// allowed.
    pub(crate) fn refuse_shift(&self) -> Result<(), Failure> {
        if self.shifting.is_none() {
            return Ok(());
        }
        let outputs = &self.proposal.current.observed.outputs;
        let newest = |stack: &Stack| stack.live.as_ref().map(|live| live.newest().clone());
        let is_other = newest(self.observed()) != newest(&self.proposal.target);
        match outputs.newest().filter(|_| is_other && outputs.remembered.interrupted) {
            Some(version) => Err(Failure::shift_beside_unverified(self.name(), version, outputs.shifted.is_some())),
            None => Ok(()),
        }
    }
}

impl<C> Deployment<'_, C> {
    /// The answer if the deploy stops here.
    pub(crate) fn abandon(self) -> FunctionAnswer {
        let Deployment { job, proposal, .. } = self;
        let proposal = proposal.towards(job.target(None));
        let steps = |changes: &[Change]| changes.iter().map(|change| Step::of(change, job.names())).collect();
        let (done, left): (Vec<Step>, Vec<Step>) = (steps(&proposal.done), steps(&proposal.plan.changes));
        FunctionAnswer { changed: !done.is_empty(), done, left, ..job.answer(&proposal.current.observed) }
    }

    /// Refuses a role that IAM would not take, also one that is only wider for the time in which `live` moves.
    pub(crate) fn refuse_large_role(&self) -> Result<(), Failure> {
        let current = self.observed().role.as_ref();
        let roles = self.proposal.plan.changes.iter().filter_map(|change| match change {
            Change::Role(diff) => diff.target(),
            _ => None,
        });
        let target = self.proposal.target.role.as_ref();
        for role in roles {
            if let Some(excess) = role.excess(current) {
                return Err(Failure::role_too_large(self.name(), &excess, Some(role) != target));
            }
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> &str {
        &self.job.function.name
    }

    /// Whether the function does not exist yet.
    pub(crate) fn is_first(&self) -> bool {
        self.observed().function.is_none()
    }

    /// Whether this deploy makes the URL public.
    pub(crate) fn makes_public(&self) -> bool {
        let open = |url: Option<&FunctionUrl>| url.is_some_and(|url| url.auth == Auth::None);
        open(self.proposal.target.url.as_ref()) && !open(self.observed().url.as_ref())
    }

    /// The steps of the shift that this deploy begins or continues, if it ends itself.
    fn steps(&self) -> Option<&ShiftRule> {
        let is_shift = self.proposal.target.live.as_ref().is_some_and(|live| live.shift.is_some());
        match &self.shifting {
            Some(Shifting::Steps(rule)) if is_shift => Some(rule),
            _ => None,
        }
    }

    /// The plan. A shift that goes on where it is shows its end, because its first step changes nothing.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let lines = self.proposal.lines();
        let target = &self.proposal.target;
        match target.live.as_ref().filter(|_| lines.is_empty() && self.steps().is_some()) {
            Some(live) => {
                let whole = Stack { live: Some(live.newest().clone().into()), ..target.clone() };
                self.proposal.lines_to(&whole)
            }
            None => lines,
        }
    }

    pub(crate) fn refuse_strangers(&self) -> Result<(), Failure> {
        self.proposal.refuse_strangers()
    }

    fn observed(&self) -> &Stack {
        &self.proposal.current.observed.stack
    }
}
