//! Credentials of AWS for functions of the local cloud: only if a profile is chosen, and said at each deploy.

use crate::aws::Chosen;
use crate::commands::project::Project;
use crate::commands::session::Session;
use crate::commands::site::Site;
use crate::failure::Failure;
use crate::text::list;
use futures_util::future::try_join_all;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Gives the functions of this deploy the credentials of a profile, or takes back what an earlier one gave them. `option`
/// takes precedence over the manifest. The local cloud has them in memory alone.
pub(super) async fn hand_over(
    session: &Session,
    site: &Site,
    project: &Project,
    option: Option<&str>,
) -> Result<(), Failure> {
    let profile = option.or(project.manifest.local_credentials.as_deref());
    let chosen = match profile {
        Some(profile) => {
            let chosen = Chosen::of_profile(profile, &site.account.region);
            Some(session.read("the credentials for the functions", chosen).await??)
        }
        None => None,
    };
    session.console.hide(chosen.iter().flat_map(Chosen::secrets));
    let names: Vec<String> =
        project.functions.iter().map(|function| site.names(project, function).function_name()).collect();
    let calls = names.iter().map(|name| site.account.hand_over(name, chosen.as_ref()));
    session.read("the local cloud", try_join_all(calls)).await??;
    if let (Some(profile), Some(chosen)) = (profile, &chosen) {
        let functions = list::quoted_and(project.functions.iter().map(|function| &function.name));
        let until = chosen.expiry.map_or_else(
            || "until the local cloud stops".to_owned(),
            |expiry| format!("until {}; after that, AWS refuses them until the next `lamstream deploy`", shown(expiry)),
        );
        session.console.note(&format!(
            "warning: {functions} can do on AWS what profile `{profile}` may do, with its credentials, {until}"
        ));
    }
    Ok(())
}

fn shown(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let time = time.replace_nanosecond(0).unwrap_or(time);
    time.format(&Rfc3339).unwrap_or_else(|_| "they expire".to_owned())
}
