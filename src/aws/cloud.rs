//! A place on AWS as a cloud: observed in one round of reads, changed one noun at a time.

use super::current::Current;
use super::place::Place;
use super::pointing::Pointing;
use super::version::{Condition, Version};
use super::wait::{self, Look, Wait, is_busy};
use super::{alias, function, log_group, permission, provisioned, release, role, url};
use crate::apply::{self, Cloud, CloudError, Delivery, Observed, Observer, Outputs, Reason, Source};
use crate::plan::Change;
use crate::stack::{Live, Names, Owner, Permission, Release, Shift, Stack};
use std::collections::BTreeSet;

/// How often an observation is made again when a deploy went by while it was made.
const LOOKS: usize = 3;

impl Place<'_> {
    /// One round of reads, all at once. `None` where `live` moved while it was made.
    async fn look(&self) -> Result<Option<Current<'_>>, CloudError> {
        let (latest, live, alias, url, provisioned, permissions, role, log_group) = tokio::try_join!(
            self.get_function(None),
            self.get_function(Some(Names::ALIAS)),
            alias::observe(self),
            url::observe(self),
            provisioned::observe(self),
            permission::observe(self),
            role::observe(self),
            log_group::observe(self),
        )?;
        let version = |output: &Option<aws_sdk_lambda::operation::get_function::GetFunctionOutput>| {
            output.as_ref().and_then(|found| found.configuration()).map(|found| Version::of(found, &self.names))
        };
        let (seen_latest, seen_live) = (version(&latest), version(&live));
        if seen_live.as_ref().map(|version| &version.number) != alias.as_ref().map(|alias| &alias.pointing.version) {
            return Ok(None);
        }
        let alias = alias.map(|alias| alias.without_warming(provisioned));
        let shift = match alias.as_ref().and_then(|alias| alias.pointing.shifted.clone()) {
            Some((number, weight)) => {
                let found = version(&self.get_function(Some(&number)).await?);
                found.map(|version| Box::new(Shift { release: version.release, weight }))
            }
            None => None,
        };
        let function = latest.as_ref().map(|found| function::observe(self, found)).transpose()?;
        // What could not be made is as good as not there: creating it begins with removing it.
        let never_made = seen_latest.as_ref().is_some_and(|latest| matches!(latest.condition, Condition::NeverMade(_)));
        let function = function.filter(|function| !never_made || function.tags.owner(&self.names) == Owner::Stranger);
        let before = alias.as_ref().map(|alias| alias.pointing.clone());
        let outputs = before.as_ref().map(Pointing::outputs).unwrap_or_default();
        let outputs = Outputs { url: url.as_ref().map(|(_, address)| address.clone()), ..outputs };
        let live = seen_live.map(|version| Live { release: version.release, shift });
        let url = url.map(|(url, _)| url);
        let stack = Stack { names: self.names.clone(), log_group, role, function, live, url, provisioned, permissions };
        let observed = Observed { stack, outputs };
        Ok(Some(Current { place: self, observed, latest: seen_latest, alias, attempt: None, before, provisioned }))
    }

    /// Our statements on `live`, in one call.
    pub async fn permissions(&self) -> Result<BTreeSet<Permission>, CloudError> {
        permission::observe(self).await
    }
}

impl Cloud for Place<'_> {
    type Current<'a>
        = Current<'a>
    where
        Self: 'a;

    fn names(&self) -> &Names {
        &self.names
    }

    async fn observe(&self) -> Result<Current<'_>, CloudError> {
        for _ in 0..LOOKS {
            if let Some(current) = self.look().await? {
                return Ok(current);
            }
        }
        let action = format!("observe function `{}`", self.names.function_name());
        Err(CloudError::new(action, Reason::Conflict, "another process keeps changing it"))
    }
}

impl apply::Current for Current<'_> {
    fn stack(&self) -> &Stack {
        &self.observed.stack
    }

    async fn publish(
        &mut self,
        release: &Release,
        source: &Source,
        observer: &Observer<'_>,
    ) -> Result<String, CloudError> {
        once_free(self.place, observer, async || release::publish(self, release, source, observer).await).await
    }

    async fn carry_out(
        &mut self,
        change: &Change,
        delivery: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError> {
        let place = self.place;
        once_free(place, observer, async || {
            match change {
                Change::LogGroup(diff) => log_group::carry_out(place, diff).await?,
                Change::Role(diff) => role::carry_out(place, diff).await?,
                Change::Function(diff) => function::carry_out(self, diff, delivery, observer).await?,
                Change::Release(diff) => return release::carry_out(self, diff, delivery, observer).await,
                Change::Url(diff) => return url::carry_out(place, diff).await,
                Change::Provisioned(diff) => provisioned::carry_out(place, diff, observer).await?,
                Change::Permission(diff) => permission::carry_out(place, diff).await?,
            }
            Ok(Outputs::default())
        })
        .await
    }
}

/// Does `work`, and again while the function is in the middle of an update.
async fn once_free<T>(
    place: &Place<'_>,
    observer: &Observer<'_>,
    mut work: impl AsyncFnMut() -> Result<T, CloudError>,
) -> Result<T, CloudError> {
    let wait = Wait { function: &place.names.function, for_what: "another update to end", limit: wait::BUSY };
    wait.until(observer, async || match work().await {
        Err(error) if is_busy(&error) => Ok(Look::NotYet(error)),
        other => other.map(Look::Done),
    })
    .await
}
