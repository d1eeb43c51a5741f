//! Values that the manifest takes from outside: fetched before anything is built, and only by commands that need them.

use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::failure::{Failure, Kind};
use crate::manifest::{Found, Function, Origin, Outside, Problems, fill};
use crate::stack::Secret;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most that a variable or a header can be, and the line end behind it.
const LONGEST: u64 = 4096 + 2;

/// Opens the account, and fetches all values of the chosen functions.
///
/// # Errors
/// All values that are not there: those that need no AWS before any call to it.
pub async fn connect(session: &Session, mut project: Project) -> Result<(Project, Site), Failure> {
    let found = look_up_near(&project);
    fill_values(session, &mut project, &found, Kind::Manifest)?;
    hide(session, &project, None);
    let site = Site::connect(session, &project.manifest).await?;
    let far = origins(&project, false);
    if !far.is_empty() {
        let found = session.read("the secrets", fetch(&site, &far)).await??;
        fill_values(session, &mut project, &found, Kind::Cloud)?;
        hide(session, &project, Some(&site));
    }
    Ok((project, site))
}

/// Hides the values of the chosen functions, except those that are names, which messages are full of.
fn hide(session: &Session, project: &Project, site: Option<&Site>) {
    let region = session.global.region.as_deref();
    let is_name = |value: &str| {
        region == Some(value)
            || project.functions.iter().any(|function| match site {
                Some(site) => site.names(project, function).have(value),
                None => project.manifest.has_name(function, value),
            })
    };
    let secrets = project.functions.iter().flat_map(Function::secrets).flat_map(Secret::with_parts);
    session.console.hide(secrets.filter(|secret| !is_name(secret.reveal())));
}

/// What is missing of the values that need no AWS, with what to do about it, for a caller that reports other mistakes as well.
pub fn missing_here(project: &Project) -> Option<(Problems, Vec<String>)> {
    let found = look_up_near(project);
    let problems = fill(&mut project.functions.clone(), &found, &project.text).err()?;
    let hints = Failure::without_values(Kind::Manifest, String::new(), missing(&found).into_iter(), false).hints;
    Some((problems, hints))
}

fn look_up_near(project: &Project) -> Found {
    let near = origins(project, true).into_iter();
    near.map(|origin| (origin.clone(), look_up(&origin, &project.directory))).collect()
}

fn missing(found: &Found) -> Vec<&Origin> {
    found.iter().filter(|(_, value)| value.is_err()).map(|(origin, _)| origin).collect()
}

/// Opens the account for a command that deploys no values: it needs those of the checks alone, and where one cannot be
/// read, the check that needs it is left out, and named.
///
/// # Errors
/// Those of opening the account; none for a value.
pub async fn connect_for_checks(
    session: &Session,
    mut project: Project,
    verify: bool,
) -> Result<(Project, Site), Failure> {
    for function in &mut project.functions {
        function.outside.clear();
        if !verify {
            function.checks.iter_mut().for_each(|check| check.outside.clear());
        }
    }
    let (mut project, site, missing) = connect_with_what_is_there(session, project).await?;
    for function in &mut project.functions {
        for check in function.checks.extract_if(.., |check| !check.outside.is_empty()) {
            let lacking: Vec<String> = check.outside.iter().filter_map(|outside| missing.why(outside)).collect();
            let (name, path) = (&function.name, &check.path);
            session.console.note(&format!("`{name}`: the check of `{path}` is left out: {}", lacking.join(", ")));
        }
    }
    Ok((project, site))
}

/// Values that cannot be read here, and why, in words that follow "which".
pub struct Missing(Found);

impl Missing {
    fn why(&self, outside: &Outside) -> Option<String> {
        let why = self.0.get(&outside.origin)?.as_ref().err()?;
        Some(format!("`{}` comes from {}, which {why}", outside.name, outside.origin))
    }

