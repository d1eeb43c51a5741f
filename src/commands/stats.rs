//! `lamstream stats`: shows the figures of each release, from Lambda's own records in the log.

use super::logs::LogSource;
use super::project::Project;
use super::session::Session;
use super::site::{note_wrong_clock, open};
use crate::aws::Account;
use crate::cli::Stats;
use crate::failure::Failure;
use crate::logs::{PATTERN, Tally};
use crate::manifest::Function;
use crate::report::{Answer, Detail, Figures, FunctionAnswer, Functions, chart};
use crate::stack::{self, SystemLogLevel};

pub(super) async fn stats(session: &Session, arguments: &Stats) -> Result<Answer, Failure> {
    let project = Project::read(&session.global, &arguments.functions)?;
    let account = open(session, &project.manifest).await?;
    let mut functions = Vec::new();
    for function in &project.functions {
        let name = stack::function_name(&project.manifest.app, project.manifest.stage.as_deref(), &function.name);
        let names = |id: &String| project.manifest.names(function, &account.region, id);
        let known = FunctionAnswer {
            name: function.name.clone(),
            function_name: Some(name.clone()),
            names: project.manifest.account.as_ref().map(names),
            detail: Detail::Stats(None),
            ..FunctionAnswer::default()
        };
        let result = figures(session, &account, function, &name, arguments).await;
        let result = result.map(|figures| FunctionAnswer { detail: Detail::Stats(Some(figures)), ..known.clone() });
        functions.push(known.or_refused(result)?);
    }
    note_wrong_clock(session, &account);
    if let Some(path) = &arguments.svg {
        let drawn = chart(&functions);
        let written = tokio::fs::write(path, drawn).await;
        written.map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", path.display())))?;
    }
    Ok(Functions {
        account: project.manifest.account.clone(),
        region: Some(account.region.clone()),
        endpoint: account.endpoint.clone(),
        stage: project.manifest.stage.clone(),
        functions,
    }
    .into())
}

async fn figures(
    session: &Session,
    account: &Account,
    function: &Function,
    name: &str,
    arguments: &Stats,
) -> Result<Figures, Failure> {
    let source = LogSource::of(function, name);
    let mut reader = source.reader(account, arguments.since).matching(PATTERN);
    let mut page = session.read("the log", reader.page()).await??;
    let mut tally = None;
    while let Some(found) = page {
        let tally = tally.get_or_insert_with(|| Tally::new(reader.time()));
        for event in &found.events {
            tally.add(&event.stream, event.timestamp, &event.message);
        }
        if !found.more {
            break;
        }
        page = session.read("the log", reader.page()).await??;
    }
    let tally = tally.ok_or_else(|| Failure::no_logs(&function.name, &source.group))?;
    let figures = Figures { time: reader.time(), releases: tally.figures() };
    note_what_is_missing(session, function, &figures);
    Ok(figures)
}

/// Says which key of the manifest adds what the log does not have.
fn note_what_is_missing(session: &Session, function: &Function, figures: &Figures) {
    let name = &function.name;
    let wanted = "`log = { format = \"json\", system_level = \"debug\" }`";
    let newest = figures.releases.first();
    if function.logging.system_level() == Some(SystemLogLevel::Warn) {
        session.console.note(&format!(
            "`{name}`: with `log.system_level = \"warn\"` the log has failed requests only; set {wanted}, then deploy"
        ));
    } else if newest.is_some_and(|release| release.first_byte.is_none()) {
        session.console.note(&format!(
            "`{name}`: the log has no first byte and no bytes; to record them, set {wanted}, then deploy"
        ));
    }
}
