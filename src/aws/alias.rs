//! The alias `live`: which versions get the traffic, and what its description remembers about versions.

use super::current::Current;
use super::error::Doing;
use super::failed;
use super::memory::Memory;
use super::numbers::Numbers;
use super::place::Place;
use super::routing::{Alias, Routing};
use super::wait::{self, Made, Polled, Subject, Wait, is_refusal};
use crate::apply::{CloudError, Observer, Outputs, Reason, Remembered};
use crate::stack::{Names, Weight};
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use std::collections::HashMap;

pub(super) async fn observe(place: &Place<'_>) -> Result<Option<Alias>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_alias().function_name(&name).name(Names::ALIAS);
    let action = || format!("read alias `{}` of function `{name}`", Names::ALIAS);
    let Some(found) = call.send().await.if_found(action)? else { return Ok(None) };
    let routing = Routing::of(found.function_version(), found.routing_config(), found.description(), action)?;
    Ok(Some(Alias { routing, revision: found.revision_id }))
}

pub(super) async fn delete(place: &Place<'_>) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.delete_alias().function_name(&name).name(Names::ALIAS);
    call.send().await.if_found(|| format!("delete alias `{}` of function `{name}`", Names::ALIAS)).map(|_| ())
}

/// Routes all traffic, or part of it, to version `number`. `asked` means that the URL is verified afterwards.
///
/// # Errors
/// `Conflict` if another process has moved the alias since it was observed. After any error, [`Current::traffic`] says
/// where the traffic goes, as far as it is known.
pub(super) async fn route_to(
    current: &mut Current<'_>,
    number: &str,
    part: Option<Weight>,
    asked: bool,
    observer: &Observer<'_>,
) -> Result<Outputs, CloudError> {
    let failed = current.failed.clone();
    let arrival = current.place.arrival();
    let outputs = point(current, observer, Guard::Whole, |now| match (now, part) {
        (Some(now), Some(weight)) if now.version != number => Routing {
            version: now.version.clone(),
            shifted: Some((number.to_owned(), weight)),
            memory: now.memory.shifted(&now.version, number, asked),
        },
        (Some(now), _) => now.whole(number, asked, arrival.clone()),
        (None, _) => Routing::first(number, asked, failed.clone(), arrival.clone()),
    })
    .await?;
    if !failed.is_empty() {
        current.failed = Numbers::default();
        // The alias remembers them now. Nothing reads a tag that stays.
        let _ = failed::clear(&current.place).await;
    }
    Ok(outputs)
}

/// Where the traffic goes, compared with what was observed first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// The traffic has not moved.
    Unmoved,
    /// Traffic was last moved to this version, which now gets all or part of it.
    Moved(String),
    /// This version may get traffic: it is unknown whether the move took effect.
    Unknown(String),
}

