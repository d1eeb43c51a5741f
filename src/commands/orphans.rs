//! Functions that are deployed, but that the manifest no longer names: `plan` and `deploy` note them.

use super::foresight::{Found, known_or};
use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::failure::Failure;
use std::collections::BTreeSet;

/// Looks for orphans, unless they are `known`, while `work` reads what is deployed, and notes each. A command line with names of
/// functions is only about those, so nothing is looked for.
///
/// # Errors
/// Those of `work`: a note is not worth a failure.
pub(super) async fn note_beside<T>(
    session: &Session,
    site: &Site,
    project: &Project,
    named: &[String],
    known: Option<Found<BTreeSet<String>>>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(any) = project.functions.first().filter(|_| named.is_empty()) else { return work.await };
    let names = site.names(project, any);
    let functions = project.manifest.function_names();
    let reading = known_or(known, site.account.orphans_by_role(&names, &functions));
    let reading = async { Ok(reading.await.unwrap_or_default()) };
    let (done, orphans) = tokio::try_join!(work, reading)?;
    for name in orphans {
        session.note_once(&format!(
            "`{name}` is deployed, but not in the manifest; to remove it, run `lamstream destroy {name}`"
        ));
    }
    Ok(done)
}
