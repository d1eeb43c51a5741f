//! The alias `live`: which version has the traffic, and what it remembers of it and of the others.

use super::error::Doing;
use super::memory::Memory;
use super::place::{Place, Seen, Traffic};
use super::wait::{self, Look, Wait, is_refusal};
use crate::apply::{CloudError, Observer, Outputs, Reason};
use crate::stack::{Names, Weight};
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use std::collections::HashMap;

/// The alias as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub pointing: Pointing,
    pub revision: Option<String>,
}

/// Where an alias sends traffic, and what it remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointing {
    pub version: String,
    /// The version that gets a part of the traffic.
    pub shifted: Option<(String, Weight)>,
    pub memory: Memory,
}

impl Alias {
    /// Where instances are kept warm, weights are no shift: Lambda moves the traffic little by little. Source:
    /// docs/aws.md, "Provisioned concurrency".
    pub fn without_warming(mut self, provisioned: Option<u32>) -> Alias {
        self.pointing.shifted = self.pointing.shifted.filter(|_| provisioned.is_none());
        self
    }
}

impl Pointing {
    pub fn of(
        version: Option<&str>,
        routing: Option<&AliasRoutingConfiguration>,
        description: Option<&str>,
    ) -> Pointing {
        Pointing {
            shifted: shifted(routing),
            version: version.unwrap_or_default().to_owned(),
            memory: Memory::read(description.unwrap_or_default()),
        }
    }

    /// All the traffic to `number`. `asked`: the URL is going to be asked afterwards.
    fn whole(current: Option<&Pointing>, number: &str, asked: bool) -> Pointing {
        let memory = current.map(|current| current.memory.clone()).unwrap_or_default();
        let from = current.map(|current| current.version.as_str());
        Pointing { version: number.to_owned(), shifted: None, memory: memory.moved(from, number, asked) }
    }

    /// The version that traffic was turned to last.
    pub fn newest(&self) -> &str {
        self.shifted.as_ref().map_or(&self.version, |(version, _)| version)
    }

    fn same_traffic(&self, other: &Pointing) -> bool {
        (&self.version, &self.shifted) == (&other.version, &other.shifted)
    }

    /// The last release that served well, seen from here: this one, unless the run that made it live ended before
    /// its URL was seen to pass.
    fn settled(&self) -> Option<Pointing> {
        if !self.memory.is_interrupted(self.newest()) {
            return Some(self.clone());
        }
        match &self.shifted {
            Some(_) => Pointing { shifted: None, ..self.clone() }.settled(),
            None => {
                let (version, memory) = self.memory.back()?;
                Some(Pointing { version, shifted: None, memory })
            }
        }
    }

    pub fn outputs(&self) -> Outputs {
        Outputs {
            version: Some(self.version.clone()),
            previous: self.memory.previous.clone(),
            shifted: self.shifted.as_ref().map(|(version, _)| version.clone()),
            url: None,
            remembered: self.memory.live(self.newest()),
        }
    }
}

pub(super) async fn observe(place: &Place<'_>) -> Result<Option<Alias>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_alias().function_name(&name).name(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read alias `{}` of function `{name}`", Names::ALIAS))?;
    Ok(found.map(|alias| Alias {
        pointing: Pointing::of(alias.function_version(), alias.routing_config(), alias.description()),
        revision: alias.revision_id,
    }))
}

/// AWS allows for one version beside the first.
fn shifted(routing: Option<&AliasRoutingConfiguration>) -> Option<(String, Weight)> {
    let weights = routing?.additional_version_weights()?;
    weights.iter().find_map(|(version, weight)| Some((version.clone(), Weight::of_fraction(*weight)?)))
}

pub(super) async fn delete(place: &Place<'_>) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.delete_alias().function_name(&name).name(Names::ALIAS);
    call.send().await.if_found(|| format!("delete alias `{}` of function `{name}`", Names::ALIAS)).map(|_| ())
}

/// Turns all the traffic to `number`, or a part of it. `asked`: the URL is going to be asked afterwards.
///
/// # Errors
/// `Conflict` when somebody else moved the alias since it was observed. After any error [`Place::traffic`] says
/// what is known of where the traffic goes.
pub(super) async fn turn(
    place: &Place<'_>,
    number: &str,
    part: Option<Weight>,
    asked: bool,
    observer: &Observer<'_>,
) -> Result<Outputs, CloudError> {
    point(place, observer, Guard::Whole, |current| match (current, part) {
        (Some(current), Some(weight)) if current.version != number => Pointing {
            version: current.version.clone(),
            shifted: Some((number.to_owned(), weight)),
            memory: current.memory.shifted(&current.version, number, asked),
        },
        _ => Pointing::whole(current, number, asked),
    })
    .await
}