impl Current<'_> {
    /// Where the traffic goes now, compared with what was observed first.
    pub fn traffic(&self) -> Traffic {
        let is_moved = |to: &&Routing| self.before.as_ref().is_none_or(|before| !before.same_traffic(to));
        let known = self.alias.as_ref().map(|alias| &alias.routing);
        let open: Vec<&Routing> =
            self.attempts.iter().filter(|to| known.is_none_or(|known| !known.same_traffic(to))).collect();
        match known.filter(is_moved) {
            Some(known) if open.is_empty() => Traffic::Moved(known.newest().to_owned()),
            // The attempt may be one to move back: the version that it leaves may still get traffic.
            Some(known) => Traffic::Unknown(known.newest().to_owned()),
            None => match open.into_iter().rfind(is_moved) {
                Some(attempt) => Traffic::Unknown(attempt.newest().to_owned()),
                None => Traffic::Unmoved,
            },
        }
    }

    /// Waits until all traffic goes where `live` points. With provisioned concurrency, Lambda moves it gradually, and
    /// until then another version may answer.
    ///
    /// # Errors
    /// If the alias cannot be read, or the traffic does not arrive in time.
    pub async fn settle_traffic(&self, observer: &Observer<'_>) -> Result<(), CloudError> {
        if self.observed.stack.provisioned.is_none() {
            return Ok(());
        }
        let names = &self.place.names;
        let action = || format!("wait for the traffic of function `{}`", names.function_name());
        let wait = Wait { function: &names.function, for_what: "Lambda to move the traffic", limit: wait::READY };
        wait.until(observer, async || match observe(&self.place).await? {
            Some(alias) if alias.routing.shifted.is_some() => {
                let why = "Lambda is still moving the provisioned instances";
                Ok(Polled::NotYet(CloudError::new(action(), Reason::Refused, why)))
            }
            _ => Ok(Polled::Done(())),
        })
        .await
    }

    /// Points `live` to the last good release: the one that this run observed, or, if an interrupted run left that one
    /// unverified, the one before it. Marks the release that gets the traffic now as failed. Returns the version that
    /// `live` points to again, or `None` if no good release exists.
    ///
    /// # Errors
    /// `Conflict` if another process moved `live` in the meantime.
    pub async fn move_back(&mut self, observer: &Observer<'_>) -> Result<Option<(String, Outputs)>, CloudError> {
        let now = self.attempts.last().or(self.alias.as_ref().map(|alias| &alias.routing));
        let refused = now.map(|now| now.newest().to_owned());
        let from = now.map(|now| now.version.clone());
        let (Some(before), Some(refused)) = (self.before.clone(), refused) else { return Ok(None) };
        let this_run_moved = before.newest() != refused;
        let Some(good) = before.settled().or(Some(before).filter(|_| this_run_moved)) else { return Ok(None) };
        let memory = good.memory.refusing(&refused, &good.version);
        // The failed release keeps no part of the traffic.
        let shifted = good.shifted.filter(|(version, _)| *version != refused);
        let back = Routing { memory, shifted, version: good.version };
        let back = back.arrived(from.as_deref(), self.place.arrival());
        match point(self, observer, Guard::Traffic, |_| back.clone()).await {
            Ok(_) => Ok(Some((back.version.clone(), back.outputs()))),
            // The reply was lost, but reading the alias showed that the write took effect.
            Err(_) if self.points_to(&back) => Ok(Some((back.version.clone(), back.outputs()))),
            Err(error) => Err(error),
        }
    }

    /// Remembers that the newest release that gets traffic passed its URL checks. Returns what is now known of it.
    ///
    /// # Errors
    /// If the alias cannot be written. This never changes the traffic.
    pub async fn remember_passed(&mut self, checks: &str, observer: &Observer<'_>) -> Result<Remembered, CloudError> {
        self.remember(observer, |now| now.memory.verified(now.newest(), checks, now.shifted.is_none())).await
    }

    /// Remembers that the newest release that gets traffic is accepted without all of its checks, because some could
    /// not run or verification was skipped.
    ///
    /// # Errors
    /// As for [`Current::remember_passed`].
    pub async fn remember_unasked(&mut self, observer: &Observer<'_>) -> Result<Remembered, CloudError> {
        self.remember(observer, |now| now.memory.unasked(now.newest())).await
    }

    /// Remembers that a version failed its trial, or that its URL failed although it stays live.
    ///
    /// # Errors
    /// As for [`Current::remember_passed`].
    pub async fn remember_failed(&mut self, number: &str, observer: &Observer<'_>) -> Result<Remembered, CloudError> {
        // Another process may have made a version live in the meantime.
        if self.alias.is_none() && observe(&self.place).await?.is_none() {
            number.parse().into_iter().for_each(|number| self.failed.insert(number));
            failed::write(&self.place, &self.failed).await?;
        }
        self.remember(observer, |now| now.memory.refusing(number, &now.version)).await
    }

    async fn remember(
        &mut self,
        observer: &Observer<'_>,
        with: impl Fn(&Routing) -> Memory,
    ) -> Result<Remembered, CloudError> {
        let Some(now) = self.routing() else { return Ok(Remembered::default()) };
        let to = Routing { memory: with(&now), ..now };
        if self.alias.as_ref().is_some_and(|alias| alias.routing != to) {
            point(self, observer, Guard::Whole, |_| to.clone()).await?;
        }
        Ok(to.outputs().remembered)
    }

    /// Notes that the live release, which an interrupted run left unverified, passed. The next write remembers it.
    pub fn note_passed(&mut self, checks: &str) {
        self.note(|now| now.memory.verified(now.newest(), checks, now.shifted.is_none()));
    }

    /// Notes that the URL of the live release, which an interrupted run left unverified, failed. The next write
    /// remembers it.
    pub fn note_failed(&mut self) {
        self.note(|now| now.memory.failing(now.newest()));
    }

    fn note(&mut self, with: impl Fn(&Routing) -> Memory) {
        self.memory = self.routing().map(|now| with(&now));
        self.before.iter_mut().for_each(|before| before.memory = with(before));
    }

    /// The target of `live`, with the memory that its description does not contain yet.
    pub(super) fn routing(&self) -> Option<Routing> {
        let routing = self.alias.as_ref().map(|alias| alias.routing.clone())?;
        let memory = self.memory.clone().unwrap_or_else(|| routing.memory.clone());
        Some(Routing { memory, ..routing })
    }

    pub(super) fn points_to(&self, to: &Routing) -> bool {
        self.attempts.is_empty() && self.alias.as_ref().is_some_and(|alias| alias.routing == *to)
    }

    /// Stores the alias that was just read, which also shows the outcome of the last attempt.
    fn see(&mut self, alias: Option<Alias>) {
        let alias = alias.map(|alias| alias.without_warming(self.observed.stack.provisioned));
        let memory = |alias: &Option<Alias>| alias.as_ref().map(|alias| alias.routing.memory.clone());
        // What was noted is part of every write.
        self.memory = self.memory.take().filter(|_| memory(&alias) == memory(&self.alias));
        self.alias = alias;
        self.attempts.clear();
    }

    fn note_attempt(&mut self, to: &Routing) {
        if self.attempts.last() != Some(to) {
            self.attempts.push(to.clone());
        }
    }
}

