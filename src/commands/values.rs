//! Values that the manifest takes from outside: fetched before anything is built, and only by commands that need them.

use super::run::Run;
use super::site::{Project, Site};
use crate::failure::{Failure, Kind};
use crate::manifest::{Found, Function, Origin, Problems, fill};
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
pub async fn connect(run: &Run, mut project: Project) -> Result<(Project, Site), Failure> {
    let found = look_up_near(&project);
    filled(run, &mut project, &found, Kind::Manifest)?;
    run.console.hide(project.functions.iter().flat_map(Function::secrets));
    let site = run.connect(&project.manifest).await?;
    let far = origins(&project, false);
    if !far.is_empty() {
        let found = run.looking("the secrets", fetch(&site, &far)).await??;
        filled(run, &mut project, &found, Kind::Cloud)?;
        run.console.hide(project.functions.iter().flat_map(Function::secrets));
    }
    Ok((project, site))
}

/// What is missing of the values that need no AWS, with what to do about it, for who has more to say that is wrong.
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

fn missing(found: &Found) -> Vec<&'static str> {
    found.iter().filter(|(_, value)| value.is_err()).map(|(origin, _)| origin.key()).collect()
}

/// The same for a command that may do without the values.
pub async fn connect_for(run: &Run, project: Project, needs_values: bool) -> Result<(Project, Site), Failure> {
    if needs_values {
        return connect(run, project).await;
    }
    let site = run.connect(&project.manifest).await?;
    Ok((project, site))
}

fn origins(project: &Project, near: bool) -> BTreeSet<Origin> {
    let all = project.functions.iter().flat_map(Function::outside).map(|outside| outside.origin.clone());
    all.filter(|origin| origin.is_near() == near).collect()
}

/// `missing` is the kind of failure when something is not there; what is there and cannot be used is the manifest's.
fn filled(run: &Run, project: &mut Project, found: &Found, missing: Kind) -> Result<(), Failure> {
    fill(&mut project.functions, found, &project.text).map_err(|problems| {
        let message = problems.render(&run.global.manifest.display().to_string(), &project.text);
        let without = self::missing(found);
        let kind = if without.is_empty() { Kind::Manifest } else { missing };
        Failure::without_values(kind, message, without.into_iter(), run.global.local)
    })
}

/// What needs no AWS. The empty string is no value: CI systems have it for secrets that they do not know.
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

/// What stands in a file, without the one line end that editors and `echo` put behind it.
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
