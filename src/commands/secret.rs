//! `lamstream secret …`: values for functions, kept in Parameter Store below the app's path.

use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::cli::{Secret as Arguments, SecretCommand};
use crate::failure::{Failure, FailureKind};
use crate::manifest::{self, Manifest, Origin, accepts_variable};
use crate::report::{Answer, Extra, SecretAnswer};
use crate::stack::{Secret, reserved_prefix};
use crate::text::list;

/// The most bytes of a value in Parameter Store that cost nothing.
const LARGEST: usize = 4096;

pub(super) async fn secret(session: &Session, arguments: &Arguments) -> Result<Answer, Failure> {
    match &arguments.command {
        SecretCommand::Set { name } => set(session, name).await,
        SecretCommand::List => all(session).await,
        SecretCommand::Delete { name, yes } => delete(session, name, *yes).await,
    }
}

/// What the names of the app's parameters begin with, without the slash at the end.
///
/// # Errors
/// If AWS accepts no parameter of that name.
fn path(manifest: &Manifest) -> Result<String, Failure> {
    let path = manifest.secret_path();
    match reserved_prefix(&path) {
        None => Ok(path),
        Some(prefix) => Err(Failure::usage(format!(
            "cannot keep secrets for app `{}` below `{path}/`: AWS reserves parameters that begin with `{prefix}`",
            manifest.app
        ))
        .hint(format!(
            "keep each in a parameter of another name, and name it in the manifest: \
             `aws ssm put-parameter --type SecureString --name /app{path}/NAME --value VALUE`"
        ))),
    }
}

async fn set(session: &Session, name: &str) -> Result<Answer, Failure> {
    let project = Project::read(&session.global, &[])?;
    let parameter = format!("{}/{name}", path(&project.manifest)?);
    // What can be refused without the value is refused before it is typed.
    let site = Site::connect(session, &project.manifest).await?;
    let value = read_value(session, name).await?;
    session.console.hide([value.clone()]);
    let version = session.read("the secret", site.account.store_parameter(&parameter, &value)).await??;
    session.console.note(&what_next(&project, name, &parameter));
    let stored =
        SecretAnswer { name: name.to_owned(), parameter, version: Some(version), changed_at: None, changed_by: None };
    Ok(answer(&site, &project, vec![stored]))
}

/// # Errors
/// If the value is empty, too large or cannot be a variable, and if it cannot be asked for.
async fn read_value(session: &Session, name: &str) -> Result<Secret, Failure> {
    let how = format!("pipe it to the command, such as `lamstream secret set {name} < FILE`");
    let bytes = if session.console.is_stdin_a_terminal() {
        if let Some(why) = session.console.why_not_ask() {
            return Err(Failure::usage(format!("cannot ask for the value of `{name}`: {why}")).hint(how));
        }
        session.until_stopped(session.console.hidden_answer(&format!("Value of `{name}` (not shown):"))).await?
    } else {
        session.until_stopped(session.console.whole_stdin()).await?
    };
    let bytes = bytes
        .map_err(|error| Failure::usage(format!("cannot read the value of `{name}`: {error}")).hint(how.clone()))?;
    let mut text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("the value of `{name}` is not valid UTF-8, which a variable must be")))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    let why = match text.len() {
        0 => "is empty".to_owned(),
        length if length > LARGEST => format!("has {length} bytes; Parameter Store takes at most {LARGEST}"),
        _ if text.bytes().any(|byte| byte == 0) => "contains a NUL character, which no variable can contain".to_owned(),
        _ => return Ok(Secret::new(text)),
    };
    let failure = Failure::usage(format!("the value of `{name}` {why}"));
    Err(if text.is_empty() { failure.hint(how) } else { failure })
}

/// The line that uses the parameter, or who uses it already.
fn what_next(project: &Project, name: &str, parameter: &str) -> String {
    let manifest = &project.manifest;
    let reads = |origin: &Origin| matches!(origin, Origin::Ssm(named) if named == parameter);
    let users: Vec<&str> = manifest
        .functions
        .iter()
        .filter(|function| function.outside().any(|outside| reads(&outside.origin)))
        .map(|function| function.name.as_str())
        .collect();
    if !users.is_empty() {
        return format!("run `lamstream deploy` to give the new value to {}", list::quoted_and(&users));
    }
    let variable = if accepts_variable(name) { name } else { "NAME" };
    let function = manifest.functions.first().map_or("NAME", |function| function.name.as_str());
    let table = match &manifest.stage {
        Some(stage) => format!("stages.{}.functions.{function}", key(stage)),
        None => format!("functions.{function}"),
    };
    // Of a table and a pattern for the same stage, only the table counts.
    let named = manifest::stage_names(&project.text);
    let replaced = match &manifest.stage {
        Some(stage) if !named.contains(stage) => ", with the keys that the stage has from its pattern",
        _ => "",
    };
    format!(
        "to use it, write `environment.{variable} = {{ ssm = \"{parameter}\" }}` below `[{table}]`{replaced}, and run \
         `lamstream deploy`"
    )
}

/// A name as a key of TOML.
fn key(name: &str) -> String {
    let is_bare = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if is_bare { name.to_owned() } else { format!("\"{name}\"") }
}

async fn all(session: &Session) -> Result<Answer, Failure> {
    let project = Project::of_any_stage(&session.global)?;
    let path = path(&project.manifest)?;
    let site = Site::connect(session, &project.manifest).await?;
    let found = session.read("the secrets", site.account.stored_parameters(&path)).await??;
    let stored = found.into_iter().map(|parameter| SecretAnswer {
        name: parameter.name.rsplit('/').next().unwrap_or_default().to_owned(),
        changed_by: parameter.changed_by,
        parameter: parameter.name,
        version: Some(parameter.version),
        changed_at: parameter.changed_at,
    });
    let stored: Vec<SecretAnswer> = stored.collect();
    if stored.is_empty() {
        session.console.note(&format!("no secrets are stored below `{path}/` in {}", site.account.region));
    }
    Ok(answer(&site, &project, stored))
}

async fn delete(session: &Session, name: &str, yes: bool) -> Result<Answer, Failure> {
    let agreed = session.has_consent(yes, session.console.running())?;
    let project = Project::of_any_stage(&session.global)?;
    let parameter = format!("{}/{name}", path(&project.manifest)?);
    let site = Site::connect(session, &project.manifest).await?;
    if !agreed {
        session.ask(&[], &format!("Delete parameter `{parameter}` of {} with all its versions?", site.words())).await?;
    }
    let existed = session.read("the secret", site.account.delete_parameter(&parameter)).await??;
    if !existed {
        let message = format!("no parameter `{parameter}` exists in {}", site.account.region);
        return Err(Failure::new(FailureKind::Cloud, message).hint("list the secrets with `lamstream secret list`"));
    }
    let reads = |origin: &Origin| matches!(origin, Origin::Ssm(named) if *named == parameter);
    if project.manifest.functions.iter().any(|function| function.outside().any(|outside| reads(&outside.origin))) {
        session.console.note(&format!(
            "the manifest still names `{parameter}`: deployed functions keep their value, but the next deploy fails without it"
        ));
    }
    Ok(answer(&site, &project, Vec::new()))
}

fn answer(site: &Site, project: &Project, secrets: Vec<SecretAnswer>) -> Answer {
    Answer { found: site.functions(project, Vec::new()), extra: Extra::Secrets(Some(secrets)), ..Answer::default() }
}
