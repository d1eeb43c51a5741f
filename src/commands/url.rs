//! `lamstream url`: a function's address, in one call.

use super::one::One;
use super::session::Session;
use crate::cli::Url;
use crate::failure::Failure;
use crate::report::{Answer, State};

pub async fn url(session: &Session, arguments: &Url) -> Result<Answer, Failure> {
    let one = One::find(session, arguments.function.as_ref()).await?;
    let place = one.place();
    let (_, url) = session.looking("the url", place.url()).await??.ok_or_else(|| one.without_url())?;
    let mut answer = one.answer("url");
    for function in &mut answer.functions {
        function.state = State::Deployed;
        function.outputs.url = Some(url.clone());
    }
    Ok(answer)
}
