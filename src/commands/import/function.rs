//! `lamstream import function`: a manifest for a function that is deployed already.

use super::{Destination, ManifestRules, answer, failure};
use crate::apply::Cloud;
use crate::aws::{Account, Deployed, DeployedUrl, Place};
use crate::cli::ImportFunction;
use crate::commands::proposal::Proposal;
use crate::commands::session::Session;
use crate::commands::site::open_in;
use crate::failure::{Failure, FailureKind};
use crate::manifest::{self, Manifest};
use crate::plan::Plan;
use crate::report::{Answer, FunctionAnswer, Functions, plan_lines};
use crate::stack::{Arn, Auth, Cors, InvokeMode, Logging, Names, Platform, Secret, Tracing, UnmanagedSetting};
use bytes::Bytes;
use import::{Imported, LiveFunction, Options, Retention};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Parts of the names of variables whose values are secrets.
const SECRET: [&str; 10] = [
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "PRIVATE",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "SIGNING_KEY",
];

/// How such values start.
const FORMS: [&str; 8] = ["-----BEGIN ", "sk-", "AKIA", "ghp_", "github_pat_", "xoxb-", "AIza", "eyJ"];

pub(super) async fn function(session: &Session, arguments: &ImportFunction) -> Result<Answer, Failure> {
    let destination = Destination::new(&arguments.out)?;
    let (app, name) = names(arguments)?;
    let account = open_in(session, None).await?;
    let id = session.read("the account", account.id()).await??;
    let deployed = session.read("the function", account.deployed(&arguments.name)).await??;
    let deployed = deployed.ok_or_else(|| missing(&arguments.name, &account.region))?;
    let code = destination.directory().join(format!("{}.zip", arguments.name));
    if !destination.is_stdout() && code.symlink_metadata().is_ok() {
        return Err(Failure::exists(&code.display().to_string()));
    }
    let zip = session.read("the code", account.code_of(&arguments.name, &deployed)).await??;
    let imported = imported(arguments, &deployed, (&app, &name), (&account.region, &id))?;
    let found = planned(session, &account, &id, &deployed, &imported, arguments).await?;
    if let Some(zip) = zip.filter(|_| !destination.is_stdout()) {
        keep(&code, &zip)?;
        session.console.note(&format!("wrote `{}`, the code of `{}`", code.display(), arguments.name));
    }
    let import = destination.finish(session, imported)?;
    if let Some(function) = found.functions.first() {
        explain(session, arguments, function);
    }
    Ok(Answer { found, ..answer(import) })
}

/// The app and the function whose name on AWS is `APP-FUNCTION`. A name without a `-` cannot be taken over.
fn names(arguments: &ImportFunction) -> Result<(String, String), Failure> {
    let name = &arguments.name;
    match &arguments.app {
        Some(app) => match name.strip_prefix(app.as_str()).and_then(|rest| rest.strip_prefix('-')) {
            Some(rest) if !rest.is_empty() => Ok((app.clone(), rest.to_owned())),
            _ => Err(Failure::usage(format!("`{name}` does not begin with `{app}-`"))
                .hint("name the beginning of the function's name with `--app`, without the last `-`")),
        },
        None => Ok(match name.rsplit_once('-').filter(|(app, rest)| !app.is_empty() && !rest.is_empty()) {
            Some((app, rest)) => (app.to_owned(), rest.to_owned()),
            None => (name.trim_matches('-').to_owned(), name.trim_matches('-').to_owned()),
        }),
    }
}

fn missing(name: &str, region: &str) -> Failure {
    Failure::new(FailureKind::Cloud, format!("function `{name}` does not exist in {region}"))
        .hint("list the functions with `aws lambda list-functions`, or set another `--region` or `--profile`")
}

fn keep(path: &Path, zip: &Bytes) -> Result<(), Failure> {
    let write = || {
        let mut file = std::fs::File::create_new(path)?;
        std::io::Write::write_all(&mut file, zip)
    };
    write().map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", path.display())))
}

