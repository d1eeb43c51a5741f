//! The target of the alias `live`, and what the alias remembers.

use super::memory::Memory;
use super::numbers::Numbers;
use crate::apply::{CloudError, Outputs, Reason};
use crate::stack::{Arrival, Provisioned, Weight};
use aws_sdk_lambda::types::AliasRoutingConfiguration;

/// The alias as observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alias {
    pub routing: Routing,
    pub revision: Option<String>,
}

/// Where an alias sends traffic, and what it remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Routing {
    pub version: String,
    /// The version that gets part of the traffic, and how much.
    pub shifted: Option<(String, Weight)>,
    pub memory: Memory,
}

impl Alias {
    /// With provisioned concurrency, weights do not mean a shift: Lambda moves the traffic gradually. Source:
    /// docs/aws.md, "Provisioned concurrency".
    pub(super) fn without_warming(mut self, provisioned: Option<Provisioned>) -> Alias {
        self.routing.shifted = self.routing.shifted.filter(|_| provisioned.is_none());
        self
    }
}

impl Routing {
    /// Reads AWS's response to `action`.
    ///
    /// # Errors
    /// If the response does not include the version that the alias points to.
    pub(super) fn of(
        version: Option<&str>,
        routing: Option<&AliasRoutingConfiguration>,
        description: Option<&str>,
        action: impl FnOnce() -> String,
    ) -> Result<Routing, CloudError> {
        let version = version.map(str::to_owned).ok_or_else(|| {
            CloudError::new(action(), Reason::Refused, "AWS did not return the version that an alias points to")
        })?;
        let memory = description.map(Memory::read).unwrap_or_default();
        Ok(Routing { version, shifted: shifted(routing), memory })
    }

    /// Routes all traffic to `number`, as of `now`. `asked` means that the URL is verified afterwards.
    pub(super) fn whole(&self, number: &str, asked: bool, now: Arrival) -> Routing {
        let memory = self.memory.moved(Some(&self.version), number, asked);
        Routing { version: number.to_owned(), shifted: None, memory }.arrived(Some(&self.version), now)
    }

    /// Routes all traffic to the first version that becomes live. Those that `failed` did not.
    pub(super) fn first(number: &str, asked: bool, failed: Numbers, now: Arrival) -> Routing {
        let memory = Memory::with_failed(failed).moved(None, number, asked);
        Routing { version: number.to_owned(), shifted: None, memory }.arrived(None, now)
    }

    /// Remembers that the version is live as of `now`, unless it was before.
    pub(super) fn arrived(self, from: Option<&str>, now: Arrival) -> Routing {
        match from == Some(&*self.version) {
            true => self,
            false => Routing { memory: self.memory.since(&self.version, now), ..self },
        }
    }

    /// The same without the steps of a shift, if there is none.
    pub(super) fn without_old_steps(mut self) -> Routing {
        self.memory.steps = self.memory.steps.filter(|_| self.shifted.is_some());
        self
    }

    /// The version that traffic was last moved to.
    pub(super) fn newest(&self) -> &str {
        self.shifted.as_ref().map_or(&self.version, |(version, _)| version)
    }

    pub(super) fn same_traffic(&self, other: &Routing) -> bool {
        (&self.version, &self.shifted) == (&other.version, &other.shifted)
    }

    /// The last good release: this one, unless the run that made it live ended before its URL passed.
    pub(super) fn settled(&self) -> Option<Routing> {
        if !self.memory.is_interrupted(self.newest()) {
            return Some(self.clone());
        }
        match &self.shifted {
            Some(_) => Routing { shifted: None, ..self.clone() }.settled(),
            None => {
                let (version, memory) = self.memory.back()?;
                Some(Routing { version, shifted: None, memory })
            }
        }
    }

    pub(super) fn outputs(&self) -> Outputs {
        Outputs {
            version: Some(self.version.clone()),
            previous: self.memory.previous.clone(),
            arrival: self.memory.arrival(&self.version),
            shifted: self.shifted.as_ref().map(|(version, _)| version.clone()),
            steps: self.memory.steps.clone(),
            remembered: self.memory.live(self.newest()),
            ..Outputs::default()
        }
    }
}

/// AWS allows one version in addition to the first.
fn shifted(routing: Option<&AliasRoutingConfiguration>) -> Option<(String, Weight)> {
    let weights = routing?.additional_version_weights()?;
    weights.iter().find_map(|(version, weight)| Some((version.clone(), Weight::of_fraction(*weight)?)))
}
