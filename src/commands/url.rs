//! `lamstream url`: prints a function's address, with a single call to AWS.

use super::session::Session;
use super::single::SingleFunction;
use crate::cli::Url;
use crate::failure::Failure;
use crate::report::{Answer, FunctionAnswer, State};

pub(super) async fn url(session: &Session, arguments: &Url) -> Result<Answer, Failure> {
    let one = SingleFunction::find(session, arguments.function.as_ref()).await?;
    let addresses = session.read("the URL", one.account.addresses(&one.name)).await??;
    let found = match addresses.is_empty() {
        true => Err(one.without_url()),
        false => Ok(FunctionAnswer { state: State::Deployed, addresses, ..one.unknown() }),
    };
    Ok(one.functions(one.unknown().or_refused(found)?).into())
}
