//! The versions that were published and are still there.

use super::alias;
use super::error::Doing;
use super::place::Place;
use super::pointing::Pointing;
use super::version::Version;
use crate::apply::CloudError;
use crate::stack::{Names, Published, Release, Share};
use std::collections::BTreeSet;

impl Place<'_> {
    /// All published versions, the newest first.
    ///
    /// # Errors
    /// Those of the calls. A function that does not exist has none.
    pub async fn published(&self) -> Result<Vec<Published>, CloudError> {
        let (versions, live) = tokio::try_join!(self.versions(), alias::observe(self))?;
        let live = live.map(|alias| alias.pointing);
        let memory = live.as_ref().map(|live| live.memory.clone()).unwrap_or_default();
        let share = |number: &str| match &live {
            Some(Pointing { version, shifted: None, .. }) if version == number => Share::Whole,
            Some(Pointing { version, shifted: Some((_, weight)), .. }) if version == number => Share::Rest(*weight),
            Some(Pointing { shifted: Some((version, weight)), .. }) if version == number => Share::Part(*weight),
            _ => Share::None,
        };
        let published = versions.into_iter().map(|(at, version)| Published {
            at,
            is_previous: memory.previous.as_ref() == Some(&version.number),
            share: share(&version.number),
            verdict: match share(&version.number) {
                Share::None => memory.verdict(&version.number),
                _ => memory.live(&version.number).verdict,
            },
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

    /// Deletes old versions: those below the live one that are not among the newest `keep` releases, that no alias
    /// uses and that `live` does not remember as the one before. A version that did not pass does not count as a release, so it
    /// takes no other's place. Gives the numbers of those deleted.
    ///
    /// # Errors
    /// Those of the calls; what was deleted before stays deleted.
    pub async fn prune(&self, keep: usize) -> Result<Vec<String>, CloudError> {
        let name = self.names.function_name();
        let (versions, (used, live)) = tokio::try_join!(self.versions(), self.used())?;
        let Some(live) = live else { return Ok(Vec::new()) };
        let numbers: Vec<u64> = versions.iter().filter_map(|(_, version)| number(&version.number)).collect();
        let mut pruned = Vec::new();
        let is_good = |number| live.memory.is_good(number).unwrap_or(true);
        for number in surplus(&numbers, &used, number(live.newest()).unwrap_or_default(), keep, is_good) {
            let call = self.account.lambda.delete_function().function_name(&name).qualifier(number.to_string());
            call.send().await.if_found(|| format!("delete version {number} of function `{name}`"))?;
            pruned.push(number.to_string());
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

    /// The versions that some alias sends traffic to, and the one that `live` remembers; and where that points.
    async fn used(&self) -> Result<(BTreeSet<u64>, Option<Pointing>), CloudError> {
        let name = self.names.function_name();
        let mut pages = self.account.lambda.list_aliases().function_name(&name).into_paginator().items().send();
        let (mut used, mut live) = (BTreeSet::new(), None);
        while let Some(found) = pages.next().await {
            let Some(found) = found.if_found(|| format!("list the aliases of function `{name}`"))? else { break };
            let pointing = Pointing::of(found.function_version(), found.routing_config(), found.description());
            let numbers = [Some(&pointing.version), pointing.shifted.as_ref().map(|(version, _)| version)];
            used.extend(numbers.into_iter().flatten().filter_map(|version| number(version)));
            used.extend(pointing.memory.previous.as_deref().and_then(number));
            if found.name() == Some(Names::ALIAS) {
                live = Some(pointing);
            }
        }
        Ok((used, live))
    }
}

fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

/// Those of `newest_first` that are not in use, that are older than the `live` one, and that are not among the first `keep`
/// good ones. A version that is newer may be another deploy's, on its way to become live.
fn surplus(
    newest_first: &[u64],
    used: &BTreeSet<u64>,
    live: u64,
    keep: usize,
    is_good: impl Fn(u64) -> bool,
) -> Vec<u64> {
    let counts = |number: &u64| is_good(*number) || used.contains(number);
    let kept: BTreeSet<u64> = newest_first.iter().copied().filter(counts).take(keep).collect();
    let older = newest_first.iter().copied().filter(|number| *number < live);
    older.filter(|number| !used.contains(number) && !kept.contains(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_so_do_the_newest() {
        let used = [1, 6].into();
        assert_eq!(surplus(&[6, 5, 4, 3, 2, 1], &used, 6, 3, |_| true), [3, 2]);
        assert_eq!(surplus(&[6, 5], &used, 6, 3, |_| true), [0; 0]);
    }

    #[test]
    fn what_failed_takes_no_place_and_what_is_newer_stays() {
        let used = [5, 12].into();
        let is_good = |number| number < 6 || number == 12;
        let versions = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
        assert_eq!(surplus(&versions, &used, 12, 5, is_good), [11, 10, 9, 8, 7, 6, 1]);
    }
}