impl Place<'_> {
    /// Where the traffic goes now, compared with what was observed first.
    pub fn traffic(&self) -> Traffic {
        let seen = self.seen.borrow();
        let is_moved = |to: &&Pointing| seen.before.as_ref().is_none_or(|before| !before.same_traffic(to));
        let (known, attempt) = (seen.alias.as_ref().map(|alias| &alias.pointing), seen.attempt.as_ref());
        let open = attempt.filter(|to| known.is_none_or(|known| !known.same_traffic(to)));
        match (open, known.filter(is_moved)) {
            // An attempt to move back is open, too: what it leaves may still have the traffic.
            (Some(attempt), known) => match known.or(Some(attempt).filter(is_moved)) {
                Some(moved) => Traffic::Unknown(moved.newest().to_owned()),
                None => Traffic::Unmoved,
            },
            (None, Some(known)) => Traffic::Moved(known.newest().to_owned()),
            (None, None) => Traffic::Unmoved,
        }
    }

    /// Waits until all traffic is where `live` points: where instances are kept warm, Lambda moves it little by little, and
    /// until then another version may answer.
    ///
    /// # Errors
    /// When the alias cannot be read, or the traffic does not arrive in time.
    pub async fn settle_traffic(&self, observer: &Observer<'_>) -> Result<(), CloudError> {
        if self.seen.borrow().provisioned.is_none() {
            return Ok(());
        }
        let action = || format!("wait for the traffic of function `{}`", self.names.function_name());
        let wait = Wait { function: &self.names.function, for_what: "Lambda to move the traffic", limit: wait::READY };
        wait.until(observer, async || match observe(self).await? {
            Some(alias) if alias.pointing.shifted.is_some() => {
                let why = "Lambda still moves the instances that it keeps warm";
                Ok(Look::NotYet(CloudError::new(action(), Reason::Refused, why)))
            }
            _ => Ok(Look::Done(())),
        })
        .await
    }

    /// Points `live` to the last release that served well: where it pointed when it was first observed, or, where a
    /// run before this one was cut short, where it pointed before that. The release that has the traffic now is
    /// remembered as failed. `None` where there is no such release.
    ///
    /// # Errors
    /// `Conflict` when somebody else moved it meanwhile.
    pub async fn move_back(&self, observer: &Observer<'_>) -> Result<Option<Outputs>, CloudError> {
        let (before, refused) = {
            let Seen { before, alias, attempt, .. } = &*self.seen.borrow();
            let now = attempt.as_ref().or(alias.as_ref().map(|alias| &alias.pointing));
            (before.clone(), now.map(|now| now.newest().to_owned()))
        };
        let (Some(before), Some(refused)) = (before, refused) else { return Ok(None) };
        let this_run_moved = before.newest() != refused;
        let Some(good) = before.settled().or(Some(before).filter(|_| this_run_moved)) else { return Ok(None) };
        let memory = good.memory.refusing(&refused, &good.version);
        // No part of the traffic stays with what did not pass.
        let shifted = good.shifted.filter(|(version, _)| *version != refused);
        let back = Pointing { memory, shifted, version: good.version };
        match point(self, observer, Guard::Traffic, |_| back.clone()).await {
            Ok(outputs) => Ok(Some(outputs)),
            // The reply was lost, and a look showed that it got through.
            Err(_) if self.points_to(&back) => Ok(Some(back.outputs())),
            Err(error) => Err(error),
        }
    }

    /// Remembers that the URL of the release that was turned to last was seen to pass.
    ///
    /// # Errors
    /// When it cannot be written; the traffic is as it was in any case.
    pub async fn remember_passed(&self, checks: &str, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.remember(observer, |now| now.memory.verified(now.newest(), checks, now.shifted.is_none())).await
    }

    /// Remembers that the release that was turned to last is taken as it is: not all of its checks could be asked, or
    /// none was to be.
    ///
    /// # Errors
    /// As for [`Place::remember_passed`].
    pub async fn remember_unasked(&self, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.remember(observer, |now| now.memory.unasked(now.newest())).await
    }

    /// Counts the release that is live as one that passed, until something else is written: a run before this one ended
    /// before it could say so.
    pub fn vouch(&self, checks: &str) {
        let mut seen = self.seen.borrow_mut();
        let Seen { alias, before, .. } = &mut *seen;
        for pointing in alias.iter_mut().map(|alias| &mut alias.pointing).chain(before) {
            pointing.memory = pointing.memory.verified(pointing.newest(), checks, pointing.shifted.is_none());
        }
    }

    /// Remembers that a version did not pass, and so was given no traffic.
    ///
    /// # Errors
    /// As for [`Place::remember_passed`].
    pub async fn remember_failed(&self, number: &str, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.remember(observer, |now| now.memory.refusing(number, &now.version)).await
    }

    async fn remember(&self, observer: &Observer<'_>, with: impl Fn(&Pointing) -> Memory) -> Result<(), CloudError> {
        let now = self.seen.borrow().alias.as_ref().map(|alias| alias.pointing.clone());
        let Some(now) = now.filter(|now| with(now) != now.memory) else { return Ok(()) };
        let to = Pointing { memory: with(&now), ..now };
        point(self, observer, Guard::Whole, |_| to.clone()).await.map(drop)
    }

    fn points_to(&self, to: &Pointing) -> bool {
        let seen = self.seen.borrow();
        seen.attempt.is_none() && seen.alias.as_ref().is_some_and(|alias| alias.pointing == *to)
    }

    /// What is known of the alias now; an attempt whose outcome was open is settled by it.
    fn see(&self, alias: Option<Alias>) {
        let mut seen = self.seen.borrow_mut();
        let alias = alias.map(|alias| alias.without_warming(seen.provisioned));
        (seen.alias, seen.attempt) = (alias, None);
    }
}

