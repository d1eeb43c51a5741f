//! `lamstream url`: prints a function's address, with a single call to AWS.

use super::session::Session;
use super::single::SingleFunction;
use crate::apply::Outputs;
use crate::cli::Url;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer, State};

pub(super) async fn url(session: &Session, arguments: &Url) -> Result<Answer, Failure> {
    let one = SingleFunction::find(session, arguments.function.as_ref()).await?;
    let found = session.read("the URL", one.account.url(&one.name)).await??;
    let found = found.ok_or_else(|| one.without_url()).map(|(_, url)| {
        let outputs = Outputs { url: Some(url), ..Outputs::default() };
        FunctionAnswer { state: State::Deployed, outputs, ..one.unknown() }
    });
    Ok(one.functions(one.unknown().or_refused(found)?).into())
}
