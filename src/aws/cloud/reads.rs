//! One round of reads of a place, without any conclusion.

use super::permission::{self, Policy};
use super::url::{self, Urls};
use super::{log_group, provisioned, role};
use crate::apply::CloudError;
use crate::aws::alias;
use crate::aws::place::Place;
use crate::aws::round::Round;
use crate::aws::routing::Alias;
use crate::stack::{LogGroup, Names, Provisioned, Role};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

/// What was found of a place.
pub(super) struct Reads {
    pub latest: Option<GetFunctionOutput>,
    pub parts: Parts,
    pub role: Option<Role>,
    pub log_group: Option<LogGroup>,
}

/// What belongs to a function that exists.
pub(super) struct Parts {
    pub live: Option<GetFunctionOutput>,
    pub alias: Option<Alias>,
    pub urls: Urls,
    pub provisioned: Option<Provisioned>,
    pub policy: Policy,
}

/// What was read of places before AWS confirmed their account. It is found by a place's names, which include the account,
/// so that nothing of it is used for another one.
#[derive(Default)]
pub struct Ahead(pub(super) BTreeMap<Names, Result<Reads, CloudError>>);

impl Ahead {
    /// Reads places. A failure is kept, too.
    pub async fn read(places: &[Place<'_>]) -> Ahead {
        let round = &Round::of(places);
        let read = places.iter().map(async |place| (place.names.clone(), place.read(round).await));
        Ahead(join_all(read).await.into_iter().collect())
    }
}

impl Place<'_> {
    /// Many calls at once are large, so they are kept on the heap.
    pub(super) async fn read(&self, round: &Round) -> Result<Reads, CloudError> {
        let ((latest, parts), role, log_group) = tokio::try_join!(
            Box::pin(self.look_at_function(round)),
            Box::pin(role::observe(self, round)),
            Box::pin(log_group::observe(self, round))
        )?;
        Ok(Reads { latest, parts, role, log_group })
    }

    /// `$LATEST`, and what belongs to the function.
    async fn look_at_function(&self, round: &Round) -> Result<(Option<GetFunctionOutput>, Parts), CloudError> {
        let urls = OnceCell::new();
        let look_at_urls = async || urls.get_or_try_init(|| url::observe(self)).await.cloned();
        let parts = async {
            let (live, alias, urls, provisioned, policy) = tokio::try_join!(
                self.get_function(Some(Names::ALIAS)),
                alias::observe(self),
                look_at_urls(),
                provisioned::observe(self),
                permission::observe(self),
            )?;
            Ok(Parts { live, alias, urls, provisioned, policy })
        };
        if let Some((latest, parts)) = round.with_parts(self.get_function(None), parts).await? {
            return Ok((Some(latest), parts));
        }
        let ask = || async { look_at_urls().await.map(|urls| !matches!(urls, Urls::Unsupported)) };
        let urls = if round.has_urls(ask).await? { Urls::Missing } else { Urls::Unsupported };
        let (live, alias, provisioned, policy) = Default::default();
        Ok((None, Parts { live, alias, urls, provisioned, policy }))
    }
}