fn imported(
    arguments: &ImportFunction,
    deployed: &Deployed,
    (app, name): (&str, &str),
    (region, account): (&str, &str),
) -> Result<Imported, Failure> {
    let template = template(arguments, name, deployed).to_string();
    let secrets: Vec<String> = deployed
        .configuration
        .environment
        .iter()
        .filter(|(name, value)| is_secret(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    let live = LiveFunction {
        name: &arguments.name,
        app,
        function: name,
        region,
        account,
        template: &template,
        retention: deployed.retention.map(|days| days.map_or(Retention::Never, |days| Retention::Days(days.into()))),
        secrets: &secrets,
        beside: &beside(arguments, deployed, (app, name)),
    };
    let options = Options {
        app,
        region: Some(region),
        account: Some(account),
        template_directory: "",
        rules: &ManifestRules,
        files: &super::Beside(PathBuf::from(".")),
    };
    import::live(&live, options).map_err(|invalid| failure("the function", invalid))
}

/// By its name, or by its form: a URL with a password, a private key, or a key of a well-known service.
fn is_secret(name: &str, value: &Secret) -> bool {
    let (upper, value) = (name.to_uppercase(), value.reveal());
    let user = value.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next()?.rsplit_once('@'));
    SECRET.iter().any(|part| upper.contains(part))
        || upper.ends_with("_KEY")
        || user.is_some_and(|(user, _)| user.contains(':'))
        || FORMS.iter().any(|start| value.starts_with(start))
}

/// The function as a SAM template would have it.
fn template(arguments: &ImportFunction, name: &str, deployed: &Deployed) -> Value {
    let configuration = &deployed.configuration;
    let settings = &configuration.settings;
    let environment: Map<String, Value> =
        configuration.environment.iter().map(|(name, value)| (name.clone(), value.reveal().into())).collect();
    let tags: Map<String, Value> = deployed.tags.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let tags: Map<String, Value> = tags.into_iter().filter(|(name, _)| !name.starts_with("lamstream:")).collect();
    let mut properties = json!({
        "CodeUri": format!("{}.zip", arguments.name),
        "Handler": configuration.handler,
        "Runtime": configuration.runtime,
        "Architectures": [configuration.architecture.as_str()],
        "MemorySize": settings.memory,
        "Timeout": settings.timeout,
        "EphemeralStorage": { "Size": settings.ephemeral_storage },
        "Role": configuration.role_arn,
    });
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            properties[name] = value;
        }
    };
    set("Description", (!deployed.description.is_empty()).then(|| deployed.description.clone().into()));
    set("Environment", (!environment.is_empty()).then(|| json!({ "Variables": environment })));
    set("Tags", (!tags.is_empty()).then(|| tags.into()));
    set("Layers", (!configuration.layers.is_empty()).then(|| json!(configuration.layers)));
    set("ReservedConcurrentExecutions", deployed.concurrency.map(Value::from));
    set("SnapStart", settings.snap_start.then(|| json!({ "ApplyOn": "PublishedVersions" })));
    set("LoggingConfig", logging(arguments, configuration));
    set("FunctionUrlConfig", url(deployed).map(|found| url_config(&found.url)));
    let attachments = &configuration.attachments;
    set("Tracing", (attachments.tracing == Tracing::Active).then(|| "Active".into()));
    set("KmsKeyArn", attachments.kms_key.clone().map(Value::from));
    set(
        "DeadLetterQueue",
        attachments.dead_letter.as_ref().map(|arn| {
            let is_topic = Arn::parse(arn).is_some_and(|arn| arn.service == "sns");
            let kind = if is_topic { "SNS" } else { "SQS" };
            json!({ "Type": kind, "TargetArn": arn })
        }),
    );
    set(
        "VpcConfig",
        attachments.vpc.as_ref().map(|vpc| {
            let mut config = json!({ "SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.security_groups });
            if vpc.ipv6 {
                config["Ipv6AllowedForDualStack"] = true.into();
            }
            config
        }),
    );
    let systems = attachments.file_systems.iter();
    let systems: Vec<Value> =
        systems.map(|system| json!({ "Arn": system.arn, "LocalMountPath": system.path })).collect();
    set("FileSystemConfigs", (!systems.is_empty()).then(|| systems.into()));
    json!({
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": { name: { "Type": "AWS::Serverless::Function", "Properties": properties } },
    })
}

fn logging(arguments: &ImportFunction, configuration: &crate::stack::Configuration) -> Option<Value> {
    let mut logging = Map::new();
    if let Logging::Json { level, system_level } = configuration.logging {
        logging.insert("LogFormat".into(), "JSON".into());
        logging.insert("ApplicationLogLevel".into(), level.as_str().to_uppercase().into());
        logging.insert("SystemLogLevel".into(), system_level.as_str().to_uppercase().into());
    }
    if configuration.log_group != crate::stack::log_group(&arguments.name) {
        logging.insert("LogGroup".into(), configuration.log_group.clone().into());
    }
    (!logging.is_empty()).then_some(logging.into())
}

/// The URL that the manifest gets: that of `live`, if there is one.
fn url(deployed: &Deployed) -> Option<&DeployedUrl> {
    let of = |alias: Option<&str>| deployed.urls.iter().find(move |url| url.alias.as_deref() == alias);
    of(Some(Names::ALIAS)).or_else(|| of(None)).or(deployed.urls.first())
}

fn url_config(url: &crate::stack::FunctionUrl) -> Value {
    let auth = match url.auth {
        Auth::None => "NONE",
        Auth::AwsIam => "AWS_IAM",
    };
    let mode = match url.mode {
        InvokeMode::ResponseStream => "RESPONSE_STREAM",
        InvokeMode::Buffered => "BUFFERED",
    };
    let mut config = json!({ "AuthType": auth, "InvokeMode": mode });
    if let Some(cors) = &url.cors {
        config["Cors"] = cors_config(cors);
    }
    config
}

fn cors_config(cors: &Cors) -> Value {
    let lists = [
        ("AllowOrigins", &cors.allow_origins),
        ("AllowMethods", &cors.allow_methods),
        ("AllowHeaders", &cors.allow_headers),
        ("ExposeHeaders", &cors.expose_headers),
    ];
    let mut config: Map<String, Value> =
        lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name.into(), json!(list))).collect();
    if cors.allow_credentials {
        config.insert("AllowCredentials".into(), true.into());
    }
    if let Some(seconds) = cors.max_age {
        config.insert("MaxAge".into(), seconds.into());
    }
    config.into()
}

