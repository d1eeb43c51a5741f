//! The alias `live`: which versions get the traffic, and what its description remembers about versions.

use super::current::Current;
use super::error::Doing;
use super::memory::Memory;
use super::place::Place;
use super::pointing::{Alias, Pointing};
use super::wait::{self, Look, Wait, is_refusal};
use crate::apply::{CloudError, Observer, Outputs, Reason};
use crate::stack::{Names, Weight};
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use std::collections::HashMap;

pub(super) async fn observe(place: &Place<'_>) -> Result<Option<Alias>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_alias().function_name(&name).name(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read alias `{}` of function `{name}`", Names::ALIAS))?;
    Ok(found.map(|alias| Alias {
        pointing: Pointing::of(alias.function_version(), alias.routing_config(), alias.description()),
        revision: alias.revision_id,
    }))
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
    point(current, observer, Guard::Whole, |now| match (now, part) {
        (Some(now), Some(weight)) if now.version != number => Pointing {
            version: now.version.clone(),
            shifted: Some((number.to_owned(), weight)),
            memory: now.memory.shifted(&now.version, number, asked),
        },
        _ => Pointing::whole(now, number, asked),
    })
    .await
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
        let is_moved = |to: &&Pointing| self.before.as_ref().is_none_or(|before| !before.same_traffic(to));
        let (known, attempt) = (self.alias.as_ref().map(|alias| &alias.pointing), self.attempt.as_ref());
        let open = attempt.filter(|to| known.is_none_or(|known| !known.same_traffic(to)));
        match (open, known.filter(is_moved)) {
            // This includes an attempt to move back: the version that it leaves may still get traffic.
            (Some(attempt), known) => match known.or(Some(attempt).filter(is_moved)) {
                Some(moved) => Traffic::Unknown(moved.newest().to_owned()),
                None => Traffic::Unmoved,
            },
            (None, Some(known)) => Traffic::Moved(known.newest().to_owned()),
            (None, None) => Traffic::Unmoved,
        }
    }

    /// Waits until all traffic goes where `live` points. With provisioned concurrency, Lambda moves it gradually, and
    /// until then another version may answer.
    ///
    /// # Errors
    /// If the alias cannot be read, or the traffic does not arrive in time.
    pub async fn settle_traffic(&self, observer: &Observer<'_>) -> Result<(), CloudError> {
        if self.provisioned.is_none() {
            return Ok(());
        }
        let names = &self.place.names;
        let action = || format!("wait for the traffic of function `{}`", names.function_name());
        let wait = Wait { function: &names.function, for_what: "Lambda to move the traffic", limit: wait::READY };
        wait.until(observer, async || match observe(self.place).await? {
            Some(alias) if alias.pointing.shifted.is_some() => {
                let why = "Lambda still moves the instances that it keeps warm";
                Ok(Look::NotYet(CloudError::new(action(), Reason::Refused, why)))
            }
            _ => Ok(Look::Done(())),
        })
        .await
    }

    /// Points `live` to the last good release: the one that this run observed, or, if an interrupted run left that one
    /// unverified, the one before it. Marks the release that gets the traffic now as failed. Returns `None` if there
    /// is no good release.
    ///
    /// # Errors
    /// `Conflict` if another process moved `live` in the meantime.
    pub async fn move_back(&mut self, observer: &Observer<'_>) -> Result<Option<Outputs>, CloudError> {
        let now = self.attempt.as_ref().or(self.alias.as_ref().map(|alias| &alias.pointing));
        let refused = now.map(|now| now.newest().to_owned());
        let (Some(before), Some(refused)) = (self.before.clone(), refused) else { return Ok(None) };
        let this_run_moved = before.newest() != refused;
        let Some(good) = before.settled().or(Some(before).filter(|_| this_run_moved)) else { return Ok(None) };
        let memory = good.memory.refusing(&refused, &good.version);
        // The failed release keeps no part of the traffic.
        let shifted = good.shifted.filter(|(version, _)| *version != refused);
        let back = Pointing { memory, shifted, version: good.version };
        match point(self, observer, Guard::Traffic, |_| back.clone()).await {
            Ok(outputs) => Ok(Some(outputs)),
            // The reply was lost, but reading the alias showed that the write took effect.
            Err(_) if self.points_to(&back) => Ok(Some(back.outputs())),
            Err(error) => Err(error),
        }
    }

    /// Remembers that the newest release that gets traffic passed its URL checks.
    ///
    /// # Errors
    /// If the alias cannot be written. This never changes the traffic.
    pub async fn remember_passed(&mut self, checks: &str, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.remember(observer, |now| now.memory.verified(now.newest(), checks, now.shifted.is_none())).await
    }

    /// Remembers that the newest release that gets traffic is accepted without all of its checks, because some could not
    /// run or verification was skipped.
    ///
    /// # Errors
    /// As for [`Current::remember_passed`].
    pub async fn remember_unasked(&mut self, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.remember(observer, |now| now.memory.unasked(now.newest())).await
    }

    /// Remembers that a version failed its trial and gets no traffic.
    ///
    /// # Errors
    /// As for [`Current::remember_passed`].
    pub async fn remember_failed(&mut self, number: &str, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.remember(observer, |now| now.memory.refusing(number, &now.version)).await
    }

    async fn remember(
        &mut self,
        observer: &Observer<'_>,
        with: impl Fn(&Pointing) -> Memory,
    ) -> Result<(), CloudError> {
        let now = self.alias.as_ref().map(|alias| alias.pointing.clone());
        let Some(now) = now.filter(|now| with(now) != now.memory) else { return Ok(()) };
        let to = Pointing { memory: with(&now), ..now };
        point(self, observer, Guard::Whole, |_| to.clone()).await.map(drop)
    }

    /// Treats the live release as verified until the next write. Use it if a release that an interrupted run left
    /// unverified has now passed.
    pub fn assume_verified(&mut self, checks: &str) {
        let Current { alias, before, .. } = self;
        for pointing in alias.iter_mut().map(|alias| &mut alias.pointing).chain(before) {
            pointing.memory = pointing.memory.verified(pointing.newest(), checks, pointing.shifted.is_none());
        }
    }

    fn points_to(&self, to: &Pointing) -> bool {
        self.attempt.is_none() && self.alias.as_ref().is_some_and(|alias| alias.pointing == *to)
    }

    /// Stores the alias that was just read, which also shows the outcome of the last attempt.
    fn see(&mut self, alias: Option<Alias>) {
        self.alias = alias.map(|alias| alias.without_warming(self.provisioned));
        self.attempt = None;
    }
}

