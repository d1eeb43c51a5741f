//! The account: whose credentials, which region, and what they may do there.

use super::diagnose::{Found, LIMIT, any, diagnosis, failed, limited, ok, problem, skipped, warning};
use crate::apply::{CloudError, Reason};
use crate::aws::{Access, Account};
use crate::commands::local::home;
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::commands::site::{Site, open_in};
use crate::failure::Failure;
use crate::manifest::Function;
use crate::policy::{COMMANDS, Policy, Scope};
use crate::report::{Diagnosis, Health};
use crate::stack::{Auth, Names};
use futures_util::future::{join_all, try_join_all};
use std::collections::BTreeSet;

/// The checks that need an account, in their order.
const NEED_AN_ACCOUNT: [&str; 6] = ["clock", "region", "streaming", "concurrency", "public URLs", "permissions"];
/// The instances that AWS never lets functions reserve.
const NOT_RESERVABLE: i64 = 100;
/// What new accounts have.
const SMALL: i64 = 10;

/// The account, if there is one, and what was found.
pub(super) async fn checks(session: &Session, project: Option<&Project>) -> (Option<Site>, Found) {
    if session.global.local {
        let found = vec![skipped("credentials", "`--local` needs none, and no other part of AWS")];
        return (local_site(session).await, found);
    }
    let skip_all = |why: &str| NEED_AN_ACCOUNT.map(|name| skipped(name, why)).into_iter().collect::<Vec<_>>();
    let region = project.and_then(|project| project.manifest.region.as_deref());
    let opened = match tokio::time::timeout(LIMIT, open_in(session, region)).await {
        Ok(opened) => opened,
        Err(_) => {
            Err(Failure::usage("the source of the credentials does not answer").hint("name a profile with `--profile`"))
        }
    };
    let account = match opened {
        Ok(account) => account,
        Err(failure) => {
            return (None, unopened(session, region, &failure).await);
        }
    };
    let credentials = ok("credentials", format!("from {}", account.source()));
    let id = match tokio::time::timeout(LIMIT, account.id()).await {
        Ok(id) => id.map_err(Failure::from),
        Err(_) => Err(Failure::usage("AWS does not answer").hint("check your network")),
    };
    match id {
        Ok(id) => {
            let site = Site { account, id };
            let mut found = vec![credentials, guarded(session, project, &site), clock(&site)];
            found.extend(of_account(project, &site).await);
            (Some(site), found)
        }
        Err(failure) => {
            let found = [
                diagnosis("credentials", Health::Skipped, format!("{}; not confirmed by AWS", credentials.message)),
                failed("account", &failure),
            ];
            (None, found.into_iter().chain(skip_all("the account is not known")).collect())
        }
    }
}

/// The local cloud, if it runs.
async fn local_site(session: &Session) -> Option<Site> {
    let is_running = home().ok()?.running().ok()?.is_some_and(|running| running.is_current());
    let account = if is_running { open_in(session, None).await.ok()? } else { return None };
    let id = tokio::time::timeout(LIMIT, account.id()).await.ok()?.ok()?;
    Some(Site { account, id })
}

/// Why AWS cannot be asked: a region is missing, or credentials are.
async fn unopened(session: &Session, region: Option<&str>, failure: &Failure) -> Found {
    let access = Access::Aws {
        profile: session.global.profile.clone(),
        region: session.global.region.clone(),
        manifest_region: region.map(str::to_owned),
    };
    let lacks_region = Account::region_of(access).await.is_err_and(|error| error.reason == Reason::NoRegion);
    let why = "without credentials and a region, AWS cannot be asked";
    let mut found = vec![if lacks_region {
        skipped("credentials", "without a region, they are not looked for")
    } else {
        failed("credentials", failure)
    }];
    found.extend(NEED_AN_ACCOUNT.map(|name| match name {
        "region" if lacks_region => failed(name, failure),
        name => skipped(name, why),
    }));
    found
}

