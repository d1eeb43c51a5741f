//! One round of reads of a place, without any conclusion.

use super::url::{self, Urls};
use crate::apply::{CloudError, Observed};
use crate::aws::alias;
use crate::aws::place::Place;
use crate::aws::round::Round;
use crate::aws::routing::Alias;
use crate::stack::Names;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use futures_util::future::{join_all, try_join_all};
use std::collections::BTreeMap;
use std::pin::Pin;
use tokio::sync::OnceCell;

/// What was found of a place.
pub(super) struct Reads {
    pub latest: Option<GetFunctionOutput>,
    pub parts: Parts,
    /// Of the nouns that do not belong to the function.
    pub found: Vec<Finding>,
}

/// What belongs to a function.
pub(super) struct Parts {
    pub live: Option<GetFunctionOutput>,
    pub alias: Option<Alias>,
    /// Of its nouns.
    pub found: Vec<Finding>,
}

/// What was found of a noun: writes it into the observed state.
pub(super) type Finding = Box<dyn FnOnce(&mut Observed)>;

/// The reading of a noun.
pub(super) type Reading<'r> = Pin<Box<dyn Future<Output = Result<Finding, CloudError>> + 'r>>;

/// Reads a noun with `observe`, whose result `put` writes into the observed state. Many calls at once are large, so they
/// are kept on the heap.
pub(super) fn reading<'r, T: 'static>(
    observe: impl Future<Output = Result<T, CloudError>> + 'r,
    put: fn(T, &mut Observed),
) -> Reading<'r> {
    Box::pin(async move {
        let found = observe.await?;
        Ok(finding(found, put))
    })
}

fn finding<T: 'static>(found: T, put: fn(T, &mut Observed)) -> Finding {
    Box::new(move |observed: &mut Observed| put(found, observed))
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
    pub(super) async fn read(&self, round: &Round) -> Result<Reads, CloudError> {
        let ((latest, parts), found) =
            tokio::try_join!(Box::pin(self.look_at_function(round)), try_join_all(self.read_apart(round)))?;
        Ok(Reads { latest, parts, found })
    }

    /// `$LATEST`, and what belongs to the function.
    async fn look_at_function(&self, round: &Round) -> Result<(Option<GetFunctionOutput>, Parts), CloudError> {
        let urls = OnceCell::new();
        let look_at_urls = async || urls.get_or_try_init(|| url::observe(self)).await.cloned();
        let parts = async {
            let nouns = [reading(look_at_urls(), url::put)].into_iter().chain(self.read_with_function());
            let (live, alias, found) =
                tokio::try_join!(self.get_function(Some(Names::ALIAS)), alias::observe(self), try_join_all(nouns))?;
            Ok(Parts { live, alias, found })
        };
        if let Some((latest, parts)) = round.with_parts(self.get_function(None), parts).await? {
            return Ok((Some(latest), parts));
        }
        let ask = || async { look_at_urls().await.map(|urls| !matches!(urls, Urls::Unsupported)) };
        let urls = if round.has_urls(ask).await? { Urls::Missing } else { Urls::Unsupported };
        Ok((None, Parts { live: None, alias: None, found: vec![finding(urls, url::put)] }))
    }
}