/// Which part of the alias must be unchanged for a write to be retried.
#[derive(Clone, Copy, PartialEq)]
enum Guard {
    Whole,
    /// Only the traffic. Other changes to the alias must not keep a bad release live.
    Traffic,
}

async fn point(
    current: &mut Current<'_>,
    observer: &Observer<'_>,
    guard: Guard,
    aim: impl Fn(Option<&Pointing>) -> Pointing,
) -> Result<Outputs, CloudError> {
    let place = current.place;
    let mut expected = current.alias.clone();
    let to = aim(expected.as_ref().map(|alias| &alias.pointing));
    let limit = if current.provisioned.is_some() { wait::READY } else { wait::BUSY };
    let wait = Wait { function: &place.names.function, for_what: "another update to end", limit };
    let mut sent = false;
    wait.until(observer, async || {
        let mut refusal = None;
        if !sent {
            current.attempt = Some(to.clone());
            match send(place, expected.as_ref(), &to).await {
                Ok(now) if now.pointing == to => {
                    current.see(Some(now));
                    return Ok(Look::Done(to.outputs()));
                }
                Ok(_) => sent = true,
                Err(error) => refusal = Some(error),
            }
        }
        // After an error, an earlier attempt of the same call may have taken effect; only reading the alias can tell.
        let now = match (observe(place).await, &refusal) {
            (Ok(now), _) => now,
            (Err(_), Some(refusal)) => return Err(refusal.clone()),
            (Err(unread), None) => return Err(unread),
        };
        let is_unmoved = match (guard, &now, &expected) {
            (Guard::Traffic, Some(now), Some(expected)) => now.pointing.same_traffic(&expected.pointing),
            (_, now, expected) => now.as_ref().map(|now| &now.pointing) == expected.as_ref().map(|seen| &seen.pointing),
        };
        let look = classify_reply(current, &to, is_unmoved, now.as_ref(), refusal);
        expected = now.map(|alias| alias.without_warming(current.provisioned));
        look
    })
    .await
}

