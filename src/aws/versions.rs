//! The published versions that still exist.

use super::alias;
use super::error::Doing;
use super::failed;
use super::memory::Memory;
use super::place::Place;
use super::routing::Routing;
use super::version::Version;
use crate::apply::CloudError;
use crate::stack::{Names, Published, Release, Share};
use std::collections::BTreeSet;

impl Place<'_> {
    /// All published versions, newest first.
    ///
    /// # Errors
    /// If a call fails. A function that does not exist has no versions.
    pub async fn published(&self) -> Result<Vec<Published>, CloudError> {
        let (versions, live, function) =
            tokio::try_join!(self.versions(), alias::observe(self), self.get_function(None))?;
        let live = live.map(|alias| alias.routing);
        let tags = function.as_ref().and_then(|found| found.tags());
        let memory = match &live {
            Some(live) => live.memory.clone(),
            None => Memory::with_failed(failed::read(function.as_ref())),
        };
        let share = |number: &str| match &live {
            Some(Routing { version, shifted: None, .. }) if version == number => Share::Whole,
            Some(Routing { version, shifted: Some((_, weight)), .. }) if version == number => Share::Rest(*weight),
            Some(Routing { shifted: Some((version, weight)), .. }) if version == number => Share::Part(*weight),
            _ => Share::None,
        };
        let published = versions.into_iter().map(|Listed { number, at, version }| {
            let number = number.to_string();
            Published {
                at,
                is_previous: memory.previous.as_ref() == Some(&number),
                share: share(&number),
                verdict: match share(&number) {
                    Share::None => memory.verdict(&number),
                    _ => memory.live(&number).verdict,
                },
                arrival: live
                    .as_ref()
                    .filter(|live| live.version == number)
                    .and_then(|live| live.memory.arrival(&number)),
                origin: version.origin(tags),
                release: version.release,
                version: number,
            }
        });
        Ok(published.collect())
    }

    /// The log groups that published versions write to and that the function's deletion leaves behind: those of other names
    /// than its own and than the present one, as far as they exist and lamstream created them for the app.
    ///
    /// # Errors
    /// If a call fails.
    pub async fn earlier_log_groups(&self) -> Result<BTreeSet<String>, CloudError> {
        let own = [self.names.log_group(), Names { log_group: None, ..self.names.clone() }.log_group()];
        let groups = self.versions().await?.into_iter().map(|listed| listed.version.release.configuration.log_group);
        let mut left = BTreeSet::new();
        for group in groups.filter(|group| !own.contains(group)).collect::<BTreeSet<String>>() {
            let place = self.renamed(Names { log_group: Some(group.clone()), ..self.names.clone() });
            if place.has_log_group().await? {
                left.insert(group);
            }
        }
        Ok(left)
    }

    /// The release that was published under this number, if it still exists.
    pub async fn release(&self, number: &str) -> Result<Option<Release>, CloudError> {
        let found = self.get_function(Some(number)).await?;
        let found = found.as_ref().and_then(|found| found.configuration());
        Ok(found.map(|configuration| Version::of(configuration, &self.names).release))
    }

    /// Reads what decides which versions are old.
    ///
    /// # Errors
    /// If a call fails.
    pub async fn old_versions(&self) -> Result<OldVersions, CloudError> {
        let (versions, (used, live)) = tokio::try_join!(self.versions(), self.used())?;
        Ok(OldVersions { versions: versions.iter().map(|listed| listed.number).collect(), used, live })
    }

    /// Deletes old versions: those that are older than the live one, are not among the newest `keep` releases, are not
    /// used by any alias, and are not the previous version that `live` remembers. A version that did not pass does not
    /// count as a release, so it does not take the place of another. Returns the numbers of the deleted versions.
    ///
    /// # Errors
    /// If a call fails. Versions that were already deleted stay deleted.
    pub async fn prune(&self, keep: usize, found: &OldVersions) -> Result<Vec<String>, CloudError> {
        let Some(live) = &found.live else { return Ok(Vec::new()) };
        let mut pruned = Vec::new();
        let is_good = |number| live.memory.is_good(number).unwrap_or(true);
        let Some(newest) = number(live.newest()) else { return Ok(Vec::new()) };
        for number in surplus(&found.versions, &found.used, newest, keep, is_good) {
            self.delete_version(&number.to_string()).await?;
            pruned.push(number.to_string());
        }
        Ok(pruned)
    }

    /// Deletes the version of this number, if it exists.
    pub(super) async fn delete_version(&self, number: &str) -> Result<(), CloudError> {
        let name = self.names.function_name();
        let call = self.account.lambda.delete_function().function_name(&name).qualifier(number);
        call.send().await.if_found(|| format!("delete version {number} of function `{name}`")).map(|_| ())
    }

    /// All numbered versions, newest first.
    async fn versions(&self) -> Result<Vec<Listed>, CloudError> {
        let name = self.names.function_name();
        let call = self.account.lambda.list_versions_by_function().function_name(&name);
        let mut pages = call.into_paginator().items().send();
        let mut versions = Vec::new();
        while let Some(found) = pages.next().await {
            let Some(found) = found.if_found(|| format!("list the versions of function `{name}`"))? else { break };
            let Some(number) = found.version().and_then(number) else { continue };
            let at = found.last_modified().map(str::to_owned);
            versions.push(Listed { number, at, version: Version::of(&found, &self.names) });
        }
        versions.sort_by_key(|listed| std::cmp::Reverse(listed.number));
        Ok(versions)
    }

    /// The versions that any alias routes traffic to or remembers as the previous one, and the target of `live`.
    async fn used(&self) -> Result<(BTreeSet<u64>, Option<Routing>), CloudError> {
        let name = self.names.function_name();
        let mut pages = self.account.lambda.list_aliases().function_name(&name).into_paginator().items().send();
        let (mut used, mut live) = (BTreeSet::new(), None);
        while let Some(found) = pages.next().await {
            let action = || format!("list the aliases of function `{name}`");
            let Some(found) = found.if_found(action)? else { break };
            let routing = Routing::of(found.function_version(), found.routing_config(), found.description(), action)?;
            let numbers = [Some(&routing.version), routing.shifted.as_ref().map(|(version, _)| version)];
            used.extend(numbers.into_iter().flatten().filter_map(|version| number(version)));
            used.extend(routing.memory.previous.as_deref().and_then(number));
            if found.name() == Some(Names::ALIAS) {
                live = Some(routing);
            }
        }
        Ok((used, live))
    }
}

/// The published versions, as far as they decide which of them are old.
pub struct OldVersions {
    /// All of them, the newest first.
    versions: Vec<u64>,
    /// Those that an alias uses.
    used: BTreeSet<u64>,
    live: Option<Routing>,
}

/// A published version.
struct Listed {
    number: u64,
    /// When it was published.
    at: Option<String>,
    version: Version,
}

fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

/// The versions of `newest_first` that are not in use, are older than the `live` one, and are not among the first
/// `keep` good ones. A newer version may belong to another deploy that is about to make it live.
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