/// Which part of the alias must be unchanged for a write to be retried.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Guard {
    Whole,
    /// Only the traffic. Other changes to the alias must not keep a bad release live.
    Traffic,
}

pub(super) async fn point(
    current: &mut Current<'_>,
    observer: &Observer<'_>,
    guard: Guard,
    aim: impl Fn(Option<&Routing>) -> Routing,
) -> Result<Outputs, CloudError> {
    let place = &current.place.clone();
    let mut expected = current.alias.clone();
    if std::mem::take(&mut current.is_alias_stale) {
        // Its old revision would be refused, which costs a call more. If it moved, the refusal shows what to do.
        let routing = |alias: &Option<Alias>| alias.as_ref().map(|alias| alias.routing.clone());
        let now = observe(place).await.unwrap_or_default();
        let now = now.map(|alias| alias.without_warming(current.observed.stack.provisioned));
        expected = Some(now).filter(|now| routing(now) == routing(&expected)).unwrap_or(expected);
    }
    let to = aim(current.routing().as_ref()).without_old_steps();
    let limit = if current.observed.stack.provisioned.is_some() { wait::READY } else { wait::BUSY };
    let wait = Wait { function: &place.names.function, for_what: "another update to finish", limit };
    let mut sent = false;
    wait.until(observer, async || {
        let mut refusal = None;
        if !sent {
            current.note_attempt(&to);
            match send(place, expected.as_ref(), &to).await {
                Ok(now) if now.routing == to => {
                    current.see(Some(now));
                    return Ok(Polled::Done(to.outputs()));
                }
                Ok(_) => sent = true,
                Err(error) => refusal = Some(error),
            }
        }
        if let Some(missing) = refusal.take_if(|error| error.reason == Reason::Missing) {
            return await_what_was_made(current, expected.is_some(), missing).await;
        }
        // After an error, an earlier attempt of the same call may have taken effect; only reading the alias can tell.
        let now = match (observe(place).await, &refusal) {
            (Ok(now), _) => now,
            // A refusal says nothing without the alias: the refused call may be the repetition of one whose reply was lost.
            (Err(_), Some(refusal)) if !is_refusal(refusal) => return Err(refusal.clone()),
            (Err(unread), _) => return Err(unread),
        };
        let is_unmoved = match (guard, &now, &expected) {
            (Guard::Traffic, Some(now), Some(expected)) => now.routing.same_traffic(&expected.routing),
            (_, now, expected) => now.as_ref().map(|now| &now.routing) == expected.as_ref().map(|seen| &seen.routing),
        };
        let look = classify_reply(current, &to, is_unmoved, now.as_ref(), refusal);
        expected = now.map(|alias| alias.without_warming(current.observed.stack.provisioned));
        look
    })
    .await
}

