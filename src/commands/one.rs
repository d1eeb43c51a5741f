//! One function of the manifest, for commands that only read it: AWS is not asked for the account.

use super::project::Project;
use super::session::Session;
use super::site::open;
use crate::aws::Account;
use crate::failure::Failure;
use crate::manifest::Function;
use crate::report::{FunctionAnswer, Functions};
use crate::stack;

/// A function and its account. Only the manifest may have the account's number: what is read needs no guard.
pub struct One {
    pub project: Project,
    pub function: Function,
    pub account: Account,
    /// What the function is called on AWS.
    pub name: String,
}

impl One {
    /// The function that was named; the manifest's only one if none was. Makes no call.
    pub async fn find(session: &Session, named: Option<&String>) -> Result<One, Failure> {
        let project = Project::single(&session.global, named)?;
        let function = project.functions[0].clone();
        let account = open(session, &project.manifest).await?;
        let name = stack::function_name(&project.manifest.app, project.manifest.stage.as_deref(), &function.name);
        Ok(One { project, function, account, name })
    }

    /// Nothing is deployed, or no URL is wanted.
    pub fn without_url(&self) -> Failure {
        match self.function.url {
            Some(_) => Failure::not_deployed(&self.function.name),
            None => Failure::no_url(&self.function.name),
        }
    }

    /// What was found out of the function, and where it is.
    pub fn functions(&self, found: FunctionAnswer) -> Functions {
        Functions {
            account: self.project.manifest.account.clone(),
            region: Some(self.account.region.clone()),
            endpoint: self.account.endpoint.clone(),
            stage: self.project.manifest.stage.clone(),
            functions: vec![found],
        }
    }

    /// The function, of which nothing is known but its names.
    pub fn unknown(&self) -> FunctionAnswer {
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
