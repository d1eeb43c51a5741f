//! Fetches the values that the manifest takes from outside: before anything is built, and only for commands that need
//! them.

use super::foresight::{Foresight, Purpose};
use super::prepared::Prepared;
use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::failure::{Failure, FailureKind, Problem, What, hint_for_missing};
use crate::manifest::{Found, Function, Manifest, Origin, Outside, Unfilled, fill};
use crate::stack::{NoValue, Secret};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// How to create a value where `--local` reads it.
const THERE: &str = "with `--local`, store it in the local cloud: run `eval \"$(lamstream local env)\"` first";
const NOT_TEXT: &str = "is not valid UTF-8";
/// The longest possible variable or header, followed by a line end, in bytes.
const LONGEST: u64 = 4096 + 2;
/// The longest file of variables, in bytes. It may have many comments.
const LONGEST_FILE: u64 = 64 * 1024;

/// Opens the account and fetches all values of the chosen functions, which are all if none is `named`. Also returns what was
/// read of the account in the meantime.
///
/// # Errors
/// When values are missing. Those that need no AWS are reported before any call to it.
pub(super) async fn connect(
    session: &Session,
    project: &Project,
    named: &[String],
    mut prepared: Vec<Prepared>,
) -> Result<(Site, Foresight, Vec<Prepared>), Failure> {
    let found = look_up_near(project);
    let functions = prepared.iter_mut().map(|prepared| &mut prepared.function);
    fill_values(session, Written::of(project), functions, &found, FailureKind::Manifest)?;
    hide(session, project, prepared.iter().map(|prepared| &prepared.function), None);
    let (site, foresight) = Site::connect_to(session, project, Purpose::Deploy { all: named.is_empty() }).await?;
    // Names that depend on the account and the region were not known before.
    let functions = || prepared.iter().map(|prepared| &prepared.function);
    session.console.show_again(|value| functions().any(|function| site.names(project, function).have(value)));
    let far = origins(project, false);
    if !far.is_empty() {
        let found = session.read("the secrets", fetch(&site, &far)).await??;
        let functions = prepared.iter_mut().map(|prepared| &mut prepared.function);
        fill_values(session, Written::of(project), functions, &found, FailureKind::Cloud)?;
        hide(session, project, prepared.iter().map(|prepared| &prepared.function), Some(&site));
    }
    Ok((site, foresight, prepared))
}

/// Hides the values of functions, except values that are also names, because messages contain many names.
fn hide<'f>(
    session: &Session,
    project: &Project,
    functions: impl Iterator<Item = &'f Function> + Clone,
    site: Option<&Site>,
) {
    let region = session.global.region.as_deref();
    let is_name = |value: &str| {
        region == Some(value)
            || functions.clone().any(|function| match site {
                Some(site) => site.names(project, function).have(value),
                None => project.manifest.has_name(function, value),
            })
    };
    let secrets = functions.clone().flat_map(Function::secrets);
    session.console.hide(secrets.filter(|secret| !is_name(secret.reveal())));
}

/// The problems with values that need no AWS, for a caller that reports other mistakes as well.
pub(super) fn unfilled_here(project: &Project) -> Vec<Unfilled> {
    fill(&mut project.functions.clone(), &look_up_near(project), &project.text).err().unwrap_or_default()
}

fn look_up_near(project: &Project) -> Found {
    let near = origins(project, true).into_iter();
    near.map(|origin| (origin.clone(), look_up(&origin, &project.directory))).collect()
}

/// What is wrong with the values, each at its place. Also how many could not be asked for, because AWS was not asked or did
/// not answer.
pub(super) async fn wrong(session: &Session, project: &Project, site: Option<&Site>) -> (Vec<Problem>, usize) {
    let mut found = look_up_near(project);
    let far = origins(project, false);
    if let Some(site) = site.filter(|_| !far.is_empty()) {
        found.extend(fetch(site, &far).await.unwrap_or_default());
    }
    let unknown = far.iter().filter(|origin| !found.contains_key(origin)).count();
    let unfilled = fill(&mut project.functions.clone(), &found, &project.text).err().unwrap_or_default();
    (problems(session, Written::of(project), &unfilled), unknown)
}