/// Decides what it means that AWS does not find the alias or the version: what this run made is only late, and the move
/// can be retried.
async fn await_what_was_made<T>(
    current: &mut Current<'_>,
    was_there: bool,
    missing: CloudError,
) -> Result<Polled<T>, CloudError> {
    let place = &current.place.clone();
    current.attempts.pop();
    if was_there && !place.has_made(Made::Alias) && observe(place).await?.is_none() {
        current.see(None);
        return Err(missing);
    }
    match place.delay(Subject::Function, missing.reason).await {
        Some(delay) => Ok(Polled::Late(delay, missing)),
        None => Err(missing),
    }
}

/// Decides from the alias as it is now whether a move took effect, is in progress, can be retried or has failed.
fn classify_reply(
    current: &mut Current<'_>,
    to: &Routing,
    is_unmoved: bool,
    now: Option<&Alias>,
    refusal: Option<CloudError>,
) -> Result<Polled<Outputs>, CloudError> {
    let routing = |alias: Option<&Alias>| alias.map(|alias| alias.routing.clone());
    let arrived = routing(now).as_ref() == Some(to);
    let is_on_its_way = is_on_its_way(current, now, to);
    match refusal {
        // The request may still be in transit.
        Some(lost) if !arrived && lost.reason == Reason::Unreachable => Err(lost),
        Some(lost) if !is_refusal(&lost) => {
            current.see(now.cloned());
            Err(lost)
        }
        _ if arrived => {
            current.see(now.cloned());
            Ok(Polled::Done(to.outputs()))
        }
        None if is_on_its_way => {
            current.see(now.cloned());
            let why = "Lambda is still moving the provisioned instances";
            Ok(Polled::NotYet(CloudError::new(moving(&current.place, to), Reason::Refused, why)))
        }
        // A new statement may have changed the revision, or an update may be in progress: the move can be retried.
        Some(refusal) if is_unmoved => {
            current.see(now.cloned());
            Ok(Polled::NotYet(refusal))
        }
        // lamstream never undoes another process's change.
        _ => {
            current.attempts.clear();
            Err(CloudError::new(
                moving(&current.place, to),
                Reason::Conflict,
                "another process moved `live` in the meantime",
            ))
        }
    }
}

/// Whether Lambda is still moving the traffic. With provisioned concurrency, the previous version keeps a share of it
/// until the new instances are warm. Source: docs/aws.md, "Provisioned concurrency".
fn is_on_its_way(current: &Current<'_>, now: Option<&Alias>, to: &Routing) -> bool {
    let whole = |alias: &Alias| Routing { shifted: None, ..alias.routing.clone() };
    current.observed.stack.provisioned.is_some() && to.shifted.is_none() && now.map(whole).as_ref() == Some(to)
}

async fn send(place: &Place<'_>, expected: Option<&Alias>, to: &Routing) -> Result<Alias, CloudError> {
    let name = place.names.function_name();
    let lambda = &place.account.lambda;
    let action = || moving(place, to);
    let description = to.memory.write();
    let Some(expected) = expected else {
        let call = lambda.create_alias().function_name(&name).name(Names::ALIAS).function_version(&to.version);
        let made = call.description(description).send().await.doing(action)?;
        place.note_made(Made::Alias);
        let routing = Routing::of(made.function_version(), made.routing_config(), made.description(), action)?;
        return Ok(Alias { routing, revision: made.revision_id });
    };
    // Sent even if it is empty, because an update without weights keeps the old ones.
    let weights: HashMap<String, f64> =
        to.shifted.iter().map(|(version, weight)| (version.clone(), weight.fraction())).collect();
    let routing = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)).build();
    let call = lambda.update_alias().function_name(&name).name(Names::ALIAS).function_version(&to.version);
    let call = call.description(description).routing_config(routing).set_revision_id(expected.revision.clone());
    let made = call.send().await.doing(action)?;
    let routing = Routing::of(made.function_version(), made.routing_config(), made.description(), action)?;
    Ok(Alias { routing, revision: made.revision_id })
}

fn moving(place: &Place<'_>, to: &Routing) -> String {
    let name = place.names.function_name();
    match &to.shifted {
        None => format!("move alias `{}` of function `{name}` to version {}", Names::ALIAS, to.version),
        Some((version, weight)) => {
            format!(
                "shift {weight} of the traffic of alias `{}` of function `{name}` to version {version}",
                Names::ALIAS
            )
        }
    }
}
