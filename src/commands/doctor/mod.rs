//! `lamstream doctor`: looks at everything that a deploy needs, and changes nothing.

mod cloud;
mod diagnose;
mod machine;
mod manifest;

use super::descendants::end_descendants;
use super::session::Session;
use crate::failure::{Failure, FailureKind};
use crate::report::{Answer, DoctorAnswer, Extra, Functions, Health};

pub(super) async fn doctor(session: &Session) -> Result<Answer, Failure> {
    let (project, read) = manifest::read(session);
    let project = project.as_ref();
    let work = async {
        tokio::join!(
            cloud::checks(session, project),
            machine::checks(session, project),
            manifest::buildable(session, project),
        )
    };
    let ((site, cloud), machine, builds) = session.read("this machine and the account", work).await?;
    // What still runs belongs to checks that took too long, such as a program that was asked for credentials.
    end_descendants();
    let mut checks = cloud;
    checks.push(read);
    checks.extend(manifest::values(session, project, site.as_ref()).await?);
    checks.extend(builds);
    checks.extend(machine);
    let problems = checks.iter().filter(|check| check.result == Health::Problem).count();
    let failure = (problems > 0).then(|| {
        let (noun, count) = (if problems == 1 { "problem" } else { "problems" }, checks.len());
        Failure::new(FailureKind::Verify, format!("found {problems} {noun} in {count} checks"))
    });
    let found = match &site {
        Some(site) => Functions {
            account: Some(site.id.clone()),
            region: Some(site.account.region.clone()),
            endpoint: site.account.endpoint.clone(),
            stage: project.and_then(|project| project.manifest.stage.clone()),
            functions: Vec::new(),
        },
        None => Functions::default(),
    };
    Ok(Answer { found, extra: Extra::Checks(Some(DoctorAnswer { checks, failure })), ..Answer::default() })
}
