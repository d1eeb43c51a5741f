//! Which functions write to log groups that several may share.

use super::access::Account;
use super::error::Doing;
use crate::apply::CloudError;
use crate::stack::log_group;
use std::collections::{BTreeMap, BTreeSet};

impl Account {
    /// All log groups in the region that functions write to instead of one of their own, each with the names of these
    /// functions on AWS. A function that still serves an older release may write elsewhere.
    ///
    /// # Errors
    /// If the functions cannot be listed.
    pub async fn shared_log_groups(&self) -> Result<BTreeMap<String, BTreeSet<String>>, CloudError> {
        let mut pages = self.lambda.list_functions().into_paginator().items().send();
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        while let Some(function) = pages.next().await {
            let function = function.doing(|| "list functions".into())?;
            let group = function.logging_config().and_then(|logging| logging.log_group());
            let (Some(name), Some(group)) = (function.function_name(), group) else { continue };
            if group != log_group(name) {
                found.entry(group.to_owned()).or_default().insert(name.to_owned());
            }
        }
        Ok(found)
    }
}