fn guarded(session: &Session, project: Option<&Project>, site: &Site) -> Diagnosis {
    const NAME: &str = "account";
    let guard = project.map_or(Ok(()), |project| site.refuse_other_account(session, &project.manifest));
    let caller = site.account.caller_arn().unwrap_or("an unknown caller");
    match guard {
        Ok(()) => ok(NAME, format!("{}, as {caller}", site.id)),
        Err(failure) => failed(NAME, &failure),
    }
}

fn clock(site: &Site) -> Diagnosis {
    match site.account.wrong_clock() {
        None => ok("clock", "within a minute of AWS's"),
        Some(wrong) => warning(
            "clock",
            format!("this machine's clock is {wrong}; lamstream uses AWS's time, other programs do not"),
            "set the clock, such as with `sudo timedatectl set-ntp true`",
        ),
    }
}

async fn of_account(project: Option<&Project>, site: &Site) -> Found {
    let region = limited("region", region(project, site));
    let concurrency = limited("concurrency", concurrency(project, site));
    let permissions = limited("permissions", permissions(project, site));
    let (region, adapters, concurrency, permissions) =
        tokio::join!(region, adapters(project, site), concurrency, permissions);
    let streaming = skipped("streaming", "AWS has no API for this; a check with `streams` finds out");
    let mut found = vec![region, streaming];
    found.extend(adapters);
    found.extend([concurrency, public_urls(project), permissions]);
    found
}

async fn region(project: Option<&Project>, site: &Site) -> Diagnosis {
    const NAME: &str = "region";
    let region = &site.account.region;
    let named = project.and_then(|project| Some((project, project.functions.first()?)));
    let function =
        named.map_or_else(|| "lamstream-doctor".to_owned(), |(project, one)| site.names(project, one).function_name());
    match site.account.has_urls(&function).await {
        Ok(true) => ok(NAME, format!("{region} has Function URLs")),
        Ok(false) => {
            let message = format!("{region} has no Function URLs");
            let hint = "choose another region with `--region` or in the manifest; docs/aws.md lists those without";
            match any(project, |function| function.url.is_some()) {
                true => problem(NAME, message, hint),
                false => warning(NAME, message, hint),
            }
        }
        Err(error) => failed(NAME, &error.into()),
    }
}

/// Whether the layers of web apps can be read.
async fn adapters(project: Option<&Project>, site: &Site) -> Found {
    let region = &site.account.region;
    let functions = project.into_iter().flat_map(|project| &project.functions);
    let mut layers = BTreeSet::new();
    let mut found = Vec::new();
    for function in functions {
        match &function.web {
            Some(web) if !web.is_published_in(region) => {
                found.push(failed("adapter", &Failure::no_adapter_layer(&function.name, region)));
            }
            _ => layers.extend(function.all_layers(region, function.architecture)),
        }
    }
    let checks = layers.iter().map(|layer| limited("layer", one_layer(site, layer)));
    found.extend(join_all(checks).await);
    found
}

async fn one_layer(site: &Site, layer: &str) -> Diagnosis {
    let hint = "correct `adapter_layer` or `layers` in the manifest, or allow `lambda:GetLayerVersion` on it";
    match site.account.has_layer(layer).await {
        Ok(true) => ok("layer", format!("`{layer}` can be read")),
        Ok(false) => problem("layer", format!("`{layer}` does not exist"), hint),
        Err(error) if error.reason == Reason::Denied => {
            problem("layer", format!("`{layer}` cannot be read: it does not exist, or AWS denies it"), hint)
        }
        Err(error) => failed("layer", &error.into()),
    }
}

async fn concurrency(project: Option<&Project>, site: &Site) -> Diagnosis {
    const NAME: &str = "concurrency";
    let found = match site.account.concurrency().await {
        Ok(found) => found,
        Err(error) => return unknown(NAME, error),
    };
    let functions = project.into_iter().flat_map(|project| &project.functions);
    let wanted: i64 = functions.filter_map(|function| function.concurrency).map(i64::from).sum();
    let shown = format!("{} of {} instances are not reserved", found.unreserved, found.limit);
    let hint = "request more in the console of Service Quotas, under AWS Lambda: concurrent executions";
    if wanted > (found.limit - NOT_RESERVABLE).max(0) {
        let message =
            format!("{shown}, and the manifest reserves {wanted}: AWS keeps {NOT_RESERVABLE} for other functions");
        return problem(NAME, message, hint);
    }
    if wanted > (found.unreserved - NOT_RESERVABLE).max(0) {
        let message =
            format!("{shown}; the manifest reserves {wanted}, which fits only if its functions have it already");
        return warning(NAME, message, hint);
    }
    match found.unreserved {
        ..=SMALL => warning(NAME, format!("only {shown}: more requests at once are throttled"), hint),
        _ => ok(NAME, shown),
    }
}