/// Opens the account for a command that deploys no values and needs only those of the checks. If one of these cannot be
/// read, lamstream leaves out the check that needs it, and says so.
///
/// # Errors
/// Those of opening the account. A value that cannot be read is not an error.
pub(super) async fn connect_for_checks(
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

/// Values that cannot be read here, with the reasons, each worded to follow "which".
pub(super) struct Missing(Found);

impl Missing {
    fn why(&self, outside: &Outside) -> Option<String> {
        let why = self.0.get(&outside.origin)?.as_ref().err()?;
        Some(format!("`{}` comes from {}, which {why}", outside.name, outside.origin))
    }

    /// The variables of a function that cannot be compared, each with the reason.
    pub(super) fn variables(&self, function: &Function) -> Vec<(String, String)> {
        let variable = |outside: &Outside| Some((outside.name.clone(), self.why(outside)?));
        function.outside.iter().filter_map(variable).collect()
    }
}

/// Opens the account and fetches the values that can be read here. The others stay in `outside`.
///
/// # Errors
/// Those of opening the account. A value that cannot be read is not an error.
pub(super) async fn connect_with_what_is_there(
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
            let why = NoValue::Unreadable(format!("cannot be read: {}", failure.message));
            far.iter().map(|origin| (origin.clone(), Err(why.clone()))).collect()
        }));
    }
    let (there, missing): (Found, Found) = found.into_iter().partition(|(_, value)| value.is_ok());
    let written = Written { manifest: &project.manifest, text: &project.text };
    fill_values(session, written, &mut project.functions, &there, FailureKind::Manifest)?;
    hide(session, &project, project.functions.iter(), Some(&site));
    Ok((project, site, Missing(missing)))
}

fn origins(project: &Project, near: bool) -> BTreeSet<Origin> {
    let all = project.functions.iter().flat_map(Function::outside).map(|outside| outside.origin.clone());
    all.filter(|origin| origin.is_near() == near).collect()
}

/// The manifest, and the text that it was read from.
#[derive(Clone, Copy)]
struct Written<'a> {
    manifest: &'a Manifest,
    text: &'a str,
}

impl Written<'_> {
    fn of(project: &Project) -> Written<'_> {
        Written { manifest: &project.manifest, text: &project.text }
    }
}

/// `missing` is the kind of failure if a value is missing. A value that exists but cannot be used is an error in the
/// manifest.
fn fill_values<'f>(
    session: &Session,
    written: Written<'_>,
    functions: impl IntoIterator<Item = &'f mut Function>,
    found: &Found,
    missing: FailureKind,
) -> Result<(), Failure> {
    fill(functions, found, written.text).map_err(|unfilled| {
        let kind = if unfilled.iter().any(|one| one.missing.is_some()) { missing } else { FailureKind::Manifest };
        Failure::of_problems(kind, problems(session, written, &unfilled))
    })
}

fn problems(session: &Session, written: Written<'_>, unfilled: &[Unfilled]) -> Vec<Problem> {
    let path = session.global.manifest.display().to_string();
    let problem = |Unfilled { problem, missing }: &Unfilled| {
        let is_elsewhere = |(origin, _): &&(Origin, NoValue)| match origin {
            // `secret set` stores it where the command reads it.
            Origin::Ssm(name) => written.manifest.secret_of(name).is_none(),
            origin => !origin.is_near(),
        };
        let there = missing.iter().filter(|_| session.global.local).filter(is_elsewhere).map(|_| THERE.to_owned());
        let hints = missing.iter().filter_map(|missing| hint_for_missing(missing, written.manifest));
        let what = What::Manifest(problem.diagnostics(&path, written.text));
        Problem { what, hints: hints.chain(there).collect() }
    };
    unfilled.iter().map(problem).collect()
}

/// Reads a value that needs no AWS. An empty value counts as missing, because CI systems set unknown secrets to the
/// empty string.
fn look_up(origin: &Origin, directory: &Path) -> Result<Secret, NoValue> {
    let value = match origin {
        Origin::Env(name) => variable(name)?,
        Origin::File(path) => contents(&directory.join(path), LONGEST)?,
        // A file without variables is as good as any.
        Origin::EnvFile(path) => return contents(&directory.join(path), LONGEST_FILE).map(Secret::new),
        Origin::Ssm(_) | Origin::Secret(_) => return Err(NoValue::Missing("is not on this machine".into())),
    };
    if value.is_empty() { Err(NoValue::Missing("is empty".into())) } else { Ok(Secret::new(value)) }
}

fn variable(name: &str) -> Result<String, NoValue> {
    let value = std::env::var_os(name).ok_or_else(|| NoValue::Missing("is not set".into()))?;
    value.into_string().map_err(|_| NoValue::Unfit(NOT_TEXT.into()))
}

/// The contents of a file, without the one line end that editors and `echo` add.
fn contents(path: &Path, longest: u64) -> Result<String, NoValue> {
    let unreadable = |error: io::Error| {
        let why = format!("cannot be read: {error}");
        if error.kind() == ErrorKind::NotFound { NoValue::Missing(why) } else { NoValue::Unreadable(why) }
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(longest + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > longest {
        let limit = match longest {
            LONGEST => "4096 bytes, Lambda's limit for all variables together".to_owned(),
            longest => format!("{longest} bytes"),
        };
        return Err(NoValue::Unfit(format!("is longer than {limit}")));
    }
    let text = String::from_utf8(bytes).map_err(|_| NoValue::Unfit(NOT_TEXT.into()))?;
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
