//! One function of the manifest, where a command is about no other.

use super::session::Session;
use super::site::{Project, single};
use crate::aws::{Account, Place};
use crate::failure::Failure;
use crate::manifest::Function;
use crate::report::{Answer, FunctionAnswer};
use crate::stack::Names;

/// A function and its account, whose number nobody asked AWS for: what is only read needs no guard.
pub struct One {
    pub project: Project,
    pub function: Function,
    pub account: Account,
    pub names: Names,
}

impl One {
    /// The function that was named; the manifest's only one if none was. Makes no call.
    pub async fn find(session: &Session, named: Option<&String>) -> Result<One, Failure> {
        let project = single(session, named.map(String::as_str))?;
        let function = &project.functions[0];
        let account = session.open(&project.manifest).await?;
        let id = project.manifest.account.clone().unwrap_or_default();
        let names = project.manifest.names(function, &account.region, &id);
        Ok(One { function: function.clone(), project, account, names })
    }

    pub fn place(&self) -> Place<'_> {
        Place::new(&self.account, self.names.clone())
    }

    /// Nothing is deployed, or no URL is wanted.
    pub fn without_url(&self) -> Failure {
        match self.function.url {
            Some(_) => Failure::not_deployed(&self.function.name),
            None => Failure::no_url(&self.function.name),
        }
    }

    /// An answer that says where we are, with the function in it.
    pub fn answer(&self, command: &'static str) -> Answer {
        let function = FunctionAnswer {
            name: self.function.name.clone(),
            names: Some(self.names.clone()),
            ..FunctionAnswer::default()
        };
        Answer {
            account: self.project.manifest.account.clone(),
            region: Some(self.account.region.clone()),
            endpoint: self.account.endpoint.clone(),
            stage: self.project.manifest.stage.clone(),
            functions: vec![function],
            ..Answer::new(command)
        }
    }
}
