//! What a command reads while AWS confirms which account it is.

use super::project::Project;
use crate::apply::{Cloud as _, CloudError};
use crate::aws::{Account, Ahead, Place};
use crate::stack::Names;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// With more functions than this, nothing is read ahead: the calls take their time anyway, because AWS limits their rate.
const FEW: usize = 2;

/// Log groups, with the names on AWS of the functions that write to them.
pub(super) type Writers = BTreeMap<String, BTreeSet<String>>;

pub(super) type Found<T> = Result<T, CloudError>;

/// What was read of the account that the credentials name, with the failures. Nothing of it is used if the account is
/// another one.
#[derive(Default)]
pub(super) struct Foresight {
    pub deployed: Ahead,
    /// The orphans of the app and the stage.
    pub orphans: Option<Found<BTreeSet<String>>>,
    /// See [`Account::shared_log_groups`].
    pub shared_log_groups: Option<Found<Writers>>,
    /// See [`Place::earlier_log_groups`].
    pub earlier_log_groups: BTreeMap<Names, Found<BTreeSet<String>>>,
}

/// The purpose of a command.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// To deploy the chosen functions, which may be `all` of the manifest.
    Deploy {
        all: bool,
    },
    Destroy,
}

impl Foresight {
    /// Reads what is deployed of the chosen functions, and what else the command needs. A manifest that is for another
    /// account must not cause any call but the one that finds that out.
    pub(super) async fn of(account: &Account, project: &Project, purpose: Purpose) -> Foresight {
        let is_meant = |named: &&String| project.manifest.account.as_ref().is_none_or(|meant| meant == *named);
        let Some(named) = account.named.as_ref().filter(is_meant) else { return Foresight::default() };
        let names: Vec<Names> =
            project.functions.iter().map(|function| project.manifest.names(function, &account.region, named)).collect();
        if names.len() > FEW {
            return Foresight::default();
        }
        match purpose {
            Purpose::Deploy { all } => Foresight::of_deploy(account, project, names, all).await,
            Purpose::Destroy => Foresight::of_destroy(account, project, names).await,
        }
    }

    async fn of_deploy(account: &Account, project: &Project, names: Vec<Names>, all: bool) -> Foresight {
        let any = names.first().cloned().filter(|_| all);
        let places: Vec<Place<'_>> = names.into_iter().map(|names| Place::new(account, names)).collect();
        let orphans = async { Some(account.orphans_by_role(&any?, &project.manifest.function_names()).await) };
        let (deployed, orphans) = tokio::join!(Box::pin(Ahead::read(&places)), orphans);
        Foresight { deployed, orphans, ..Foresight::default() }
    }

    async fn of_destroy(account: &Account, project: &Project, names: Vec<Names>) -> Foresight {
        let any = names.first().cloned();
        let places: Vec<Place<'_>> = names.into_iter().map(|names| Place::to_delete(account, names)).collect();
        let orphans = async { Some(account.orphans(&any?, &function_names(project)).await) };
        let earlier = async {
            let read = places.iter().map(async |place| (place.names().clone(), place.earlier_log_groups().await));
            join_all(read).await.into_iter().collect::<BTreeMap<_, _>>()
        };
        let (deployed, orphans, shared, earlier_log_groups) =
            tokio::join!(Box::pin(Ahead::read(&places)), orphans, account.shared_log_groups(), earlier);
        Foresight { deployed, orphans, shared_log_groups: Some(shared), earlier_log_groups }
    }
}

/// What was read ahead, or else what `read` finds.
pub(super) async fn known_or<T>(known: Option<T>, read: impl Future<Output = T>) -> T {
    match known {
        Some(known) => known,
        None => read.await,
    }
}

/// The names of the project's functions.
pub(super) fn function_names(project: &Project) -> Vec<String> {
    project.functions.iter().map(|function| function.name.clone()).collect()
}
