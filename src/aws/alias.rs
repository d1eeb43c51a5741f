//! The alias `live`: which version has the traffic, and which had it before.

use super::error::Doing;
use super::place::Place;
use super::wait::{self, Look, Wait, is_refusal};
use crate::apply::{Audience, CloudError, Outputs, Reason};
use crate::stack::{Names, Weight};
use aws_sdk_lambda::types::AliasRoutingConfiguration;
use std::collections::HashMap;

/// What an alias's description begins with where the alias remembers which version was live before.
const REMEMBERED: &str = "lamstream previous=";

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
    pub description: String,
}

impl Pointing {
    /// The version that was live before.
    pub fn previous(&self) -> Option<String> {
        let remembered = self.description.strip_prefix(REMEMBERED)?;
        Some(remembered.to_owned()).filter(|number| !number.is_empty())
    }

    /// All the traffic to `number`.
    fn whole(current: Option<&Pointing>, number: &str) -> Pointing {
        let previous = match current {
            Some(current) if current.version == number => current.previous(),
            other => other.map(|current| current.version.clone()),
        };
        let description = format!("{REMEMBERED}{}", previous.unwrap_or_default());
        Pointing { version: number.to_owned(), shifted: None, description }
    }

    pub fn outputs(&self) -> Outputs {
        Outputs {
            version: Some(self.version.clone()),
            previous: self.previous(),
            shifted: self.shifted.as_ref().map(|(version, _)| version.clone()),
            url: None,
        }
    }
}

pub(super) async fn observe(place: &Place<'_>) -> Result<Option<Alias>, CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.get_alias().function_name(&name).name(Names::ALIAS);
    let found = call.send().await.if_found(|| format!("read alias `{}` of function `{name}`", Names::ALIAS))?;
    Ok(found.map(|alias| Alias {
        pointing: Pointing {
            shifted: shifted(alias.routing_config.as_ref()),
            version: alias.function_version.unwrap_or_default(),
            description: alias.description.unwrap_or_default(),
        },
        revision: alias.revision_id,
    }))
}

/// AWS allows for one version beside the first.
pub(super) fn shifted(routing: Option<&AliasRoutingConfiguration>) -> Option<(String, Weight)> {
    let weights = routing?.additional_version_weights()?;
    weights.iter().find_map(|(version, weight)| Some((version.clone(), Weight::of_fraction(*weight)?)))
}

pub(super) async fn delete(place: &Place<'_>) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let call = place.account.lambda.delete_alias().function_name(&name).name(Names::ALIAS);
    call.send().await.if_found(|| format!("delete alias `{}` of function `{name}`", Names::ALIAS)).map(|_| ())
}

/// Turns all the traffic to `number`, or a part of it.
///
/// # Errors
/// `Conflict` when somebody else moved the alias since it was observed.
pub(super) async fn turn(
    place: &Place<'_>,
    number: &str,
    part: Option<Weight>,
    audience: &Audience<'_>,
) -> Result<Outputs, CloudError> {
    point(place, audience, |current| match (current, part) {
        (Some(current), Some(weight)) if current.version != number => {
            Pointing { shifted: Some((number.to_owned(), weight)), ..current.clone() }
        }
        _ => Pointing::whole(current, number),
    })
    .await
}

impl Place<'_> {
    /// Points `live` to where it pointed when it was first observed, if it still is as we left it. `None` where
    /// there was no `live` then.
    ///
    /// # Errors
    /// `Conflict` when somebody else moved it meanwhile.
    pub async fn move_back(&self, audience: &Audience<'_>) -> Result<Option<Outputs>, CloudError> {
        let Some(before) = self.seen.borrow().before.clone() else { return Ok(None) };
        point(self, audience, |_| before.clone()).await.map(Some)
    }
}

async fn point(
    place: &Place<'_>,
    audience: &Audience<'_>,
    aim: impl Fn(Option<&Pointing>) -> Pointing,
) -> Result<Outputs, CloudError> {
    let mut expected = place.seen.borrow().alias.clone();
    let to = aim(expected.as_ref().map(|alias| &alias.pointing));
    let conflict = || CloudError::new(moving(place, &to), Reason::Conflict, "somebody else moved it meanwhile");
    let warm = place.seen.borrow().provisioned.is_some();
    let limit = if warm { wait::READY } else { wait::BUSY };
    let wait = Wait { function: &place.names.function, for_what: "another update to end", limit };
    let mut sent = false;
    wait.until(audience, async || {
        let refusal = match sent {
            true => None,
            false => match send(place, expected.as_ref(), &to).await {
                Err(error) if is_refusal(&error) => Some(error),
                other => other.map(|()| None)?,
            },
        };
        sent = refusal.is_none();
        let now = observe(place).await?;
        let pointing = |alias: &Option<Alias>| alias.as_ref().map(|alias| alias.pointing.clone());
        if pointing(&now).as_ref() == Some(&to) {
            place.seen.borrow_mut().alias = now;
            return Ok(Look::Done(to.outputs()));
        }
        if refusal.is_none() && is_on_its_way(place, now.as_ref(), &to) {
            let why = "it still moves the instances that it keeps warm";
            return Ok(Look::NotYet(CloudError::new(moving(place, &to), Reason::Refused, why)));
        }
        // A new statement on the alias may move its revision, and an update may be in progress: the move still stands.
        match refusal.filter(|_| pointing(&now) == pointing(&expected)) {
            Some(refusal) => {
                expected = now;
                Ok(Look::NotYet(refusal))
            }
            None => Err(conflict()),
        }
    })
    .await
}

/// Where instances are kept warm, Lambda gives the version before a part of the traffic for as long as it takes to warm
/// others. Source: docs/aws.md, "Provisioned concurrency".
fn is_on_its_way(place: &Place<'_>, now: Option<&Alias>, to: &Pointing) -> bool {
    let whole = |alias: &Alias| Pointing { shifted: None, ..alias.pointing.clone() };
    place.seen.borrow().provisioned.is_some() && to.shifted.is_none() && now.map(whole).as_ref() == Some(to)
}

async fn send(place: &Place<'_>, expected: Option<&Alias>, to: &Pointing) -> Result<(), CloudError> {
    let name = place.names.function_name();
    let lambda = &place.account.lambda;
    let action = || moving(place, to);
    let Some(expected) = expected else {
        let call = lambda.create_alias().function_name(&name).name(Names::ALIAS).function_version(&to.version);
        return call.description(&to.description).send().await.doing(action).map(|_| ());
    };
    // Said also where it is empty: an update without it would leave the weights as they are.
    let weights: HashMap<String, f64> =
        to.shifted.iter().map(|(version, weight)| (version.clone(), weight.fraction())).collect();
    let routing = AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)).build();
    let call = lambda.update_alias().function_name(&name).name(Names::ALIAS).function_version(&to.version);
    let call = call.description(&to.description).routing_config(routing).set_revision_id(expected.revision.clone());
    call.send().await.doing(action).map(|_| ())
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
