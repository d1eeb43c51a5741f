//! What differs between two things, as the manifest would call it.

use crate::stack::{Attachments, Configuration, FileSystem, Function, FunctionUrl, Live, LogGroup, Release, Role, Vpc};
use std::collections::BTreeSet;
use std::fmt::Display;

/// One key whose value changes. Values that may be secret, or that no line can hold, are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// From and to, where they may be shown.
    pub values: Option<(String, String)>,
}

/// Collects the fields that differ.
#[derive(Default)]
pub(super) struct Fields(Vec<Field>);

impl Fields {
    pub fn of_log_group(from: &LogGroup, to: &LogGroup) -> Vec<Field> {
        let mut fields = Fields::default();
        fields.shown("retention_days", &optional(&from.retention_days), &optional(&to.retention_days));
        fields.hidden("tags", &from.tags, &to.tags);
        fields.0
    }

    pub fn of_role(from: &Role, to: &Role) -> Vec<Field> {
        let mut fields = Fields::default();
        fields.hidden("trust", &from.trust, &to.trust);
        fields.hidden("statements", &from.statements, &to.statements);
        fields.shown("managed_policies", &list(&from.managed_policies), &list(&to.managed_policies));
        let (was, will) = (optional(&from.permissions_boundary), optional(&to.permissions_boundary));
        fields.shown("permissions_boundary", &was, &will);
        fields.hidden("tags", &from.tags, &to.tags);
        fields.0
    }

    pub fn of_function(from: &Function, to: &Function) -> Vec<Field> {
        let mut fields = Fields::default();
        let quoted = |text: &str| format!("\"{}\"", text.escape_debug());
        fields.shown("description", &quoted(&from.description), &quoted(&to.description));
        fields.shown("concurrency", &optional(&from.concurrency), &optional(&to.concurrency));
        fields.hidden("tags", &from.tags, &to.tags);
        fields.0
    }

    /// How the release differs that traffic is being turned to, and how much of the traffic.
    pub fn of_live(from: &Live, to: &Live) -> Vec<Field> {
        let mut fields = Fields::default();
        fields.release(&from.release, to.newest());
        let weight = |live: &Live| optional(&live.shift.as_ref().map(|shift| shift.weight));
        fields.shown("shift", &weight(from), &weight(to));
        fields.0
    }

    fn release(&mut self, from: &Release, to: &Release) {
        let fields = self;
        fields.shown("code", &short(&from.code), &short(&to.code));
        // All fields are named, so that one that is added and forgotten here does not compile.
        let Configuration {
            role_arn,
            architecture,
            runtime,
            handler,
            memory,
            timeout,
            ephemeral_storage,
            layers,
            environment,
            logging,
            log_group,
            attachments,
        } = &from.configuration;
        let to = &to.configuration;
        fields.shown("role", role_arn, &to.role_arn);
        fields.shown("architecture", architecture, &to.architecture);
        fields.shown("runtime", runtime, &to.runtime);
        fields.shown("handler", handler, &to.handler);
        fields.shown("memory", memory, &to.memory);
        fields.shown("timeout", timeout, &to.timeout);
        fields.shown("ephemeral_storage", ephemeral_storage, &to.ephemeral_storage);
        fields.shown("layers", &list(layers), &list(&to.layers));
        for name in environment.keys().chain(to.environment.keys()).collect::<BTreeSet<_>>() {
            let (was, will) = (environment.get(name), to.environment.get(name));
            fields.hidden(&format!("environment.{name}"), &was, &will);
        }
        fields.shown("log.format", &logging.format(), &to.logging.format());
        fields.shown("log.level", &optional(&logging.level()), &optional(&to.logging.level()));
        let (was, will) = (logging.system_level(), to.logging.system_level());
        fields.shown("log.system_level", &optional(&was), &optional(&will));
        fields.shown("log.group", log_group, &to.log_group);
        fields.attachments(attachments, &to.attachments);
    }

    pub fn of_url(from: &FunctionUrl, to: &FunctionUrl) -> Vec<Field> {
        let mut fields = Fields::default();
        fields.shown("auth", &from.auth.as_str(), &to.auth.as_str());
        fields.shown("mode", &from.mode.as_str(), &to.mode.as_str());
        fields.hidden("cors", &from.cors, &to.cors);
        fields.0
    }

    pub fn of_provisioned(from: u32, to: u32) -> Vec<Field> {
        let mut fields = Fields::default();
        fields.shown("provisioned_concurrency", &from, &to);
        fields.0
    }

    fn attachments(&mut self, from: &Attachments, to: &Attachments) {
        let Attachments { tracing, vpc, dead_letter, kms_key, file_systems } = from;
        self.shown("tracing", &tracing.as_str(), &to.tracing.as_str());
        self.shown("vpc", &network(vpc.as_ref()), &network(to.vpc.as_ref()));
        self.shown("dead_letter", &optional(dead_letter), &optional(&to.dead_letter));
        self.shown("kms_key", &optional(kms_key), &optional(&to.kms_key));
        self.shown("file_systems", &mounted(file_systems), &mounted(&to.file_systems));
    }

    fn shown<T: PartialEq + Display>(&mut self, name: &str, from: &T, to: &T) {
        if from != to {
            self.0.push(Field { name: name.to_owned(), values: Some((from.to_string(), to.to_string())) });
        }
    }

    fn hidden<T: PartialEq>(&mut self, name: &str, from: &T, to: &T) {
        if from != to {
            self.0.push(Field { name: name.to_owned(), values: None });
        }
    }
}

fn optional(value: &Option<impl Display>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn network(vpc: Option<&Vpc>) -> String {
    let Some(Vpc { subnets, security_groups, ipv6 }) = vpc else { return "none".to_owned() };
    let ipv6 = if *ipv6 { " with IPv6" } else { "" };
    format!("{} {}{ipv6}", list(subnets), list(security_groups))
}

fn mounted(systems: &[FileSystem]) -> String {
    let systems: Vec<String> = systems.iter().map(|system| format!("{} at {}", system.arn, system.path)).collect();
    list(&systems)
}

fn list<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
    format!("[{}]", values.join(", "))
}

/// Enough of a digest to tell two apart.
fn short(digest: &str) -> String {
    digest.chars().take(8).collect()
}