/// The setting that blocks public policies cannot be read by a call of the SDK.
fn public_urls(project: Option<&Project>) -> Diagnosis {
    const NAME: &str = "public URLs";
    let is_public = |function: &Function| function.url.as_ref().is_some_and(|url| url.auth == Auth::None);
    match any(project, is_public) {
        true => skipped(NAME, "AWS has no API for whether the account blocks them; a blocked deploy reports it"),
        false => skipped(NAME, "no function of a manifest here has one"),
    }
}

/// What IAM would refuse, by its own simulation.
async fn permissions(project: Option<&Project>, site: &Site) -> Diagnosis {
    const NAME: &str = "permissions";
    let Some(project) = project else { return skipped(NAME, "without a manifest, it is not known which are needed") };
    let Some(principal) = site.account.principal().await else {
        return skipped(NAME, "IAM simulates the policies of users and roles only");
    };
    let manifest = &project.manifest;
    let functions: Vec<(Names, &Function)> =
        manifest.functions.iter().map(|function| (site.names(project, function), function)).collect();
    let scope = Scope {
        functions: &functions,
        all_stages: false,
        artifact_bucket: manifest.artifact_bucket.as_deref(),
        large_packages: false,
    };
    let commands: Vec<&str> = COMMANDS.into_iter().filter(|command| *command != "doctor").collect();
    let refused = match simulate(&site.account, &principal, &Policy::of(&scope, &commands)).await {
        Ok(refused) => refused,
        Err(error) => return unknown(NAME, error),
    };
    let lacking = |command: &&str| {
        let policy = Policy::of(&scope, &[command]);
        let mut actions = policy.actions().map(|(action, _)| action);
        actions.any(|action| refused.contains(action))
    };
    let commands: Vec<&str> = commands.into_iter().filter(lacking).collect();
    if refused.is_empty() {
        return ok(NAME, format!("IAM's simulation for {principal} refuses nothing that a command needs"));
    }
    let actions: Vec<&str> = refused.iter().map(String::as_str).collect();
    let message = format!("{principal} lacks {}, which is needed by {}", actions.join(", "), commands.join(", "));
    let options: Vec<String> = commands.iter().map(|command| format!("--command {command}")).collect();
    let hint = format!("attach what this prints: `lamstream policy {}`", options.join(" "));
    // A user who only looks needs no more.
    if commands.contains(&"deploy") { problem(NAME, message, hint) } else { warning(NAME, message, hint) }
}

/// The actions of a policy that IAM would refuse. All statements are simulated at once.
async fn simulate(account: &Account, principal: &str, policy: &Policy) -> Result<BTreeSet<String>, CloudError> {
    let mut statements: Vec<(String, Vec<&str>)> = Vec::new();
    for (action, resources) in policy.actions() {
        // One resource stands for all that the action is about.
        let resource = resources.iter().next().map(|pattern| example(pattern)).unwrap_or_default();
        match statements.iter_mut().find(|(of, _)| *of == resource) {
            Some((_, actions)) => actions.push(action),
            None => statements.push((resource, vec![action])),
        }
    }
    let asked = statements.iter().map(|(resource, actions)| account.refused_actions(principal, actions, resource));
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}

/// A resource that a pattern fits.
fn example(pattern: &str) -> String {
    if pattern == "*" { pattern.to_owned() } else { pattern.replace('*', "1").replace("??????", "a1B2c3") }
}

/// A check that AWS does not let these credentials make.
fn unknown(name: &str, error: CloudError) -> Diagnosis {
    match error.reason {
        Reason::Denied => skipped(name, format!("AWS denies looking at it: {}", error.message)),
        _ => skipped(name, error.to_string()),
    }
}