/// What of an alias must still be as it was last seen, for a write to go on.
#[derive(Clone, Copy, PartialEq)]
enum Guard {
    Whole,
    /// Only the traffic: what else somebody may have written there does not keep a bad release live.
    Traffic,
}

async fn point(
    place: &Place<'_>,
    observer: &Observer<'_>,
    guard: Guard,
    aim: impl Fn(Option<&Pointing>) -> Pointing,
) -> Result<Outputs, CloudError> {
    let mut expected = place.seen.borrow().alias.clone();
    let to = aim(expected.as_ref().map(|alias| &alias.pointing));
    let warm = place.seen.borrow().provisioned.is_some();
    let limit = if warm { wait::READY } else { wait::BUSY };
    let wait = Wait { function: &place.names.function, for_what: "another update to end", limit };
    let mut sent = false;
    wait.until(observer, async || {
        let mut refusal = None;
        if !sent {
            place.seen.borrow_mut().attempt = Some(to.clone());
            match send(place, expected.as_ref(), &to).await {
                Ok(now) if now.pointing == to => {
                    place.see(Some(now));
                    return Ok(Look::Done(to.outputs()));
                }
                Ok(_) => sent = true,
                Err(error) => refusal = Some(error),
            }
        }
        // An error may hide that an earlier attempt of the same call got through: only a look can tell.
        let now = match (observe(place).await, &refusal) {
            (Ok(now), _) => now,
            (Err(_), Some(refusal)) => return Err(refusal.clone()),
            (Err(unread), None) => return Err(unread),
        };
        let is_unmoved = match (guard, &now, &expected) {
            (Guard::Traffic, Some(now), Some(expected)) => now.pointing.same_traffic(&expected.pointing),
            (_, now, expected) => now.as_ref().map(|now| &now.pointing) == expected.as_ref().map(|seen| &seen.pointing),
        };
        let look = judge(place, &to, is_unmoved, now.as_ref(), refusal);
        expected = now.map(|alias| alias.without_warming(place.seen.borrow().provisioned));
        look
    })
    .await
}

/// What a look at the alias says of a move that was sent, or of one that was refused.
fn judge(
    place: &Place<'_>,
    to: &Pointing,
    is_unmoved: bool,
    now: Option<&Alias>,
    refusal: Option<CloudError>,
) -> Result<Look<Outputs>, CloudError> {
    let pointing = |alias: Option<&Alias>| alias.map(|alias| alias.pointing.clone());
    let arrived = pointing(now).as_ref() == Some(to);
    let is_on_its_way = is_on_its_way(place, now, to);
    match refusal {
        // A call without an answer may still be on its way.
        Some(lost) if !arrived && lost.reason == Reason::Unreachable => Err(lost),
        Some(lost) if !is_refusal(&lost) => {
            place.see(now.cloned());
            Err(lost)
        }
        _ if arrived => {
            place.see(now.cloned());
            Ok(Look::Done(to.outputs()))
        }
        None if is_on_its_way => {
            place.see(now.cloned());
            let why = "it still moves the instances that it keeps warm";
            Ok(Look::NotYet(CloudError::new(moving(place, to), Reason::Refused, why)))
        }
        // A new statement on the alias may move its revision, and an update may be in progress: the move still stands.
        Some(refusal) if is_unmoved => {
            place.see(now.cloned());
            Ok(Look::NotYet(refusal))
        }
        // What somebody else did is not ours to judge, nor to undo.
        _ => {
            place.seen.borrow_mut().attempt = None;
            Err(CloudError::new(moving(place, to), Reason::Conflict, "somebody else moved it meanwhile"))
        }
    }
}

/// Where instances are kept warm, Lambda gives the version before a part of the traffic for as long as it takes to warm
/// others. Source: docs/aws.md, "Provisioned concurrency".
fn is_on_its_way(place: &Place<'_>, now: Option<&Alias>, to: &Pointing) -> bool {
    let whole = |alias: &Alias| Pointing { shifted: None, ..alias.pointing.clone() };
    place.seen.borrow().provisioned.is_some() && to.shifted.is_none() && now.map(whole).as_ref() == Some(to)
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
    // Said also where it is empty: an update without it would leave the weights as they are.
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
