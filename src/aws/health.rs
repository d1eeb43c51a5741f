//! What `doctor` asks of an account. Every call reads, and nothing waits: a refusal is an answer.

use super::access::Account;
use super::error::Doing;
use crate::apply::{CloudError, Reason};
use crate::stack::{Arn, Partition};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

/// The instances that an account may run at once in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    pub limit: i64,
    /// What no function has reserved.
    pub unreserved: i64,
}

impl Account {
    /// Where the credentials come from, such as "profile `prod` (SSO), named by `--profile`".
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The ARN of the caller, if [`Account::id`] has found it out.
    pub fn caller_arn(&self) -> Option<&str> {
        self.arn.get().map(String::as_str)
    }

    /// Whether the region has Function URLs, asked about a function that need not exist. A refusal shows it, too: AWS
    /// cannot refuse an operation that it does not know in a region.
    ///
    /// # Errors
    /// When AWS does not answer, or does not accept the credentials.
    pub async fn has_urls(&self, function: &str) -> Result<bool, CloudError> {
        let asked = self.lambda.get_function_url_config().function_name(function).send().await;
        match asked.doing(|| "find out whether the region has Function URLs".into()) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.reason, Reason::Missing | Reason::Denied) => Ok(true),
            Err(error) if error.reason == Reason::NotInRegion => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// # Errors
    /// When AWS refuses the call, or does not answer.
    pub async fn concurrency(&self) -> Result<Concurrency, CloudError> {
        let settings = self.lambda.get_account_settings().send().await;
        let settings = settings.doing(|| "read Lambda's settings of the account".into())?;
        let limit = settings.account_limit();
        Ok(Concurrency {
            limit: limit.map_or(0, |limit| limit.concurrent_executions().into()),
            unreserved: limit.and_then(|limit| limit.unreserved_concurrent_executions()).unwrap_or_default().into(),
        })
    }

    /// Whether a layer version exists and may be read.
    ///
    /// # Errors
    /// When AWS refuses the call, which it also does for layers of other accounts that do not exist, or does not answer.
    pub async fn has_layer(&self, arn: &str) -> Result<bool, CloudError> {
        let asked = self.lambda.get_layer_version_by_arn().arn(arn).send().await;
        asked.if_found(|| format!("read layer `{arn}`")).map(|found| found.is_some())
    }

    /// Those of the actions on a resource that IAM would refuse to the caller. It runs none of them.
    ///
    /// # Errors
    /// When AWS refuses the simulation, or does not answer.
    pub async fn refused_actions(
        &self,
        principal: &str,
        actions: &[&str],
        resource: &str,
    ) -> Result<Vec<String>, CloudError> {
        let to_lambda = ContextEntry::builder()
            .context_key_name("iam:PassedToService")
            .context_key_type(ContextKeyTypeEnum::String)
            .context_key_values("lambda.amazonaws.com")
            .build();
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        let mut pages = self
            .iam
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .set_action_names(Some(actions))
            .resource_arns(resource)
            .context_entries(to_lambda)
            .into_paginator()
            .items()
            .send();
        let mut refused = Vec::new();
        while let Some(result) = pages.next().await {
            let result = result.doing(|| "simulate the caller's policies".into())?;
            if *result.eval_decision() != PolicyEvaluationDecisionType::Allowed {
                refused.push(result.eval_action_name().to_owned());
            }
        }
        Ok(refused)
    }

    /// The user or role whose policies decide about the caller; `None` for the root user and for federated users. The
    /// path of a role is not part of a session's ARN.
    pub async fn principal(&self) -> Option<String> {
        let caller = Arn::parse(self.caller_arn()?)?;
        let Some(session) = caller.resource.strip_prefix("assumed-role/") else {
            return caller.resource.starts_with("user/").then(|| caller.to_string());
        };
        let name = session.split('/').next()?;
        let found = self.iam.get_role().role_name(name).send().await.ok();
        let found = found.and_then(|found| found.role().map(|role| role.arn().to_owned()));
        let partition = Partition::of_known(&self.region).name;
        let resource = format!("role/{name}");
        let usual = Arn { partition, service: "iam", region: "", account: caller.account, resource: &resource };
        Some(found.unwrap_or_else(|| usual.to_string()))
    }
}
