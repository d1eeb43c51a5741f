//! One function of the manifest, for commands that only read it. They do not ask AWS for the account.

use super::project::Project;
use super::session::Session;
use super::site::open;
use crate::aws::Account;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::report::{FunctionAnswer, Functions};
use crate::stack;

/// A function and its account. The account's number is known only if the manifest has it: reading needs no guard.
pub(super) struct SingleFunction {
    pub project: Project,
    pub function: Function,
    pub account: Account,
    /// The function's name on AWS.
    pub name: String,
}

impl SingleFunction {
    /// Finds the named function, or the manifest's only one if none is named. This makes no call to AWS.
    pub(super) async fn find(session: &Session, named: Option<&String>) -> Result<SingleFunction, Failure> {
        let project = Project::single(&session.global, session.console.running(), named)?;
        let function = project.functions[0].clone();
        let account = open(session, &project.manifest).await?;
        let name = stack::function_name(&project.manifest.app, project.manifest.stage.as_deref(), &function.name);
        Ok(SingleFunction { project, function, account, name })
    }

    /// The failure if nothing is deployed, or if the manifest has no URL for the function.
    pub(super) fn without_url(&self) -> Failure {
        match self.function.url {
            Some(_) => Failure::not_deployed(&self.function.name),
            None => Failure::no_url(&self.function.name),
        }
    }

    /// The result for the function, with its account, region, endpoint and stage.
    pub(super) fn functions(&self, found: FunctionAnswer) -> Functions {
        Functions {
            account: self.project.manifest.account.clone(),
            region: Some(self.account.region.clone()),
            endpoint: self.account.endpoint.clone(),
            stage: self.project.manifest.stage.clone(),
            functions: vec![found],
        }
    }

    /// An answer for the function that has only its names.
    pub(super) fn unknown(&self) -> FunctionAnswer {
        let manifest = &self.project.manifest;
        let names = |account: &String| manifest.names(&self.function, &self.account.region, account);
        FunctionAnswer {
            name: self.function.name.clone(),
            function_name: Some(self.name.clone()),
            names: manifest.account.as_ref().map(names),
            ..FunctionAnswer::default()
        }
    }
}
