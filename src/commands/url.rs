//! `lamstream url`: a function's address, in one call.

use super::run::Run;
use super::site::single;
use crate::aws::Place;
use crate::cli::Url;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer, State};

pub async fn url(run: &Run, arguments: &Url) -> Result<Answer, Failure> {
    let project = single(run, arguments.function.as_deref())?;
    let function = &project.functions[0];
    let account = run.open(&project.manifest).await?;
    // The account's number is asked for by no call here, and needed by none.
    let id = project.manifest.account.clone().unwrap_or_default();
    let names = project.manifest.names(function, &account.region, &id);
    let url = run.looking("the url", Place::new(&account, names.clone()).url()).await??;
    let url = url.ok_or_else(|| Failure::not_deployed(&function.name))?;
    let mut found = FunctionAnswer { name: function.name.clone(), names: Some(names), ..FunctionAnswer::default() };
    found.state = State::Deployed;
    found.outputs.url = Some(url);
    Ok(Answer {
        account: project.manifest.account.clone(),
        region: Some(account.region.clone()),
        endpoint: account.endpoint.clone(),
        stage: project.manifest.stage.clone(),
        functions: vec![found],
        ..Answer::new("url")
    })
}
