//! A place on AWS as a cloud: observed in one round of reads, changed one noun at a time.

use super::alias::Pointing;
use super::place::{Place, Seen};
use super::version::{Condition, Version};
use super::wait::{self, Look, Wait, is_busy};
use super::{alias, function, log_group, permission, provisioned, release, role, url};
use crate::apply::{Cloud, CloudError, Delivery, Observed, Observer, Outputs, Reason};
use crate::plan::Change;
use crate::stack::{FunctionUrl, Live, Names, Owner, Permission, Shift, Stack};
use std::collections::BTreeSet;

/// How often an observation is made again when a deploy went by while it was made.
const LOOKS: usize = 3;

impl Place<'_> {
    /// One round of reads, all at once. `None` where `live` moved while it was made.
    async fn look(&self) -> Result<Option<Observed>, CloudError> {
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
        *self.seen.borrow_mut() = Seen { latest: seen_latest, alias, attempt: None, before, provisioned };
        let live = seen_live.map(|version| Live { release: version.release, shift });
        let url = url.map(|(url, _)| url);
        let stack = Stack { names: self.names.clone(), log_group, role, function, live, url, provisioned, permissions };
        Ok(Some(Observed { stack, outputs }))
    }

    /// Our statements on `live`, in one call.
    pub async fn permissions(&self) -> Result<BTreeSet<Permission>, CloudError> {
        permission::observe(self).await
    }

    /// The URL and its address, in one call.
    pub async fn url(&self) -> Result<Option<(FunctionUrl, String)>, CloudError> {
        url::observe(self).await
    }
}

impl Cloud for Place<'_> {
    fn names(&self) -> &Names {
        &self.names
    }

    async fn observe(&self) -> Result<Observed, CloudError> {
        for _ in 0..LOOKS {
            if let Some(observed) = self.look().await? {
                return Ok(observed);
            }
        }
        let action = format!("observe function `{}`", self.names.function_name());
        Err(CloudError::new(action, Reason::Conflict, "somebody else is deploying it right now"))
    }

    async fn carry_out(
        &self,
        change: &Change,
        delivery: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError> {
        let wait = Wait { function: &self.names.function, for_what: "another update to end", limit: wait::BUSY };
        wait.until(observer, async || match self.carry_out_once(change, delivery, observer).await {
            Err(error) if is_busy(&error) => Ok(Look::NotYet(error)),
            other => other.map(Look::Done),
        })
        .await
    }
}

impl Place<'_> {
    async fn carry_out_once(
        &self,
        change: &Change,
        delivery: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError> {
        match change {
            Change::LogGroup(diff) => log_group::carry_out(self, diff).await?,
            Change::Role(diff) => role::carry_out(self, diff).await?,
            Change::Function(diff) => function::carry_out(self, diff, delivery, observer).await?,
            Change::Release(diff) => return release::carry_out(self, diff, delivery, observer).await,
            Change::Url(diff) => return url::carry_out(self, diff).await,
            Change::Provisioned(diff) => provisioned::carry_out(self, diff, observer).await?,
            Change::Permission(diff) => permission::carry_out(self, diff).await?,
        }
        Ok(Outputs::default())
    }
}
