//! Tags of AWS resources.

use std::collections::BTreeMap;

/// Maps names to values. AWS's own tags (`aws:…`) are left out when a resource is observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    pub fn extend_with<'a>(&mut self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) {
        tags.into_iter().for_each(|(name, value)| self.insert(name, value));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tags of `self` that `other` lacks or has with another value.
    pub fn missing_in(&self, other: &Tags) -> Tags {
        self.iter().filter(|(name, value)| other.get(name) != Some(value)).collect()
    }

    /// The names of the tags that `other` lacks.
    pub fn gone_in(&self, other: &Tags) -> Vec<String> {
        self.0.keys().filter(|name| other.get(name).is_none()).cloned().collect()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Tags {
        let named = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Tags(named.filter(|(name, _): &(String, String)| !name.starts_with("aws:")).collect())
    }
}
