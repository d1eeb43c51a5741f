//! Functions of an app that its manifest no longer names, found by their names and tags.

use super::access::Account;
use super::error::Doing;
use crate::apply::CloudError;
use crate::stack::{Names, Owner, Tags};
use std::collections::BTreeSet;

impl Account {
    /// The functions, by their names in the manifest that made them, that carry the tags of `names`' app and stage.
    /// A first deploy that was cut short leaves a role and no function, so roles count too.
    pub async fn functions_of(&self, names: &Names) -> Result<BTreeSet<String>, CloudError> {
        let (functions, roles) = tokio::try_join!(self.tagged_functions(names), self.tagged_roles(names))?;
        Ok(functions.into_iter().chain(roles).collect())
    }

    async fn tagged_functions(&self, names: &Names) -> Result<Vec<String>, CloudError> {
        let mut pages = self.lambda.list_functions().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(function) = pages.next().await {
            let function = function.doing(|| "list functions".into())?;
            let name = function.function_name().unwrap_or_default();
            let Some(ours) = name.strip_prefix(&names.prefix()) else { continue };
            let arn = function.function_arn().unwrap_or_default();
            let call = self.lambda.list_tags().resource(arn);
            let tags = call.send().await.if_found(|| format!("read the tags of function `{name}`"))?;
            let tags: Tags = tags.and_then(|output| output.tags).into_iter().flatten().collect();
            found.extend(named_by(&tags, names).filter(|function| function == ours));
        }
        Ok(found)
    }

    async fn tagged_roles(&self, names: &Names) -> Result<Vec<String>, CloudError> {
        let mut pages = self.iam.list_roles().path_prefix(names.role_path()).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(role) = pages.next().await {
            let role = role.doing(|| "list roles".into())?;
            let call = self.iam.list_role_tags().role_name(role.role_name());
            let tags = call.send().await.if_found(|| format!("read the tags of role `{}`", role.role_name()))?;
            let tags: Tags = tags.iter().flat_map(|output| output.tags()).map(|tag| (tag.key(), tag.value())).collect();
            found.extend(named_by(&tags, names));
        }
        Ok(found)
    }
}

/// The function that the tags name, where all the other tags are those of `names`.
fn named_by(tags: &Tags, names: &Names) -> Option<String> {
    let function = tags.get("lamstream:function")?.to_owned();
    let names = Names { function: function.clone(), ..names.clone() };
    (tags.owner(&names) == Owner::Us).then_some(function)
}
