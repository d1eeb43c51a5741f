//! Settings of a function that no manifest has a key for and that GetFunction does not return. Each takes a call of its own.

use super::error::Doing;
use super::place::Place;
use crate::apply::{CloudError, Reason};
use aws_sdk_lambda::types::{RecursiveLoop, UpdateRuntimeOn};
use std::collections::BTreeSet;

impl Place<'_> {
    /// Those that differ from AWS's defaults: what AWS does about recursive loops, when it updates the runtime of `$LATEST`
    /// and of the version of this number, how it invokes the function for asynchronous events, and who may call `$LATEST`
    /// by which URL. A setting that the credentials may not read is left out.
    ///
    /// # Errors
    /// If a call fails for another reason.
    pub async fn unmanaged(&self, number: Option<&str>) -> Result<BTreeSet<&'static str>, CloudError> {
        let name = self.names.function_name();
        let lambda = &self.account.lambda;
        let action = || format!("read the settings of function `{name}`");
        let recursion =
            async { known(lambda.get_function_recursion_config().function_name(&name).send().await.doing(action)) };
        let runtime = async |qualifier: Option<&str>| {
            let call = lambda.get_runtime_management_config().function_name(&name);
            known(call.set_qualifier(qualifier.map(str::to_owned)).send().await.doing(action))
        };
        let published = async {
            match number {
                Some(number) => runtime(Some(number)).await,
                None => Ok(None),
            }
        };
        let events = async {
            known(lambda.list_function_event_invoke_configs().function_name(&name).send().await.doing(action))
        };
        // Without a qualifier, both are those of `$LATEST`, which no release is behind.
        let url = async { known(lambda.get_function_url_config().function_name(&name).send().await.doing(action)) };
        let policy = async { known(lambda.get_policy().function_name(&name).send().await.doing(action)) };
        let (recursion, latest, published, events, url, policy) =
            tokio::try_join!(recursion, runtime(None), published, events, url, policy)?;
        let mut set = BTreeSet::new();
        if recursion.is_some_and(|found| found.recursive_loop() == Some(&RecursiveLoop::Allow)) {
            set.insert("recursive loops");
        }
        let is_held = |when: Option<&UpdateRuntimeOn>| when.is_some_and(|when| *when != UpdateRuntimeOn::Auto);
        if latest.into_iter().chain(published).any(|found| is_held(found.update_runtime_on())) {
            set.insert("runtime updates");
        }
        if events.is_some_and(|found| !found.function_event_invoke_configs().is_empty()) {
            set.insert("asynchronous invocation");
        }
        if url.is_some() {
            set.insert("URL of `$LATEST`");
        }
        if policy.is_some_and(|found| found.policy().is_some()) {
            set.insert("permissions of `$LATEST`");
        }
        Ok(set)
    }
}

/// What was read; `None` if the credentials, the region or the cloud do not have the call.
fn known<T>(read: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.reason {
            Reason::Denied | Reason::Missing | Reason::NotInRegion => Ok(None),
            _ => Err(error),
        },
    }
}
