//! What functions that are observed together read only once.

use super::access::Account;
use super::error::Doing;
use super::place::Place;
use crate::apply::CloudError;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use tokio::sync::OnceCell;

/// What the names of functions' own log groups begin with.
const OWN_GROUPS: &str = "/aws/lambda/";

/// With at most so many functions, everything is asked for at once, also what may not exist: AWS's rates allow that many
/// calls in a second, and the second round trip is saved.
const FEW: usize = 2;

/// One round of reads, of one function or of several of one account.
#[derive(Default)]
pub(super) struct Round {
    functions: usize,
    /// The names of all log groups that the round asks for.
    log_groups: BTreeSet<String>,
    /// Those that exist, with their retention in days.
    listed: OnceCell<BTreeMap<String, Option<u32>>>,
    has_urls: OnceCell<bool>,
}

impl Round {
    pub(super) fn of<'r, 'p: 'r>(places: impl IntoIterator<Item = &'r Place<'p>>) -> Round {
        let names: Vec<String> = places.into_iter().map(|place| place.names.log_group()).collect();
        Round { functions: names.len(), log_groups: names.into_iter().collect(), ..Round::default() }
    }

    /// Whether what belongs to a thing is read at the same time as the thing itself, which may not exist.
    fn is_small(&self) -> bool {
        self.functions <= FEW
    }

    /// Reads a thing, and what belongs to it; `None` if the thing does not exist.
    ///
    /// # Errors
    /// Those of reading the thing. If it does not exist, it does not matter whether the rest can be read.
    pub(super) async fn with_parts<T, P>(
        &self,
        thing: impl Future<Output = Result<Option<T>, CloudError>>,
        parts: impl Future<Output = Result<P, CloudError>>,
    ) -> Result<Option<(T, P)>, CloudError> {
        if !self.is_small() {
            let Some(thing) = thing.await? else { return Ok(None) };
            return Ok(Some((thing, parts.await?)));
        }
        let (thing, parts) = tokio::join!(thing, parts);
        thing?.map(|thing| Ok((thing, parts?))).transpose()
    }

    /// The retention of a log group in days, if the group exists.
    pub(super) async fn log_group(&self, account: &Account, name: &str) -> Result<Option<Option<u32>>, CloudError> {
        Ok(self.listed.get_or_try_init(|| self.list(account)).await?.get(name).copied())
    }

    /// AWS allows few calls of this kind, so the functions' own groups are listed together, by what their names begin with.
    /// Groups with names from the manifest have nothing in common, and each is listed alone.
    async fn list(&self, account: &Account) -> Result<BTreeMap<String, Option<u32>>, CloudError> {
        let (own, named): (Vec<&str>, Vec<&str>) =
            self.log_groups.iter().map(String::as_str).partition(|name| name.starts_with(OWN_GROUPS));
        let mut found = BTreeMap::new();
        for names in named.iter().map(std::slice::from_ref).chain((!own.is_empty()).then_some(&own[..])) {
            found.extend(list(account, names).await?);
        }
        Ok(found)
    }

    /// Whether the region has Function URLs; `ask` is called for the first function only.
    pub(super) async fn has_urls<F: Future<Output = Result<bool, CloudError>>>(
        &self,
        ask: impl FnOnce() -> F,
    ) -> Result<bool, CloudError> {
        self.has_urls.get_or_try_init(ask).await.copied()
    }
}

/// Lists groups whose names, in order, have a prefix in common.
pub(super) async fn list(account: &Account, names: &[&str]) -> Result<BTreeMap<String, Option<u32>>, CloudError> {
    let prefix = common_prefix(names);
    let mut pages = account.logs.describe_log_groups().log_group_name_prefix(prefix).into_paginator().send();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.doing(|| format!("read log group `{prefix}`"))?;
        // Groups are listed by name.
        let is_last = page.log_groups().last().and_then(|group| group.log_group_name()) >= names.last().copied();
        for group in page.log_groups.into_iter().flatten() {
            let days = group.retention_in_days.and_then(|days| u32::try_from(days).ok());
            found.extend(group.log_group_name.map(|name| (name, days)));
        }
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// What all names, in order, begin with.
fn common_prefix<'n>(names: &[&'n str]) -> &'n str {
    let (first, last) = (names.first().copied().unwrap_or_default(), names.last().copied().unwrap_or_default());
    // In order, the first and the last name have the least in common.
    let common = first.char_indices().zip(last.chars()).find(|((_, one), other)| one != other);
    match common {
        Some(((at, _), _)) => &first[..at],
        None => &first[..first.len().min(last.len())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_prefix_in_common() {
        assert_eq!(common_prefix(&["/aws/lambda/shop-chat"]), "/aws/lambda/shop-chat");
        assert_eq!(
            common_prefix(&["/aws/lambda/shop-a", "/aws/lambda/shop-chat", "/aws/lambda/shop-b"]),
            "/aws/lambda/shop-"
        );
        assert_eq!(common_prefix(&["/a", "/ab"]), "/a");
        assert_eq!(common_prefix(&["/é", "/è"]), "/");
        assert_eq!(common_prefix(&[]), "");
    }
}
