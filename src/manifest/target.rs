//! Derives the wanted stack from the manifest.

use super::code::BOOTSTRAP;
use super::document::Manifest;
use super::function::Function;
use super::role::RoleSource;
use super::snap_start;
use crate::stack::{
    self, Architecture, Auth, Configuration, Environment, LogGroup, Names, Permission, Platform, Provisioned, Release,
    Role, Runtime, Secret, Settings, Stack, Statement, Tags,
};
use core::net::IpAddr;
use std::collections::BTreeSet;

/// Where the adapter looks for the app: in the first of these variables, or else at this address.
const HOST: [&str; 2] = ["AWS_LWA_HOST", "HOST"];
const LOCALHOST: &str = "127.0.0.1";

impl Manifest {
    /// The functions' names, in the manifest's order.
    pub fn function_names(&self) -> Vec<String> {
        self.functions.iter().map(|function| function.name.clone()).collect()
    }

    /// The names of a function and its resources in a region and an account.
    pub fn names(&self, function: &Function, region: &str, account: &str) -> Names {
        let own = stack::log_group(&stack::function_name(&self.app, self.stage.as_deref(), &function.name));
        Names {
            app: self.app.clone(),
            stage: self.stage.clone(),
            function: function.name.clone(),
            region: region.to_owned(),
            account: account.to_owned(),
            log_group: function.log_group.clone().filter(|group| *group != own),
        }
    }

    /// Whether a value is one of the names that follow from the manifest alone, independently of the account.
    pub fn has_name(&self, function: &Function, value: &str) -> bool {
        let stage = self.stage.as_deref();
        let function_name = stack::function_name(&self.app, stage, &function.name);
        let given =
            [Some(&*self.app), stage, Some(&*function.name), self.region.as_deref(), function.log_group.as_deref()];
        given.contains(&Some(value)) || value == function_name || value == stack::log_group(&function_name)
    }
}

impl Function {
    /// The wanted stack. `platform` is what the package was built for, and `code` is its `CodeSha256`, if it is known.
    pub fn target(&self, names: &Names, platform: &Platform, code: Option<&str>) -> Stack {
        debug_assert!(self.outside.is_empty(), "a value from outside is not filled in");
        let tags = self.all_tags(names);
        let role = self.own_role(names, &tags);
        let role_arn = match &self.role {
            RoleSource::Given { arn } => arn.clone(),
            RoleSource::Own { .. } => names.role_arn(),
        };
        let configuration = Configuration {
            role_arn,
            architecture: platform.architecture,
            runtime: platform.runtime.as_str().into(),
            handler: self.handler(&platform.runtime).into(),
            settings: self.settings_on(&platform.runtime),
            layers: self.all_layers(&names.region, platform.architecture),
            environment: self.all_variables(&platform.runtime),
            undecryptable: None,
            logging: self.logging,
            log_group: names.log_group(),
            attachments: Box::new(self.attachments.clone()),
        };
        let is_public = self.url.as_ref().is_some_and(|url| url.auth == Auth::None);
        Stack {
            names: names.clone(),
            log_group: Some(LogGroup {
                retention_days: self.retention_days,
                tags: names.shared_tags().unwrap_or_else(|| tags.clone()),
            }),
            role,
            function: Some(stack::Function {
                description: self.description.clone(),
                concurrency: self.concurrency,
                tags,
            }),
            live: Some(Release { code: code.map(str::to_owned), configuration }.into()),
            url: self.url.clone(),
            provisioned: self.provisioned_concurrency.map(Provisioned),
            permissions: if is_public { BTreeSet::from(Permission::ALL) } else { BTreeSet::new() },
        }
    }

    /// The file of the package that Lambda executes; `None` if the handler is a name within a language.
    pub fn executed<'a>(&'a self, runtime: &Runtime) -> Option<&'a str> {
        (self.web.is_some() || !runtime.is_managed()).then(|| self.handler(runtime))
    }

    /// A local interpreter may be too old for snapshots.
    fn settings_on(&self, runtime: &Runtime) -> Settings {
        let snap_start = self.settings.snap_start && snap_start::has_snapshots(runtime);
        Settings { snap_start, ..self.settings.clone() }
    }

    fn handler<'a>(&'a self, runtime: &Runtime) -> &'a str {
        match (&self.handler, &self.web) {
            (Some(handler), _) => handler,
            (None, Some(web)) => web.handler(runtime),
            (None, None) => BOOTSTRAP,
        }
    }

    /// The adapter's layer comes first, so that files of other layers replace its own.
    pub fn all_layers(&self, region: &str, architecture: Architecture) -> Vec<String> {
        let adapter = self.web.iter().map(|web| web.layer(region, architecture));
        adapter.chain(self.layers.iter().cloned()).collect()
    }

    /// The user's variables, and those that connect a web server and its adapter.
    pub(super) fn all_variables(&self, runtime: &Runtime) -> Environment {
        let own = self.web.iter().flat_map(|web| web.variables(runtime, self.url.as_ref()));
        let host = self.web.iter().filter_map(|_| app_host(&self.environment));
        own.chain(host).chain(self.environment.clone()).collect()
    }

    fn own_role(&self, names: &Names, tags: &Tags) -> Option<Role> {
        let RoleSource::Own { managed_policies, statements, permissions_boundary } = &self.role else { return None };
        let mut statements = statements.clone();
        statements.insert(Statement::may_write_logs(names));
        statements.extend(self.attachments.needs());
        Some(Role {
            trust: BTreeSet::from([Statement::lambda_may_assume()]),
            other_policies: BTreeSet::new(),
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

/// The variable that keeps the adapter from taking an app's own `HOST`, such as the address of its site, for the address that
/// the app listens on.
fn app_host(environment: &Environment) -> Option<(String, Secret)> {
    let [adapters, apps] = HOST;
    let host = environment.get(apps)?.reveal();
    let is_address = host == "localhost" || host.parse::<IpAddr>().is_ok();
    (!is_address).then(|| (adapters.to_owned(), Secret::new(LOCALHOST)))
}