/// What belongs to the function and is in no manifest: what it is, what to do, and whether it blocks a deploy.
fn beside(arguments: &ImportFunction, deployed: &Deployed, (app, name): (&str, &str)) -> Vec<(String, String, bool)> {
    let on_aws = &arguments.name;
    let mut beside = Vec::new();
    let full = format!("{app}-{name}");
    if full != *on_aws {
        beside.push((
            format!(
                "its name has no `-`, and lamstream's functions are called APP-FUNCTION: it deploys `{full}` beside it"
            ),
            format!("delete `{on_aws}` when nothing calls it any more"),
            false,
        ));
    }
    if let Some(stack) = &deployed.stack {
        beside.push((
            format!(
                "the CloudFormation stack `{stack}` manages it, and its next update would undo lamstream's changes"
            ),
            "remove it from the stack first, with `DeletionPolicy: Retain`".to_owned(),
            false,
        ));
    }
    beside.extend(other_urls(arguments, deployed));
    for caller in &deployed.callers {
        beside.push((
            format!("`{caller}` invokes it, and a manifest has no key for that"),
            "nothing to do: it keeps invoking what it invokes now; point it to the alias `live` if you want releases"
                .to_owned(),
            false,
        ));
    }
    for setting in &deployed.outside {
        let is_image = *setting == UnmanagedSetting::ContainerImage;
        let what = if is_image {
            "it is a container image, and lamstream deploys zips".to_owned()
        } else {
            format!("{setting}: not supported by lamstream")
        };
        let advice = if is_image {
            "build a zip of its app, and name it as `package`"
        } else {
            "the next version keeps it; remove it with the aws CLI if you do not need it"
        };
        beside.push((what, advice.to_owned(), is_image));
    }
    beside
}

