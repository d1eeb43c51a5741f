//! Functions that are deployed, but that the manifest no longer names: `plan` and `deploy` note them.

use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::failure::Failure;

/// Looks for orphans while `work` reads what is deployed, and notes each. A command line with names of functions is only
/// about those, so nothing is looked for.
///
/// # Errors
/// Those of `work`: a note is not worth a failure.
pub(super) async fn note_beside<T>(
    session: &Session,
    site: &Site,
    project: &Project,
    named: &[String],
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(any) = project.functions.first().filter(|_| named.is_empty()) else { return work.await };
    let names = site.names(project, any);
    let known = project.manifest.function_names();
    let reading = async {
        let found = match site.foresight.take_orphans(&names) {
            Some(found) => found,
            None => site.account.orphans_by_role(&names, &known).await,
        };
        Ok(found.unwrap_or_default())
    };
    let (done, orphans) = tokio::try_join!(work, reading)?;
    for name in orphans {
        session.note_once(&format!(
            "`{name}` is deployed, but not in the manifest; to remove it, run `lamstream destroy {name}`"
        ));
    }
    Ok(done)
}
