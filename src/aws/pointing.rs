//! Where the alias `live` points, and what it remembers.

use super::memory::Memory;
use crate::apply::Outputs;
use crate::stack::Weight;
use aws_sdk_lambda::types::AliasRoutingConfiguration;

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
    pub fn whole(current: Option<&Pointing>, number: &str, asked: bool) -> Pointing {
        let memory = current.map(|current| current.memory.clone()).unwrap_or_default();
        let from = current.map(|current| current.version.as_str());
        Pointing { version: number.to_owned(), shifted: None, memory: memory.moved(from, number, asked) }
    }

    /// The version that traffic was turned to last.
    pub fn newest(&self) -> &str {
        self.shifted.as_ref().map_or(&self.version, |(version, _)| version)
    }

    pub fn same_traffic(&self, other: &Pointing) -> bool {
        (&self.version, &self.shifted) == (&other.version, &other.shifted)
    }

    /// The last release that served well, seen from here: this one, unless the run that made it live ended before
    /// its URL was seen to pass.
    pub fn settled(&self) -> Option<Pointing> {
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

/// AWS allows for one version beside the first.
fn shifted(routing: Option<&AliasRoutingConfiguration>) -> Option<(String, Weight)> {
    let weights = routing?.additional_version_weights()?;
    weights.iter().find_map(|(version, weight)| Some((version.clone(), Weight::of_fraction(*weight)?)))
}
