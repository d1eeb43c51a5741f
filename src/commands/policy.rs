//! `lamstream policy`: prints the smallest IAM policy for the manifest.

use super::project::Project;
use super::session::Session;
use super::site::{open, region};
use crate::cli::Policy as Arguments;
use crate::failure::Failure;
use crate::manifest::{self, Manifest, Origin};
use crate::policy::{COMMANDS, MANAGED_CHARACTERS, Policy, Scope};
use crate::report::{Answer, Extra, Functions, PolicyAnswer};

/// What a deployer runs only if told to.
const NOT_BY_DEFAULT: [&str; 3] = ["destroy", "secret", "doctor"];

pub(super) async fn policy(session: &Session, arguments: &Arguments) -> Result<Answer, Failure> {
    let project = Project::read(&session.global, &[])?;
    let manifest = &project.manifest;
    let (account, region) = place(session, arguments, manifest).await?;
    let others = if arguments.all_stages { other_stages(&project) } else { Vec::new() };
    let all: Vec<&Manifest> = std::iter::once(manifest).chain(&others).collect();
    let functions: Vec<_> = all
        .iter()
        .flat_map(|manifest| manifest.functions.iter().map(|function| (*manifest, function)))
        .map(|(manifest, function)| (manifest.names(function, &region, &account), function))
        .collect();
    let scope = Scope {
        functions: &functions,
        all_stages: arguments.all_stages,
        artifact_bucket: manifest.artifact_bucket.as_deref(),
        large_packages: arguments.large_packages,
    };
    let default: Vec<&str> = COMMANDS.into_iter().filter(|command| !NOT_BY_DEFAULT.contains(command)).collect();
    let typed: Vec<&str> = arguments.commands.iter().map(String::as_str).collect();
    let policy = Policy::of(&scope, if typed.is_empty() { &default } else { &typed });
    let stored = |origin: &Origin| matches!(origin, Origin::Ssm(_) | Origin::Secret(_));
    if functions.iter().any(|(_, function)| function.outside().any(|outside| stored(&outside.origin))) {
        session
            .console
            .note("a parameter or secret that is encrypted with your own KMS key also needs `kms:Decrypt` on that key");
    }
    if policy.size() > MANAGED_CHARACTERS {
        let size = policy.size();
        session.console.note(&format!(
            "the policy has {size} characters, and IAM allows {MANAGED_CHARACTERS} in a managed one; `--all-stages` makes it shorter"
        ));
    }
    let found = Functions {
        account: Some(account),
        region: Some(region),
        stage: manifest.stage.clone(),
        ..Functions::default()
    };
    let answer = PolicyAnswer { text: policy.text(), json: policy.json() };
    Ok(Answer { found, extra: Extra::Policy(Some(answer)), ..Answer::default() })
}

/// The account and the region, without credentials if they are known.
async fn place(session: &Session, arguments: &Arguments, manifest: &Manifest) -> Result<(String, String), Failure> {
    let known = manifest.account.as_ref().filter(|_| !session.global.local);
    if let (Some(typed), Some(known)) = (&arguments.account, known)
        && typed != known
    {
        let message = format!("the manifest is for account `{known}`, but `--account` is `{typed}`");
        return Err(Failure::usage(message).hint("leave out `--account`, or change `account` in the manifest"));
    }
    match arguments.account.as_ref().or(known) {
        Some(account) => Ok((account.clone(), region(session, manifest).await?)),
        None => {
            let account = open(session, manifest).await?;
            Ok((session.read("the account", account.id()).await??, account.region.clone()))
        }
    }
}

/// The manifest with each of its stages; of a pattern, with one stage that it fits.
fn other_stages(project: &Project) -> Vec<Manifest> {
    let stages = project.manifest.stages.iter().map(|stage| stage.replace('*', "1"));
    // All stages were checked with the manifest.
    stages.filter_map(|stage| manifest::parse_for_any_stage(&project.text, Some(&stage)).ok()).collect()
}
