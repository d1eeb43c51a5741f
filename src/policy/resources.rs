//! The resources that an action is about, as patterns of ARNs.

use super::scope::Scope;
use super::table::{On, Row, When};
use crate::manifest::{Function, Origin, RoleSource, layer_of};
use crate::stack::{Arn, Names, Partition};
use std::collections::BTreeSet;

/// The patterns for an action; none if nothing in the manifest needs it.
pub(super) fn resources(row: &Row, scope: &Scope<'_>) -> BTreeSet<String> {
    let (is_named, is_large) = (scope.artifact_bucket.is_some(), scope.large_packages);
    let is_needed = match row.when {
        When::UsesBucket => is_named || is_large,
        When::MakesBucket => is_large && !is_named,
        When::LooksForBucket => !is_named,
        _ => true,
    };
    if !is_needed {
        return BTreeSet::new();
    }
    let functions = scope.functions.iter().filter(|(_, function)| row.when.is_true_of(function));
    functions.flat_map(|(names, function)| of_function(row.on, scope, names, function)).collect()
}

fn of_function(on: On, scope: &Scope<'_>, names: &Names, function: &Function) -> Vec<String> {
    let all = scope.all_stages;
    let lambda = |name: &str| arn(names, "lambda", &names.region, &format!("function:{name}"));
    let role = |rest: &str| arn(names, "iam", "", &format!("role/{rest}"));
    let of_app = format!("{}-*", names.app);
    let own_roles = || match all {
        true => role(&format!("lamstream/{}/*", names.app)),
        false => names.role_arn(),
    };
    match on {
        On::Everything => vec!["*".to_owned()],
        On::AnyInRegion(service, kinds) => kinds.iter().map(|kind| arn(names, service, &names.region, kind)).collect(),
        On::AnyInAccount(service, kinds) => kinds.iter().map(|kind| arn(names, service, "", kind)).collect(),
        On::Functions if all => vec![lambda(&of_app)],
        On::Functions => {
            let name = names.function_name();
            vec![lambda(&name), lambda(&format!("{name}:*"))]
        }
        On::FunctionsOfStage if all => vec![lambda(&of_app)],
        On::FunctionsOfStage => vec![lambda(&format!("{}*", names.prefix()))],
        On::FunctionsOfApp => vec![lambda(&of_app)],
        On::RolesByName if all => vec![own_roles(), role(&format!("lamstream-{}-{of_app}", names.region))],
        On::RolesByName => vec![own_roles(), role(&names.role_name())],
        On::Roles => match &function.role {
            RoleSource::Given { .. } => Vec::new(),
            RoleSource::Own { .. } => vec![own_roles()],
        },
        On::RolesOfApp => vec![role(&format!("lamstream/{}/*", names.app))],
        On::PassedRoles => match &function.role {
            RoleSource::Given { arn } => vec![arn.clone()],
            RoleSource::Own { .. } => vec![own_roles()],
        },
        On::LogGroups => {
            let own = format!("log-group:/aws/lambda/{of_app}");
            let own = if all { arn(names, "logs", &names.region, &own) } else { names.log_group_arn() };
            let named = names.log_group.as_ref().map(|_| names.log_group_arn());
            std::iter::once(own).chain(named).collect()
        }
        On::Parameters => function.outside().filter_map(|outside| parameter(names, &outside.origin)).collect(),
        On::CheckParameters => of_checks(function).filter_map(|origin| parameter(names, origin)).collect(),
        On::Secrets => function.outside().filter_map(|outside| secret(names, &outside.origin)).collect(),
        On::CheckSecrets => of_checks(function).filter_map(|origin| secret(names, origin)).collect(),
        On::OwnParameters => {
            let stage = names.stage.iter().filter(|_| !all).map(|stage| format!("{stage}/"));
            let path = format!("parameter/{}/{}*", names.app, stage.collect::<String>());
            vec![arn(names, "ssm", &names.region, &path)]
        }
        On::Layers => layers(names, function),
        On::KmsKeys => function.attachments.kms_key.iter().cloned().collect(),
        On::Buckets => vec![bucket(scope, names)],
        On::Objects => vec![format!("{}/*", bucket(scope, names))],
    }
}

fn arn(names: &Names, service: &str, region: &str, resource: &str) -> String {
    let partition = Partition::of_known(&names.region).name;
    Arn { partition, service, region, account: &names.account, resource }.to_string()
}

fn of_checks(function: &Function) -> impl Iterator<Item = &Origin> {
    function.checks.iter().flat_map(|check| &check.outside).map(|outside| &outside.origin)
}

/// A parameter's version and label are no part of its ARN.
fn parameter(names: &Names, origin: &Origin) -> Option<String> {
    let Origin::Ssm(name) = origin else { return None };
    let Some(named) = Arn::parse(name) else {
        let name = name.split(':').next().unwrap_or_default().trim_start_matches('/');
        return Some(arn(names, "ssm", &names.region, &format!("parameter/{name}")));
    };
    let resource = named.resource.split(':').next().unwrap_or_default();
    Some(Arn { resource, ..named }.to_string())
}

/// Secrets Manager adds `-` and six characters to the name.
fn secret(names: &Names, origin: &Origin) -> Option<String> {
    let Origin::Secret(name) = origin else { return None };
    match Arn::parse(name) {
        Some(_) => Some(name.clone()),
        None => Some(arn(names, "secretsmanager", &names.region, &format!("secret:{name}-??????"))),
    }
}

/// Every version of the layers, because a new version of lamstream may use a newer adapter.
fn layers(names: &Names, function: &Function) -> Vec<String> {
    let layers = function.all_layers(&names.region, function.architecture);
    layers.iter().filter_map(|version| layer_of(version)).map(|layer| format!("{layer}:*")).collect()
}

fn bucket(scope: &Scope<'_>, names: &Names) -> String {
    let partition = Partition::of_known(&names.region).name;
    let own = || match scope.all_stages {
        true => format!("lamstream-{}-{}-*", names.account, names.region),
        false => format!("{}*", names.bucket()),
    };
    let name = scope.artifact_bucket.map_or_else(own, str::to_owned);
    Arn { partition, service: "s3", region: "", account: "", resource: &name }.to_string()
}

/// The patterns without those that another one includes.
pub(super) fn fewest(patterns: &BTreeSet<String>) -> BTreeSet<String> {
    let includes = |wide: &String, narrow: &String| {
        wide != narrow && wide.strip_suffix('*').is_some_and(|begin| narrow.starts_with(begin))
    };
    patterns.iter().filter(|one| !patterns.iter().any(|other| includes(other, one))).cloned().collect()
}