/// Decides from the alias as it is now whether a move took effect, is in progress, can be retried or has failed.
fn classify_reply(
    current: &mut Current<'_>,
    to: &Pointing,
    is_unmoved: bool,
    now: Option<&Alias>,
    refusal: Option<CloudError>,
) -> Result<Look<Outputs>, CloudError> {
    let pointing = |alias: Option<&Alias>| alias.map(|alias| alias.pointing.clone());
    let arrived = pointing(now).as_ref() == Some(to);
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
            Ok(Look::Done(to.outputs()))
        }
        None if is_on_its_way => {
            current.see(now.cloned());
            let why = "it still moves the instances that it keeps warm";
            Ok(Look::NotYet(CloudError::new(moving(current.place, to), Reason::Refused, why)))
        }
        // A new statement may have changed the revision, or an update may be in progress: the move can be retried.
        Some(refusal) if is_unmoved => {
            current.see(now.cloned());
            Ok(Look::NotYet(refusal))
        }
        // lamstream never undoes another process's change.
        _ => {
            current.attempt = None;
            Err(CloudError::new(
                moving(current.place, to),
                Reason::Conflict,
                "another process moved `live` in the meantime",
            ))
        }
    }
}

/// Whether Lambda is still moving the traffic. With provisioned concurrency, the previous version keeps a share of it
/// until the new instances are warm. Source: docs/aws.md, "Provisioned concurrency".
fn is_on_its_way(current: &Current<'_>, now: Option<&Alias>, to: &Pointing) -> bool {
    let whole = |alias: &Alias| Pointing { shifted: None, ..alias.pointing.clone() };
    current.provisioned.is_some() && to.shifted.is_none() && now.map(whole).as_ref() == Some(to)
}

async fn send(place: &Place<'_>, expected: Option<&Alias>, to: &Pointing) -> Result<Alias, CloudError> {
    let name = place.names.function_name();
    let lambda = &place.account.lambda;
    let action = || moving(place, to);
    let description = to.memory.write();
    let Some(expected) = expected else {
        let call = lambda.create_alias().function_name(&name).name(Names::ALIAS).function_version(&to.version);
        let made = call.description(description).send().await.doing(action)?;
        let pointing = Pointing::of(made.function_version(), made.routing_config(), made.description());
        return Ok(Alias { pointing, revision: made.revision_id });
    };
    // Sent even if it is empty, because an update without weights keeps the old ones.
    let weights: HashMap<String, f64> =
        to.shifted.iter().map(|(version, weight)| (version.clone(), weight.fraction())).collect();
    let routing = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)).build();
    let call = lambda.update_alias().function_name(&name).name(Names::ALIAS).function_version(&to.version);
    let call = call.description(description).routing_config(routing).set_revision_id(expected.revision.clone());
    let made = call.send().await.doing(action)?;
    let pointing = Pointing::of(made.function_version(), made.routing_config(), made.description());
    Ok(Alias { pointing, revision: made.revision_id })
}

fn moving(place: &Place<'_>, to: &Pointing) -> String {
    let name = place.names.function_name();
    match &to.shifted {
        None => format!("move alias `{}` of function `{name}` to version {}", Names::ALIAS, to.version),
        Some((version, weight)) => {
            format!("turn {weight} of alias `{}` of function `{name}` to version {version}", Names::ALIAS)
        }
    }
}