    /// The variables of a function that cannot be compared, each with the reason.
    pub fn variables(&self, function: &Function) -> Vec<(String, String)> {
        let variable = |outside: &Outside| Some((outside.name.clone(), self.why(outside)?));
        function.outside.iter().filter_map(variable).collect()
    }
}

/// Opens the account, and fetches what values can be fetched here; the others stay outside.
///
/// # Errors
/// Those of opening the account; none for a value.
pub async fn connect_with_what_is_there(
    session: &Session,
    mut project: Project,
) -> Result<(Project, Site, Missing), Failure> {
    let near = origins(&project, true).into_iter();
    let mut found: Found = near.map(|origin| (origin.clone(), look_up(&origin, &project.directory))).collect();
    let site = Site::connect(session, &project.manifest).await?;
    let far = origins(&project, false);
    if !far.is_empty() {
        let fetched = session.read("the secrets", fetch(&site, &far)).await?;
        found.extend(fetched.unwrap_or_else(|failure| {
            let why = format!("cannot be read: {}", failure.message);
            far.iter().map(|origin| (origin.clone(), Err(why.clone()))).collect()
        }));
    }
    let (there, missing): (Found, Found) = found.into_iter().partition(|(_, value)| value.is_ok());
    fill_values(session, &mut project, &there, Kind::Manifest)?;
    hide(session, &project, Some(&site));
    Ok((project, site, Missing(missing)))
}

fn origins(project: &Project, near: bool) -> BTreeSet<Origin> {
    let all = project.functions.iter().flat_map(Function::outside).map(|outside| outside.origin.clone());
    all.filter(|origin| origin.is_near() == near).collect()
}

/// `missing` is the kind of failure when something is not there; what is there and cannot be used is the manifest's.
fn fill_values(session: &Session, project: &mut Project, found: &Found, missing: Kind) -> Result<(), Failure> {
    fill(&mut project.functions, found, &project.text).map_err(|problems| {
        let message = problems.render(&session.global.manifest.display().to_string(), &project.text);
        let without = self::missing(found);
        let kind = if without.is_empty() { Kind::Manifest } else { missing };
        Failure::without_values(kind, message, without.into_iter(), session.global.local)
    })
}

/// What needs no AWS. The empty string counts as missing: CI systems have it for secrets that they do not know.
fn look_up(origin: &Origin, directory: &Path) -> Result<Secret, String> {
    let value = match origin {
        Origin::Env(name) => variable(name)?,
        Origin::File(path) => contents(&directory.join(path))?,
        Origin::Ssm(_) | Origin::Secret(_) => return Err("is not on this machine".into()),
    };
    if value.is_empty() { Err("is empty".into()) } else { Ok(Secret::new(value)) }
}

fn variable(name: &str) -> Result<String, String> {
    let value = std::env::var_os(name).ok_or("is not set")?;
    value.into_string().map_err(|_| "is not text in UTF-8".into())
}

/// The contents of a file, without the one line end that editors and `echo` add.
fn contents(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > LONGEST {
        return Err("is longer than the 4096 bytes that all variables may have together".into());
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not text in UTF-8")?;
    let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(line.unwrap_or(&text).to_owned())
}

async fn fetch(site: &Site, origins: &BTreeSet<Origin>) -> Result<Found, Failure> {
    let parameters: Vec<&str> =
        origins.iter().filter_map(|origin| if let Origin::Ssm(name) = origin { Some(&**name) } else { None }).collect();
    let secrets: Vec<&str> = origins
        .iter()
        .filter_map(|origin| if let Origin::Secret(name) = origin { Some(&**name) } else { None })
        .collect();
    let (parameters, secrets) =
        tokio::try_join!(site.account.parameters(&parameters), site.account.secrets_named(&secrets))?;
    let parameters = parameters.into_iter().map(|(name, value)| (Origin::Ssm(name), value));
    let secrets = secrets.into_iter().map(|(name, value)| (Origin::Secret(name), value));
    Ok(parameters.chain(secrets).collect())
}
