//! What a command reads while AWS confirms which account it is.

use super::project::Project;
use crate::apply::{Cloud as _, CloudError};
use crate::aws::{Account, Ahead, Place};
use crate::stack::Names;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// With more functions than this, nothing is read ahead: the calls take their time anyway, because AWS limits their rate.
const FEW: usize = 2;

/// Log groups, with the names on AWS of the functions that write to them.
pub(super) type Writers = BTreeMap<String, BTreeSet<String>>;

type Found<T> = Result<T, CloudError>;

/// What was read of the account that the credentials name, with the failures. Nothing of it is used if the account is
/// another one.
#[derive(Default)]
pub(super) struct Foresight {
    pub deployed: Ahead,
    rest: Mutex<Rest>,
}

#[derive(Default)]
struct Rest {
    /// The orphans of an app and a stage, which the names of any of its functions show.
    orphans: Option<(Names, Found<BTreeSet<String>>)>,
    shared_log_groups: Option<Found<Writers>>,
    earlier_log_groups: BTreeMap<Names, Found<BTreeSet<String>>>,
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
        let orphans = async {
            let (any, known) = (any?, project.manifest.function_names());
            let found = account.orphans_by_role(&any, &known).await;
            Some((any, found))
        };
        let (deployed, orphans) = tokio::join!(Box::pin(Ahead::read(&places)), orphans);
        Foresight { deployed, rest: Mutex::new(Rest { orphans, ..Rest::default() }) }
    }

    async fn of_destroy(account: &Account, project: &Project, names: Vec<Names>) -> Foresight {
        let any = names.first().cloned();
        let places: Vec<Place<'_>> = names.into_iter().map(|names| Place::to_delete(account, names)).collect();
        let orphans = async {
            let known = function_names(project);
            let any = any?;
            let found = account.orphans(&any, &known).await;
            Some((any, found))
        };
        let earlier = async {
            let read = places.iter().map(async |place| (place.names().clone(), place.earlier_log_groups().await));
            join_all(read).await.into_iter().collect::<BTreeMap<_, _>>()
        };
        let (deployed, orphans, shared, earlier_log_groups) =
            tokio::join!(Box::pin(Ahead::read(&places)), orphans, account.shared_log_groups(), earlier);
        let rest = Rest { orphans, shared_log_groups: Some(shared), earlier_log_groups };
        Foresight { deployed, rest: Mutex::new(rest) }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orphans of the app and the stage of `names`, as far as they were read.
    pub(super) fn take_orphans(&self, names: &Names) -> Option<Found<BTreeSet<String>>> {
        self.rest().orphans.take().filter(|(of, _)| of == names).map(|(_, found)| found)
    }

    /// The same as [`Account::shared_log_groups`].
    pub(super) async fn shared_log_groups(&self, account: &Account) -> Found<Writers> {
        let found = self.rest().shared_log_groups.take();
        match found {
            Some(found) => found,
            None => account.shared_log_groups().await,
        }
    }

    /// The same as [`Place::earlier_log_groups`].
    pub(super) async fn earlier_log_groups(&self, place: &Place<'_>) -> Found<BTreeSet<String>> {
        let found = self.rest().earlier_log_groups.remove(place.names());
        match found {
            Some(found) => found,
            None => place.earlier_log_groups().await,
        }
    }
}

/// The names of the project's functions.
pub(super) fn function_names(project: &Project) -> Vec<String> {
    project.functions.iter().map(|function| function.name.clone()).collect()
}
