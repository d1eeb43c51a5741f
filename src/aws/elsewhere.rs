//! The other regions in which lamstream has created a function.

use super::access::Account;
use super::error::Doing;
use crate::apply::{CloudError, Reason};
use crate::stack::Names;
use std::collections::BTreeSet;

impl Account {
    /// For each of these functions of one app, the other regions in which it has a role. IAM is global, and a role's name
    /// has its region, so one list shows all regions; a function with a role of the user's own is not found. `None` if the
    /// credentials may not list roles.
    ///
    /// # Errors
    /// If the call fails for another reason.
    pub async fn other_regions(&self, functions: &[Names]) -> Result<Option<Vec<BTreeSet<String>>>, CloudError> {
        let mut found = vec![BTreeSet::new(); functions.len()];
        let Some(path) = functions.first().map(Names::role_path) else { return Ok(Some(found)) };
        let mut pages = self.iam.list_roles().path_prefix(path).into_paginator().items().send();
        while let Some(role) = pages.next().await {
            let role = match role.doing(|| "list roles".into()) {
                Ok(role) => role,
                Err(error) if error.reason == Reason::Denied => return Ok(None),
                Err(error) => return Err(error),
            };
            for (names, regions) in functions.iter().zip(&mut found) {
                let region = names.region_of_role(role.role_name());
                regions.extend(region.filter(|region| *region != names.region));
            }
        }
        Ok(Some(found))
    }
}
