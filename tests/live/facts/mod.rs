//! The facts of docs/aws.md that a program can check, each with its check.
//!
//! A group is checked in its order, because later checks use what earlier ones made. Groups run side by side, so a group
//! changes nothing that another one uses. Those that disturb others, or exceed a rate, come last, alone.

mod alias;
mod control;
mod packages;
mod rates;
mod roles;
mod stores;
mod streams;
mod url;

use crate::live::Live;
use crate::report::Seen;
use anyhow::{Context as _, Result, bail};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use std::fmt;
use std::pin::Pin;

/// Where a fact is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Everywhere,
    /// The local cloud does not have it, or it takes too long for a test that always runs.
    OnlyOnAws,
}

type Checked<'a> = Pin<Box<dyn Future<Output = Result<Seen>> + 'a>>;

pub(crate) struct Fact {
    /// How docs/aws.md refers to it.
    pub id: &'static str,
    pub what: &'static str,
    pub asked: Asked,
    pub check: for<'a> fn(&'a Live<'a>) -> Checked<'a>,
}

/// A list of facts: where it is checked, its id, what holds, and the function that checks it.
macro_rules! facts {
    ($($asked:ident $id:literal $what:literal $check:path;)*) => {
        &[$($crate::facts::Fact {
            id: $id,
            what: $what,
            asked: $crate::facts::Asked::$asked,
            check: |live| Box::pin($check(live)),
        }),*]
    };
}
use facts;

/// Groups that run side by side.
pub(crate) const GROUPS: &[&[Fact]] = &[url::FACTS, streams::FACTS, control::FACTS, roles::FACTS, stores::FACTS];

/// What exceeds a rate, or uses what another group has made.
pub(crate) const LAST: &[&[Fact]] = &[url::DISTURBING, alias::FACTS, packages::FACTS, rates::FACTS];

pub(crate) fn all() -> impl Iterator<Item = &'static Fact> {
    GROUPS.iter().chain(LAST).flat_map(|group| group.iter())
}

/// An error that AWS answered with.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} \"{}\"", self.status, self.code, self.message)
    }
}

/// What AWS answered, if it did and the caller may make the call at all.
///
/// # Errors
/// If there was no answer, or the caller lacks a permission.
pub(crate) fn answer<T, E>(result: Result<T, SdkError<E>>) -> Result<Result<T, Refusal>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let error = match result {
        Ok(output) => return Ok(Ok(output)),
        Err(error) => error,
    };
    let status = error.raw_response().map(|response| response.status().as_u16());
    let Some(status) = status else { return Err(error).context("no answer") };
    let code = error.code().unwrap_or_default().to_owned();
    let message = error.message().unwrap_or_default().to_owned();
    let refusal = Refusal { status, code, message };
    if refusal.code.contains("AccessDenied") {
        bail!("not allowed: {refusal}");
    }
    Ok(Err(refusal))
}

/// The refusal of a call that AWS should not accept, or a word for it.
///
/// # Errors
/// As for [`answer`].
pub(crate) fn refused<T, E>(result: Result<T, SdkError<E>>) -> Result<Refusal>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let accepted = || Refusal { status: 200, code: "accepted".into(), message: String::new() };
    Ok(answer(result)?.err().unwrap_or_else(accepted))
}

/// What AWS answered to a call that it should accept.
///
/// # Errors
/// If it did not.
pub(crate) fn accepted<T, E>(result: Result<T, SdkError<E>>) -> Result<T>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    answer(result)?.map_err(|refusal| anyhow::anyhow!("refused: {refusal}"))
}
