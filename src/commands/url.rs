//! `lamstream url`: a function's address, in one call.

use super::one::One;
use super::session::Session;
use crate::apply::Outputs;
use crate::cli::Url;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer, State};

pub async fn url(session: &Session, arguments: &Url) -> Result<Answer, Failure> {
    let one = One::find(session, arguments.function.as_ref()).await?;
    let (_, url) = session.read("the URL", one.account.url(&one.name)).await??.ok_or_else(|| one.without_url())?;
    let outputs = Outputs { url: Some(url), ..Outputs::default() };
    Ok(Answer::Url(one.functions(FunctionAnswer { state: State::Deployed, outputs, ..one.unknown() })))
}
