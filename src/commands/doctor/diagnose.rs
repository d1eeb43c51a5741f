//! The words for what was found.

use crate::commands::project::Project;
use crate::failure::{Failure, Message};
use crate::manifest::Function;
use crate::report::{Diagnosis, Health};
use std::time::Duration;

/// How long a check may take.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// What several checks have found.
pub(super) type Found = Vec<Diagnosis>;

pub(super) fn diagnosis(name: &str, result: Health, message: impl Into<String>) -> Diagnosis {
    Diagnosis { name: name.to_owned(), result, message: Message::quoted(message), hints: Vec::new() }
}

pub(super) fn ok(name: &str, message: impl Into<String>) -> Diagnosis {
    diagnosis(name, Health::Ok, message)
}

pub(super) fn warning(name: &str, message: impl Into<String>, hint: impl Into<String>) -> Diagnosis {
    Diagnosis { hints: vec![hint.into()], ..diagnosis(name, Health::Warning, message) }
}

pub(super) fn problem(name: &str, message: impl Into<String>, hint: impl Into<String>) -> Diagnosis {
    Diagnosis { hints: vec![hint.into()], ..diagnosis(name, Health::Problem, message) }
}

pub(super) fn skipped(name: &str, why: impl Into<String>) -> Diagnosis {
    diagnosis(name, Health::Skipped, why)
}

/// A failure of another command, as a problem.
pub(super) fn failed(name: &str, failure: &Failure) -> Diagnosis {
    Diagnosis {
        name: name.to_owned(),
        result: Health::Problem,
        message: failure.message.clone(),
        hints: failure.hints.clone(),
    }
}

/// The result of a check, unless it takes too long.
pub(super) async fn limited(name: &str, check: impl Future<Output = Diagnosis>) -> Diagnosis {
    let late = || skipped(name, format!("no answer within {} s", LIMIT.as_secs()));
    tokio::time::timeout(LIMIT, check).await.unwrap_or_else(|_| late())
}

/// Whether a function of the project is so; without a project, nothing is known.
pub(super) fn any(project: Option<&Project>, is_so: impl Fn(&Function) -> bool) -> bool {
    project.is_some_and(|project| project.functions.iter().any(is_so))
}
