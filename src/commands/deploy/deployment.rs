//! The deployment of one function, from observing it to the answer.

use super::curl::curl;
use crate::apply::{Artifact, Delivery, Event, NoTrial, Source, Step, apply};
use crate::aws::Current;
use crate::commands::proposal::Proposal;
use crate::commands::rollout::roll_out;
use crate::commands::session::Session;
use crate::commands::site::Job;
use crate::commands::verification::leading;
use crate::failure::Failure;
use crate::plan::Kind;
use crate::report::{FunctionAnswer, Line, State};
use crate::stack::{Auth, FunctionUrl, Live, Shift, Stack, Weight};
use packaging::Package;
use std::time::Instant;

/// One function of a deploy.
pub(super) struct Deployment<'a> {
    job: &'a Job<'a>,
    /// Before the package is built, its target keeps the live code, because the new digest is not known yet.
    proposal: Proposal<'a>,
    code: Code,
    /// What was created while the code was still being built.
    done: Vec<Step>,
}

enum Code {
    Missing,
    Built(Package),
    /// The build failed, or creating the role or the log group failed.
    Failed(Failure),
}

impl<'a> Deployment<'a> {
    pub fn new(job: &'a Job<'a>, current: Current<'a>) -> Deployment<'a> {
        let code = current.observed.stack.live.as_ref().map_or("", |live| &live.newest().code);
        let target = job.target(code);
        Deployment { job, proposal: Proposal::new(current, target), code: Code::Missing, done: Vec::new() }
    }

    /// On a first deploy, creates what needs no code during the build, because a new role takes seconds to propagate.
    pub async fn begin(mut self, session: &Session, agreed: bool) -> Deployment<'a> {
        if !agreed || !self.is_first() {
            return self;
        }
        let Proposal { current, target, plan } = &mut self.proposal;
        let early = plan.before_code();
        match apply(current, &early, &Delivery::of(target), &mut NoTrial, &session.observer()).await {
            Ok(applied) => {
                let stack = current.observed.stack.clone();
                current.observed.stack = early.changes.iter().fold(stack, |stack, change| stack.after(change));
                self.done = applied.done;
            }
            Err(error) => {
                self.done = error.done.clone();
                self.code = Code::Failed(error.into());
            }
        }
        self
    }

    /// Adds the package, or the reason why there is none. `shift` is the new release's share of the traffic, in percent.
    pub fn plan(self, package: Result<Package, Failure>, shift: Option<u8>) -> Deployment<'a> {
        match (&self.code, package) {
            (Code::Failed(_), _) => self,
            (_, Err(failure)) => Deployment { code: Code::Failed(failure), ..self },
            (_, Ok(package)) => {
                let target = shifted(self.job.target(&package.sha256), self.observed(), shift);
                Deployment { proposal: self.proposal.towards(target), code: Code::Built(package), ..self }
            }
        }
    }

    /// Makes the new release live, verifies it, and deletes old versions.
    pub async fn carry_out(self, session: &Session, origin: &str, verify: bool, began: Instant) -> FunctionAnswer {
        let Deployment { job, proposal, code: Code::Built(package), done } = self else { return self.abandon() };
        let bucket = job.bucket.map(str::to_owned);
        let source = Source::Zip(Artifact { zip: package.zip, bucket, origin: origin.to_owned() });
        let answer = roll_out(session, job, proposal, &source, verify, done).await;
        if answer.error.is_some() {
            return answer;
        }
        prune(session, job).await;
        let (function, changed) = (job.function.name.clone(), answer.changed);
        session.console.tell(&Event::Finished { function, took: session.took(began), changed });
        let check = leading(&job.function.checks);
        if let (Some(url), Some(check)) = (answer.outputs.url.as_ref().filter(|_| changed), check) {
            session.console.note(&format!("try it: `{}`", curl(url, check)));
        }
        answer
    }

    /// The answer if the deploy stops here.
    pub fn abandon(self) -> FunctionAnswer {
        let Deployment { job, proposal, code, done } = self;
        let proposal = proposal.towards(job.target(""));
        let left = proposal.plan.changes.iter().map(|change| Step::of(change, job.names()));
        // If `begin` failed, the observed stack does not include what it created.
        let left: Vec<Step> = left.filter(|step| !done.contains(step)).collect();
        let answer = job.answer(&proposal.current.observed);
        let (state, error) = match code {
            Code::Failed(failure) => {
                (State::Failed, Some(Failure { done: done.clone(), left: left.clone(), ..failure }))
            }
            Code::Missing | Code::Built(_) => (answer.state, None),
        };
        FunctionAnswer { state, changed: !done.is_empty(), done, left, error, ..answer }
    }

    pub fn name(&self) -> &str {
        &self.job.function.name
    }

    /// Whether the function does not exist yet.
    pub fn is_first(&self) -> bool {
        self.observed().function.is_none()
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.code, Code::Failed(_))
    }

    pub fn publishes(&self) -> bool {
        self.proposal.plan.changes.iter().any(|change| change.kind() == Kind::Release)
    }

    /// Whether this deploy makes the URL public.
    pub fn makes_public(&self) -> bool {
        let open = |url: Option<&FunctionUrl>| url.is_some_and(|url| url.auth == Auth::None);
        open(self.proposal.target.url.as_ref()) && !open(self.observed().url.as_ref())
    }

    pub fn lines(&self) -> Vec<Line> {
        self.proposal.lines()
    }

    pub fn refuse_strangers(&self) -> Result<(), Failure> {
        self.proposal.refuse_strangers()
    }

    /// Refuses to shift traffic while the live release is unverified, because a failed check could not tell which of the
    /// two is at fault. Rerunning an interrupted shift publishes nothing and only verifies the URL, so it is allowed.
    pub fn refuse_shift(&self) -> Result<(), Failure> {
        let outputs = &self.proposal.current.observed.outputs;
        match outputs.newest().filter(|_| self.publishes() && outputs.remembered.interrupted) {
            Some(version) => Err(Failure::shift_beside_unverified(self.name(), version)),
            None => Ok(()),
        }
    }

    fn observed(&self) -> &Stack {
        &self.proposal.current.observed.stack
    }
}

/// With `--shift`, gives the new release a share of the traffic if another release can serve the rest.
fn shifted(target: Stack, current: &Stack, shift: Option<u8>) -> Stack {
    let weight = shift.and_then(Weight::percent);
    let (Some(current), Some(wanted), Some(weight)) = (&current.live, &target.live, weight) else { return target };
    if current.release == wanted.release {
        return target;
    }
    let shift = Some(Box::new(Shift { release: wanted.release.clone(), weight }));
    Stack { live: Some(Live { release: current.release.clone(), shift }), ..target }
}

/// Deletes old versions. A failure here does not fail the deploy, because the next one retries. An interrupted run skips
/// this.
async fn prune(session: &Session, job: &Job<'_>) {
    let pruning = job.place.prune(job.function.keep_releases as usize);
    let Ok(pruned) = session.until_stopped(pruning).await else { return };
    match pruned {
        Ok(versions) if versions.is_empty() => {}
        Ok(versions) => session.console.tell(&Event::Pruned { function: job.function.name.clone(), versions }),
        Err(error) => {
            session.console.note(&format!("could not delete old versions (will retry on the next deploy): {error}"))
        }
    }
}
