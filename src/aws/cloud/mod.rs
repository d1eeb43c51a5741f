//! A place on AWS as a cloud. One round of reads observes it, and each change writes one noun. `read_apart`,
//! `read_with_function` and the two `carry_out` list the nouns.

mod function;
mod log_group;
mod permission;
mod provisioned;
mod reads;
mod release;
mod role;
mod url;

use crate::apply::{
    self, Apart, Cloud, CloudError, Delivery, Exists, Observed, Observer, Outputs, Reason, ReleaseSource, SetOutside,
};
use crate::aws::access::Account;
use crate::aws::current::Current;
use crate::aws::failed;
use crate::aws::place::Place;
use crate::aws::round::Round;
use crate::aws::routing::Routing;
use crate::aws::version::{Condition, Version};
use crate::aws::wait::{Resource, Subject};
use crate::plan::Change;
use crate::stack::{Address, Live, Names, Noun as _, Owner, Permission, Release, Shift, Stack};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use futures_util::{StreamExt, TryStreamExt, stream};
use permission::Policy;
use reads::{Parts, Reading, Reads, reading};
use std::collections::BTreeSet;

pub use reads::Ahead;
pub use url::DeployedUrl;
pub(super) use url::all as urls;

/// How many observations are attempted while another process keeps deploying the function.
const LOOKS: usize = 3;
/// How many functions are observed at once: enough to make all calls that AWS's rates allow.
const AT_ONCE: usize = 16;

/// Observes functions of one account, of which some may have been read ahead. `place` is where an item's function is.
/// Returns the items in the same order, each with its function.
///
/// # Errors
/// With the first call that fails.
pub async fn observe_all<'p, T>(
    items: Vec<T>,
    place: impl Fn(&T) -> &Place<'p>,
    mut ahead: Ahead,
) -> Result<Vec<(T, Current<'p>)>, CloudError> {
    let (place, round) = (&place, &Round::of(items.iter().map(&place)));
    let observed = stream::iter(items).map(|item| {
        let first = ahead.0.remove(&place(&item).names);
        async move {
            let current = place(&item).observe_in(round, first).await?;
            Ok((item, current))
        }
    });
    observed.buffered(AT_ONCE).try_collect().await
}

impl<'p> Place<'p> {
    /// `first` is what was read ahead.
    async fn observe_in(
        &self,
        round: &Round,
        mut first: Option<Result<Reads, CloudError>>,
    ) -> Result<Current<'p>, CloudError> {
        for _ in 0..LOOKS {
            let reads = match first.take() {
                Some(reads) => reads?,
                None => self.read(round).await?,
            };
            if let Some(current) = self.conclude(reads).await? {
                return Ok(current);
            }
        }
        let action = format!("observe function `{}`", self.names.function_name());
        Err(CloudError::new(action, Reason::Conflict, "another process keeps changing it"))
    }

    /// Concludes from one round of reads. Returns `None` if `live` moved during the round.
    async fn conclude(&self, reads: Reads) -> Result<Option<Current<'p>>, CloudError> {
        let Reads { latest, parts, found } = reads;
        let Parts { live, alias, found: of_function } = parts;
        let version = |output: &Option<GetFunctionOutput>| {
            output.as_ref().and_then(|found| found.configuration()).map(|found| Version::of(found, &self.names))
        };
        let (seen_latest, seen_live) = (version(&latest), version(&live));
        if seen_live.as_ref().and_then(|version| version.number.as_ref())
            != alias.as_ref().map(|alias| &alias.routing.version)
        {
            return Ok(None);
        }
        let mut observed = Observed::nothing(self.names.clone());
        found.into_iter().chain(of_function).for_each(|put| put(&mut observed));
        let alias = alias.map(|alias| alias.without_warming(observed.stack.provisioned));
        let mut newest = seen_live.clone();
        let shift = match alias.as_ref().and_then(|alias| alias.routing.shifted.clone()) {
            Some((number, weight)) => {
                newest = version(&self.get_function(Some(&number)).await?);
                newest.clone().map(|version| Box::new(Shift { release: version.release, weight }))
            }
            None => None,
        };
        note_settings(&mut observed.outside, seen_latest.as_ref(), newest.as_ref());
        observed.outside.live.extend(has_code_key([&latest, &live]).then_some("key of the code"));
        let failed = failed::read(latest.as_ref());
        let function = latest.as_ref().map(|found| function::observe(self, found)).transpose()?;
        // A function that could not be created counts as missing: creating it again starts with deleting it.
        let never_made = seen_latest.as_ref().is_some_and(|latest| matches!(latest.condition, Condition::NeverMade(_)));
        observed.stack.function =
            function.filter(|function| !never_made || function.tags.owner(&self.names) == Owner::Foreign);
        let before = alias.as_ref().map(|alias| alias.routing.clone());
        observed.outputs = before.as_ref().map(Routing::outputs).unwrap_or_default().updated_by(observed.outputs);
        let tags = latest.as_ref().and_then(|found| found.tags());
        observed.origin = seen_live.as_ref().map(|version| version.origin(tags)).unwrap_or_default();
        observed.published_at =
            live.as_ref().and_then(|found| found.configuration()?.last_modified().map(str::to_owned));
        observed.undecryptable =
            seen_latest.as_ref().and_then(|latest| latest.release.configuration.undecryptable.clone());
        observed.stack.live = seen_live.map(|version| Live { release: version.release, shift });
        Ok(Some(Current {
            place: self.clone(),
            observed,
            latest: seen_latest,
            alias,
            is_alias_stale: false,
            first_version: None,
            attempts: Vec::new(),
            before,
            failed,
            memory: None,
        }))
    }

    /// Reads the nouns that exist whether or not the function does.
    fn read_apart<'r>(&'r self, round: &'r Round) -> Vec<Reading<'r>> {
        vec![
            reading(role::observe(self, round), |role, observed| observed.stack.role = role),
            reading(log_group::observe(self, round), |group, observed| observed.stack.log_group = group),
        ]
    }

    /// Reads the nouns that Lambda keeps with the function, except its URL.
    fn read_with_function(&self) -> Vec<Reading<'_>> {
        vec![
            reading(provisioned::observe(self), |found, observed| observed.stack.provisioned = found),
            reading(self.policy(), |Policy { ours, others }, observed| {
                observed.stack.permissions = ours;
                observed.outside.live.extend((!others.is_empty()).then_some("permissions of `live`"));
            }),
        ]
    }

    /// Our statements on `live`, read in one call.
    pub async fn permissions(&self) -> Result<BTreeSet<Permission>, CloudError> {
        self.policy().await.map(|policy| policy.ours)
    }

    async fn policy(&self) -> Result<Policy, CloudError> {
        permission::observe(self.account, &self.names.function_name()).await
    }
}

