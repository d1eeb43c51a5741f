//! A shift that ends itself: what `live` remembers of it, whether it is as it was left, and its end.

use super::alias::{Guard, observe, point};
use super::current::Current;
use super::place::Place;
use super::routing::{Alias, Routing};
use crate::apply::{CloudError, Observer, Outputs, Reason};
use crate::stack::{Names, Steps, Weight};

/// How the traffic is split between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The version that gets the rest.
    pub version: String,
    pub shifted: String,
    pub weight: Weight,
}

/// Where the traffic goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spread {
    /// `live` does not exist.
    Nothing,
    /// To one version.
    Whole(String),
    Split(Split),
}

impl Spread {
    fn of(alias: Option<&Alias>) -> Spread {
        let Some(Routing { version, shifted, .. }) = alias.map(|alias| &alias.routing) else { return Spread::Nothing };
        let version = version.clone();
        match shifted.clone() {
            Some((shifted, weight)) => Spread::Split(Split { version, shifted, weight }),
            None => Spread::Whole(version),
        }
    }
}

impl Place<'_> {
    /// Where `live` sends the traffic now.
    ///
    /// # Errors
    /// If the alias cannot be read.
    pub async fn spread(&self) -> Result<Spread, CloudError> {
        Ok(Spread::of(observe(self).await?.as_ref()))
    }
}

impl Current<'_> {
    /// Where `live` sent the traffic when it was last seen.
    pub fn spread(&self) -> Spread {
        Spread::of(self.alias.as_ref())
    }

    /// Notes the steps of the shift that this run begins or holds. The next write to the alias remembers them.
    pub fn note_steps(&mut self, steps: Option<&Steps>) {
        self.memory = self.routing().map(|now| now.memory.with_steps(steps));
    }

    /// Remembers the steps of the shift in progress, unless `live` remembers them already.
    ///
    /// # Errors
    /// If the alias cannot be written. This never changes the traffic.
    pub async fn remember_steps(&mut self, steps: &Steps, observer: &Observer<'_>) -> Result<(), CloudError> {
        self.note_steps(Some(steps));
        match self.routing() {
            Some(to) if self.alias.as_ref().is_some_and(|alias| alias.routing != to) => {
                point(self, observer, Guard::Whole, |_| to.clone()).await.map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Gives all of the traffic back to the version that gets the rest of it. `has_failed` marks the other one as failed.
    ///
    /// # Errors
    /// `Conflict` if another process moved the traffic in the meantime.
    pub async fn end_shift(&mut self, has_failed: bool, observer: &Observer<'_>) -> Result<Outputs, CloudError> {
        let (Some(now), Spread::Split(Split { version, shifted, .. })) = (self.routing(), self.spread()) else {
            let action = format!("end the shift of function `{}`", self.place.names.function_name());
            return Err(CloudError::new(action, Reason::Conflict, format!("`{}` has no shift", Names::ALIAS)));
        };
        let memory = match has_failed {
            true => now.memory.refusing(&shifted, &version),
            false => now.memory.moved(Some(&version), &version, false),
        };
        let back = Routing { version, shifted: None, memory }.without_old_steps();
        match point(self, observer, Guard::Traffic, |_| back.clone()).await {
            // The reply was lost, but reading the alias showed that the write took effect.
            Err(_) if self.points_to(&back) => Ok(back.outputs()),
            result => result,
        }
    }
}