/// The URLs that lamstream does not take over.
fn other_urls(arguments: &ImportFunction, deployed: &Deployed) -> Vec<(String, String, bool)> {
    let on_aws = &arguments.name;
    let mut beside = Vec::new();
    for found in deployed.urls.iter().filter(|found| found.alias.as_deref() != Some(Names::ALIAS)) {
        let (of, option, serves) = match &found.alias {
            Some(alias) => {
                (format!("the alias `{alias}`"), format!(" --qualifier {alias}"), "the version of that alias")
            }
            None => ("`$LATEST`".to_owned(), String::new(), "each new version before it passes its checks"),
        };
        beside.push((
            format!("its URL {} belongs to {of}: lamstream creates another for `live`, and this one then serves {serves}", found.address),
            format!(
                "move its callers to the new URL, then run `aws lambda delete-function-url-config --function-name {on_aws}{option}`"
            ),
            false,
        ));
    }
    beside
}

/// What `deploy --adopt` would change, if the manifest is valid and its function has this name.
async fn planned(
    session: &Session,
    account: &Account,
    id: &str,
    deployed: &Deployed,
    imported: &Imported,
    arguments: &ImportFunction,
) -> Result<Functions, Failure> {
    let found = |functions| Functions {
        account: Some(id.to_owned()),
        region: Some(account.region.clone()),
        endpoint: account.endpoint.clone(),
        stage: None,
        functions,
    };
    let Ok(manifest) = manifest::parse(&imported.manifest, None) else { return Ok(found(Vec::new())) };
    let Some((names, plan)) = plan(session, account, id, deployed, &manifest, arguments).await? else {
        return Ok(found(Vec::new()));
    };
    Ok(found(vec![FunctionAnswer { plan: Some(plan), ..FunctionAnswer::of(names) }]))
}

async fn plan(
    session: &Session,
    account: &Account,
    id: &str,
    deployed: &Deployed,
    manifest: &Manifest,
    arguments: &ImportFunction,
) -> Result<Option<(Names, Plan)>, Failure> {
    let Some(mut function) = manifest.functions.first().cloned() else { return Ok(None) };
    let names = manifest.names(&function, &account.region, id);
    if names.function_name() != arguments.name {
        return Ok(None);
    }
    for outside in std::mem::take(&mut function.outside) {
        let value = deployed.configuration.environment.get(&outside.name).cloned();
        function.environment.extend(value.map(|value| (outside.name, value)));
    }
    let place = Place::new(account, names.clone());
    let current = session.read("what is deployed", place.observe()).await??;
    let platform = Platform::on_lambda(function.runtime.clone(), function.architecture);
    let target = function.target(&names, &platform, Some(&deployed.code_sha256));
    Ok(Some((names, Proposal::new(current, target).plan)))
}

/// Says what taking the function over means.
fn explain(session: &Session, arguments: &ImportFunction, function: &FunctionAnswer) {
    let (Some(names), Some(plan)) = (&function.names, &function.plan) else { return };
    let name = &arguments.name;
    if plan.is_empty() {
        return session.console.note(&format!("`lamstream deploy` would change nothing of `{name}`"));
    }
    session.console.note(&format!("`lamstream deploy --adopt` takes `{name}` over, and changes:"));
    session.console.show(&plan_lines(names, plan));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names_and_forms() {
        for (name, value, expected) in [
            ("API_TOKEN", "x", true),
            ("SIGNING_KEY", "x", true),
            ("DATABASE_URL", "postgres://app:pw@db.internal/x?a=b", true),
            ("DATABASE_URL", "postgres://db.internal/x@y:z", false),
            ("OPENAI", "sk-abc", true),
            ("METHODS", "GET,POST", false),
            ("KEYBOARD", "us", false),
        ] {
            assert_eq!(is_secret(name, &Secret::new(value)), expected, "{name}={value}");
        }
    }
}
