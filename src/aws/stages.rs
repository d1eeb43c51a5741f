//! What an app has deployed in a region, in all of its stages, found by the functions' names and tags.

use super::access::Account;
use super::error::Doing;
use super::first_version;
use crate::apply::CloudError;
use crate::stack::{EXPIRES, Names, Origin, Tags, function_name};
use aws_sdk_lambda::types::FunctionConfiguration;
use futures_util::{StreamExt, TryStreamExt, stream};

/// How many functions are read at once.
const AT_ONCE: usize = 16;

/// A function that lamstream deployed for an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedFunction {
    pub stage: Option<String>,
    /// Its name in the manifest that created it.
    pub name: String,
    /// When it was last changed, as AWS writes it.
    pub modified: Option<String>,
    /// When the live version was published, as AWS writes it, and where it comes from.
    pub live: Option<(Option<String>, Origin)>,
    /// How long its stage is needed after that, as the manifest spelled it.
    pub expires: Option<String>,
}

impl Account {
    /// All functions of an app in this region, by stage and name.
    ///
    /// # Errors
    /// If a call fails.
    pub async fn deployed_functions(&self, app: &str) -> Result<Vec<DeployedFunction>, CloudError> {
        let mut pages = self.lambda.list_functions().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(function) = pages.next().await {
            let function = function.doing(|| "list functions".into())?;
            let is_of_app = |name: &str| name.starts_with(&function_name(app, None, ""));
            if function.function_name().is_some_and(is_of_app) {
                found.push(function);
            }
        }
        let read = stream::iter(&found).map(|function| self.deployed_function(app, function));
        let mut read: Vec<DeployedFunction> =
            read.buffered(AT_ONCE).try_filter_map(|one| std::future::ready(Ok(one))).try_collect().await?;
        read.sort_by(|one, other| (&one.stage, &one.name).cmp(&(&other.stage, &other.name)));
        Ok(read)
    }

    /// `None` if its tags are not those of the app.
    async fn deployed_function(
        &self,
        app: &str,
        function: &FunctionConfiguration,
    ) -> Result<Option<DeployedFunction>, CloudError> {
        let Some(name) = function.function_name() else { return Ok(None) };
        let action = || format!("read function `{name}`");
        let call = || self.lambda.get_function().function_name(name);
        let (latest, live) = tokio::join!(call().send(), call().qualifier(Names::ALIAS).send());
        let (Some(latest), live) = (latest.if_found(action)?, live.if_found(action)?) else { return Ok(None) };
        let tags: Tags = latest.tags().into_iter().flatten().collect();
        let tag = |name: &str| tags.get(name).map(str::to_owned);
        let (stage, own) = (tag("lamstream:stage"), tag("lamstream:function"));
        let Some(own) = own.filter(|own| function_name(app, stage.as_deref(), own) == name) else { return Ok(None) };
        if tags.get("lamstream:app") != Some(app) || tags.get("lamstream:region") != Some(&self.region) {
            return Ok(None);
        }
        let live = live.as_ref().and_then(|live| live.configuration());
        let text = |text: Option<&str>| text.map(str::to_owned);
        Ok(Some(DeployedFunction {
            stage,
            name: own,
            modified: text(function.last_modified()),
            live: live.map(|live| {
                let description = live.description().unwrap_or_default();
                (text(live.last_modified()), first_version::origin(description, live.version(), latest.tags()))
            }),
            expires: tag(EXPIRES),
        }))
    }
}
