//! From what the manifest says to the stack that shall exist.

use super::document::Manifest;
use super::function::Function;
use super::role::RoleSource;
use crate::stack::{
    self, Architecture, Auth, Configuration, LogGroup, Names, Permission, Release, Role, Stack, Statement, Tags,
};
use std::collections::BTreeSet;

/// Only a runtime that brings nothing of its own runs a binary as it is.
const RUNTIME: &str = "provided.al2023";
/// That runtime ignores it, and Lambda requires it.
const HANDLER: &str = "bootstrap";

impl Manifest {
    /// What a function and all that serves it are called in a region and an account.
    pub fn names(&self, function: &Function, region: &str, account: &str) -> Names {
        Names {
            app: self.app.clone(),
            stage: self.stage.clone(),
            function: function.name.clone(),
            region: region.to_owned(),
            account: account.to_owned(),
        }
    }
}

impl Function {
    /// The stack wanted. `architecture` is the one that was built for, and `code` the package's `CodeSha256`.
    pub fn target(&self, names: &Names, architecture: Architecture, code: &str) -> Stack {
        debug_assert!(self.outside.is_empty(), "a value from outside is not filled in");
        let tags = self.all_tags(names);
        let role = self.own_role(names, &tags);
        let role_arn = match &self.role {
            RoleSource::Given { arn } => arn.clone(),
            RoleSource::Own { .. } => names.role_arn(),
        };
        let configuration = Configuration {
            role_arn,
            architecture,
            runtime: RUNTIME.into(),
            handler: HANDLER.into(),
            memory: self.memory,
            timeout: self.timeout,
            ephemeral_storage: self.ephemeral_storage,
            layers: self.layers.clone(),
            environment: self.environment.clone(),
            log_format: self.log_format,
            log_group: names.log_group(),
        };
        let is_public = self.url.as_ref().is_some_and(|url| url.auth == Auth::None);
        Stack {
            names: names.clone(),
            log_group: Some(LogGroup { retention_days: self.retention_days, tags: tags.clone() }),
            role,
            function: Some(stack::Function {
                description: self.description.clone(),
                concurrency: self.concurrency,
                tags,
            }),
            live: Some(Release { code: code.to_owned(), configuration }.into()),
            url: self.url.clone(),
            permissions: if is_public { BTreeSet::from(Permission::ALL) } else { BTreeSet::new() },
        }
    }

    fn own_role(&self, names: &Names, tags: &Tags) -> Option<Role> {
        let RoleSource::Own { managed_policies, statements, permissions_boundary } = &self.role else { return None };
        let mut statements = statements.clone();
        statements.insert(Statement::may_write_logs(names));
        Some(Role {
            trust: Statement::lambda_may_assume(),
            statements,
            managed_policies: managed_policies.clone(),
            permissions_boundary: permissions_boundary.clone(),
            tags: tags.clone(),
        })
    }

    fn all_tags(&self, names: &Names) -> Tags {
        let ours = names.owner_tags();
        self.tags.iter().chain(ours.iter()).collect()
    }
}
