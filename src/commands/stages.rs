//! `lamstream stages`: lists what the app has deployed in a region, by stage.

use super::project::Project;
use super::session::Session;
use super::site::Site;
use crate::aws::DeployedFunction;
use crate::cli::Stages;
use crate::failure::Failure;
use crate::report::{Answer, DeployedStage, Extra, Functions};
use std::collections::BTreeMap;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Duration, OffsetDateTime};

pub(super) async fn stages(session: &Session, arguments: &Stages) -> Result<Answer, Failure> {
    let project = Project::of_any_stage(&session.global)?;
    let site = Site::connect(session, &project.manifest).await?;
    let mut stages = deployed(session, &site, &project).await?;
    stages.retain(|stage| !arguments.expired || stage.is_expired);
    let found: Functions = site.functions(&project, Vec::new());
    Ok(Answer { found, extra: Extra::Stages(Some(stages)), ..Answer::default() })
}

/// The app's stages in this region.
pub(super) async fn deployed(session: &Session, site: &Site, project: &Project) -> Result<Vec<DeployedStage>, Failure> {
    let functions = session.read("what is deployed", site.account.deployed_functions(&project.manifest.app)).await??;
    Ok(by_stage(functions, OffsetDateTime::now_utc()))
}

fn by_stage(functions: Vec<DeployedFunction>, now: OffsetDateTime) -> Vec<DeployedStage> {
    let mut stages: BTreeMap<Option<String>, Vec<DeployedFunction>> = BTreeMap::new();
    for function in functions {
        stages.entry(function.stage.clone()).or_default().push(function);
    }
    stages.into_iter().map(|(stage, functions)| one_stage(stage, &functions, now)).collect()
}

fn one_stage(stage: Option<String>, functions: &[DeployedFunction], now: OffsetDateTime) -> DeployedStage {
    let lives = functions.iter().filter_map(|function| function.live.as_ref());
    let newest = lives.max_by_key(|(at, _)| at.as_deref().and_then(read_time));
    let modified = functions.iter().filter_map(|function| read_time(function.modified.as_deref()?)).max();
    // A function without a lifetime, such as one that was deployed after `expires` left the manifest, keeps the stage.
    let lifetimes: Option<Vec<Duration>> =
        functions.iter().map(|function| lifetime(function.expires.as_deref()?)).collect();
    let expires = lifetimes
        .and_then(|all| all.into_iter().max())
        .zip(modified)
        .and_then(|(lifetime, modified)| modified.checked_add(lifetime));
    DeployedStage {
        stage,
        functions: functions.iter().map(|function| function.name.clone()).collect(),
        live_since: newest.and_then(|(at, _)| at.as_deref().and_then(read_time)).and_then(written),
        origin: newest.map(|(_, origin)| origin.clone()).unwrap_or_default(),
        expires: expires.and_then(written),
        is_expired: expires.is_some_and(|expires| expires <= now),
    }
}

/// Lambda writes `2026-11-30T08:00:00.000+0000`.
fn read_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Iso8601::DEFAULT).ok()
}

/// In seconds and UTC.
fn written(time: OffsetDateTime) -> Option<String> {
    time.replace_nanosecond(0).ok()?.to_offset(time::UtcOffset::UTC).format(&Rfc3339).ok()
}

/// `12h` or `7d`, as the manifest has it.
fn lifetime(text: &str) -> Option<Duration> {
    let number = |unit| text.strip_suffix(unit)?.parse::<i64>().ok();
    number('d').map(Duration::days).or_else(|| number('h').map(Duration::hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_with_a_function_that_never_expires_does_not_expire() {
        let modified = "2020-01-01T08:00:00.000+0000";
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
        let both = [function("pr-1", "a", modified, None), function("pr-1", "b", modified, Some("1h"))];
        let stage = one_stage(Some("pr-1".to_owned()), &both, now);
        assert!(stage.expires.is_none() && !stage.is_expired);
        assert!(one_stage(Some("pr-1".to_owned()), &both[1..], now).is_expired);
    }

    fn function(stage: &str, name: &str, modified: &str, expires: Option<&str>) -> DeployedFunction {
        DeployedFunction {
            stage: Some(stage).filter(|stage| !stage.is_empty()).map(str::to_owned),
            name: name.to_owned(),
            modified: Some(modified.to_owned()),
            live: Some((Some(modified.to_owned()), crate::stack::Origin::read(&format!("commit {name}")))),
            expires: expires.map(str::to_owned),
        }
    }

    #[test]
    fn a_stage_expires_some_time_after_the_last_deploy_of_any_of_its_functions() {
        let now = read_time("2026-11-30T08:00:00.000+0000").unwrap();
        let stages = by_stage(
            vec![
                function("", "a", "2020-01-01T00:00:00.000+0000", None),
                function("pr-1", "a", "2026-11-28T08:00:00.000+0000", Some("2d")),
                function("pr-1", "b", "2026-11-01T08:00:00.123+0000", Some("2d")),
                function("pr-2", "a", "2026-11-28T08:00:01.000+0000", Some("48h")),
                function("pr-3", "a", "2026-11-28T08:00:01.000+0000", Some("soon")),
            ],
            now,
        );
        let seen: Vec<_> = stages.iter().map(|stage| (stage.stage.as_deref(), stage.is_expired)).collect();
        assert_eq!(seen, [(None, false), (Some("pr-1"), true), (Some("pr-2"), false), (Some("pr-3"), false)]);
        assert_eq!(stages[1].functions, ["a", "b"]);
        assert_eq!(stages[1].expires.as_deref(), Some("2026-11-30T08:00:00Z"));
        assert_eq!(stages[1].live_since.as_deref(), Some("2026-11-28T08:00:00Z"));
        assert_eq!((stages[1].origin.code.as_deref(), stages[0].expires.as_deref()), (Some("commit a"), None));
    }
}
