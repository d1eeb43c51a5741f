//! The versions that were published and are still there.

use super::alias::{self, Pointing};
use super::error::Doing;
use super::place::Place;
use super::version::Version;
use crate::apply::CloudError;
use crate::stack::{Published, Release, Share};
use std::collections::BTreeSet;

impl Place<'_> {
    /// All published versions, the newest first.
    ///
    /// # Errors
    /// Those of the calls. A function that does not exist has none.
    pub async fn published(&self) -> Result<Vec<Published>, CloudError> {
        let (versions, live) = tokio::try_join!(self.versions(), alias::observe(self))?;
        let live = live.map(|alias| alias.pointing);
        let previous = live.as_ref().and_then(Pointing::previous);
        let share = |number: &str| match &live {
            Some(Pointing { version, shifted: None, .. }) if version == number => Share::Whole,
            Some(Pointing { version, shifted: Some((_, weight)), .. }) if version == number => Share::Rest(*weight),
            Some(Pointing { shifted: Some((version, weight)), .. }) if version == number => Share::Part(*weight),
            _ => Share::None,
        };
        let published = versions.into_iter().map(|(at, version)| Published {
            at,
            is_previous: previous.as_ref() == Some(&version.number),
            share: share(&version.number),
            origin: version.description,
            release: version.release,
            version: version.number,
        });
        Ok(published.collect())
    }

    /// The release that was published under this number, if it is still there.
    pub async fn release(&self, number: &str) -> Result<Option<Release>, CloudError> {
        let found = self.get_function(Some(number)).await?;
        let found = found.as_ref().and_then(|found| found.configuration());
        Ok(found.map(|configuration| Version::of(configuration, &self.names).release))
    }

    /// Deletes the versions beyond the newest `keep`, but none that an alias uses or that `live` remembers. Gives the
    /// numbers of those deleted.
    ///
    /// # Errors
    /// Those of the calls; what was deleted before stays deleted.
    pub async fn prune(&self, keep: usize) -> Result<Vec<String>, CloudError> {
        let name = self.names.function_name();
        let (versions, used) = tokio::try_join!(self.versions(), self.used())?;
        let numbers: Vec<&str> = versions.iter().map(|(_, version)| version.number.as_str()).collect();
        let mut pruned = Vec::new();
        for number in surplus(&numbers, &used, keep) {
            let call = self.account.lambda.delete_function().function_name(&name).qualifier(number);
            call.send().await.if_found(|| format!("delete version {number} of function `{name}`"))?;
            pruned.push(number.to_owned());
        }
        Ok(pruned)
    }

    /// Every numbered version with the time of its publication, the newest first.
    async fn versions(&self) -> Result<Vec<(String, Version)>, CloudError> {
        let name = self.names.function_name();
        let call = self.account.lambda.list_versions_by_function().function_name(&name);
        let mut pages = call.into_paginator().items().send();
        let mut versions = Vec::new();
        while let Some(found) = pages.next().await {
            let Some(found) = found.if_found(|| format!("list the versions of function `{name}`"))? else { break };
            let at = found.last_modified().unwrap_or_default().to_owned();
            versions.push((at, Version::of(&found, &self.names)));
        }
        versions.retain(|(_, version)| number(&version.number).is_some());
        versions.sort_by_key(|(_, version)| std::cmp::Reverse(number(&version.number)));
        Ok(versions)
    }

    /// The versions that some alias sends traffic to, and the one that `live` remembers.
    async fn used(&self) -> Result<BTreeSet<String>, CloudError> {
        let name = self.names.function_name();
        let mut pages = self.account.lambda.list_aliases().function_name(&name).into_paginator().items().send();
        let mut used = BTreeSet::new();
        while let Some(found) = pages.next().await {
            let Some(found) = found.if_found(|| format!("list the aliases of function `{name}`"))? else { break };
            let pointing = Pointing {
                shifted: alias::shifted(found.routing_config.as_ref()),
                version: found.function_version.unwrap_or_default(),
                description: found.description.unwrap_or_default(),
            };
            used.extend(pointing.previous());
            used.extend(pointing.shifted.map(|(version, _)| version));
            used.insert(pointing.version);
        }
        Ok(used)
    }
}

fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

/// Those of `newest_first` that are beyond the first `keep` and in nobody's use.
fn surplus<'a>(newest_first: &[&'a str], used: &BTreeSet<String>, keep: usize) -> Vec<&'a str> {
    newest_first.iter().skip(keep).copied().filter(|number| !used.contains(*number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_so_do_the_newest() {
        let used = ["1".to_owned(), "6".to_owned()].into();
        assert_eq!(surplus(&["6", "5", "4", "3", "2", "1"], &used, 3), ["3", "2"]);
        assert_eq!(surplus(&["6", "5"], &used, 3), [""; 0]);
    }
}
