//! Functions of an app that its manifest no longer names, found by their names and tags.

use super::access::Account;
use super::error::Doing;
use crate::apply::CloudError;
use crate::stack::{Names, Owner, Tags};
use std::collections::BTreeSet;

impl Account {
    /// The functions with the tags of `names`' app and stage, by their names in the manifest that created them, except
    /// those that are `known`, whose tags are not read. An interrupted first deploy leaves a role and no function, so
    /// roles count, too.
    pub async fn orphans(&self, names: &Names, known: &[String]) -> Result<BTreeSet<String>, CloudError> {
        let (functions, roles) =
            tokio::try_join!(self.tagged_functions(names, known), self.tagged_roles(names, known))?;
        Ok(functions.into_iter().chain(roles).collect())
    }

    /// The same by roles alone, in one call for each 100 roles of the app and stage: the functions of an account may take
    /// dozens of pages. Functions with a role of their own (`role.arn`) are not found.
    pub async fn orphans_by_role(&self, names: &Names, known: &[String]) -> Result<BTreeSet<String>, CloudError> {
        Ok(self.tagged_roles(names, known).await?.into_iter().collect())
    }

    async fn tagged_functions(&self, names: &Names, known: &[String]) -> Result<Vec<String>, CloudError> {
        let mut pages = self.lambda.list_functions().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(function) = pages.next().await {
            let function = function.doing(|| "list functions".into())?;
            let (Some(name), Some(arn)) = (function.function_name(), function.function_arn()) else { continue };
            let Some(ours) = name.strip_prefix(&names.prefix()) else { continue };
            if known.iter().any(|known| known == ours) {
                continue;
            }
            let call = self.lambda.list_tags().resource(arn);
            let tags = call.send().await.if_found(|| format!("read the tags of function `{name}`"))?;
            let tags: Tags = tags.and_then(|output| output.tags).into_iter().flatten().collect();
            found.extend(named_by(&tags, names).filter(|function| function == ours));
        }
        Ok(found)
    }

    async fn tagged_roles(&self, names: &Names, known: &[String]) -> Result<Vec<String>, CloudError> {
        let role = |function: &String| Names { function: function.clone(), ..names.clone() }.role_name();
        let known: BTreeSet<String> = known.iter().map(role).collect();
        let mut pages = self.iam.list_roles().path_prefix(names.role_path()).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(role) = pages.next().await {
            let role = role.doing(|| "list roles".into())?;
            if known.contains(role.role_name()) {
                continue;
            }
            let call = self.iam.list_role_tags().role_name(role.role_name());
            let tags = call.send().await.if_found(|| format!("read the tags of role `{}`", role.role_name()))?;
            let tags: Tags = tags.iter().flat_map(|output| output.tags()).map(|tag| (tag.key(), tag.value())).collect();
            found.extend(named_by(&tags, names));
        }
        Ok(found)
    }
}

/// The function that the tags name, if all other owner tags are those of `names`.
fn named_by(tags: &Tags, names: &Names) -> Option<String> {
    let function = tags.get("lamstream:function")?.to_owned();
    let names = Names { function: function.clone(), ..names.clone() };
    (tags.owner(&names) == Owner::Us).then_some(function)
}
