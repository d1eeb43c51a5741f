//! The other regions in which lamstream has created a function.

use super::access::Account;
use super::error::Doing;
use crate::apply::{CloudError, Reason};
use crate::stack::Names;
use std::collections::{BTreeMap, BTreeSet};

/// The regions of functions.
type Elsewhere = BTreeMap<String, BTreeSet<String>>;

impl Account {
    /// The other regions in which each of these functions of one app has a role, by the functions' names in the manifest.
    /// IAM is global, and a role's name has its region, so one list shows all regions; a function with a role of the user's
    /// own is in none. `None` if the credentials may not list roles.
    ///
    /// # Errors
    /// If the call fails for another reason.
    pub async fn other_regions(&self, functions: &[Names]) -> Result<Option<Elsewhere>, CloudError> {
        let mut found: Elsewhere = functions.iter().map(|names| (names.function.clone(), BTreeSet::new())).collect();
        let Some(path) = functions.first().map(Names::role_path) else { return Ok(Some(found)) };
        let mut pages = self.iam.list_roles().path_prefix(path).into_paginator().items().send();
        while let Some(role) = pages.next().await {
            let role = match role.doing(|| "list roles".into()) {
                Ok(role) => role,
                Err(error) if error.reason == Reason::Denied => return Ok(None),
                Err(error) => return Err(error),
            };
            for names in functions {
                let region = names.region_of_role(role.role_name()).filter(|region| *region != names.region);
                found.entry(names.function.clone()).or_default().extend(region);
            }
        }
        Ok(Some(found))
    }
}