/// Whether a key of the user's encrypts the code.
fn has_code_key(found: [&Option<GetFunctionOutput>; 2]) -> bool {
    let mut code = found.into_iter().flatten().filter_map(|found| found.code());
    code.any(|code| code.source_kms_key_arn().is_some())
}

/// Adds what was set outside lamstream: in `$LATEST`, and in the version that the traffic was turned to last.
fn note_settings(outside: &mut SetOutside, latest: Option<&Version>, newest: Option<&Version>) {
    let settings = |version: Option<&Version>| {
        version.iter().flat_map(|version| &version.outside).map(|set| set.as_str()).collect::<Vec<_>>()
    };
    let snap_starts = |version: &Version| version.release.configuration.settings.snap_start;
    outside.live.extend(settings(newest));
    outside.next.extend(settings(latest));
    outside.snap_start = latest.is_some_and(snap_starts) && newest.is_some_and(|newest| !snap_starts(newest));
}

impl Account {
    /// Where people reach a function, of which only the name on AWS is known. There is nothing if it is not deployed.
    ///
    /// # Errors
    /// As for [`Account::url`].
    pub async fn addresses(&self, function_name: &str) -> Result<Vec<Address>, CloudError> {
        let url = self.url(function_name).await?;
        Ok(url.and_then(|(url, assigned)| url.address(&assigned)).into_iter().collect())
    }
}

impl<'p> Cloud for Place<'p> {
    type Current<'a>
        = Current<'p>
    where
        Self: 'a;

    fn names(&self) -> &Names {
        &self.names
    }

    async fn observe(&self) -> Result<Current<'p>, CloudError> {
        self.observe_in(&Round::of([self]), None).await
    }
}

impl<'p> apply::Current for Current<'p> {
    type Apart = Place<'p>;

    fn stack(&self) -> &Stack {
        &self.observed.stack
    }

    async fn publish(
        &mut self,
        release: &Release,
        source: &ReleaseSource,
        observer: &Observer<'_>,
    ) -> Result<String, CloudError> {
        let place = self.place.clone();
        place
            .until_accepted(Subject::Function, observer, async || {
                release::publish(self, release, source, observer).await
            })
            .await
    }

    async fn carry_out(
        &mut self,
        change: &Change,
        delivery: &Delivery<'_>,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError> {
        let place = &self.place.clone();
        match change {
            Change::Function(diff) => {
                let work = async || function::carry_out(self, diff, delivery, observer).await;
                place.until_accepted(Subject::Function, observer, work).await.map(|()| Outputs::default())
            }
            Change::Release(diff) => {
                let work = async || release::carry_out(self, diff, delivery, observer).await;
                place.until_accepted(Subject::Function, observer, work).await
            }
            Change::Provisioned(diff) => {
                let work = async || provisioned::carry_out(place, diff, observer).await;
                place.until_accepted(Subject::Function, observer, work).await.map(|()| Outputs::default())
            }
            Change::Url(diff) => {
                place.until_accepted(Subject::Function, observer, async || url::carry_out(place, diff).await).await
            }
            Change::Permission(diff) => {
                self.is_alias_stale = true;
                let work = async || permission::carry_out(place, diff).await;
                place.until_accepted(Subject::Function, observer, work).await.map(|()| Outputs::default())
            }
            Change::LogGroup(_) | Change::Role(_) => place.carry_out(change, &Exists::unheard(), observer).await,
        }
    }

    fn apart(&self) -> Place<'p> {
        self.place.clone()
    }

    async fn delete_all(&mut self, _: &[Change], _: &Change, observer: &Observer<'_>) -> Result<(), CloudError> {
        let place = &self.place;
        place.until_accepted(Subject::Function, observer, async || function::delete(place).await).await
    }
}

impl apply::Apart for Place<'_> {
    async fn carry_out(
        &self,
        change: &Change,
        exists: &Exists,
        observer: &Observer<'_>,
    ) -> Result<Outputs, CloudError> {
        let carried_out = match change {
            Change::LogGroup(diff) => {
                let work = async || log_group::carry_out(self, diff, observer).await;
                self.until_accepted(Subject::Resource(log_group::RESOURCE), observer, work).await
            }
            Change::Role(diff) => {
                let work = async || role::carry_out(self, diff, exists, observer).await;
                self.until_accepted(Subject::Resource(Resource::ROLE), observer, work).await
            }
            _ => {
                let action = format!("change function `{}`", self.names.function_name());
                Err(CloudError::new(action, Reason::Refused, "it is being changed already"))
            }
        };
        carried_out.map(|()| Outputs::default())
    }
}
