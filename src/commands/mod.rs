//! One short module per command. Each connects the rooms, and leaves every decision to them.

mod descendants;
mod ending;
mod session;
mod stop;

mod project;
mod site;
mod values;

mod one;

mod proposal;
mod rollout;
mod verification;

mod build;
mod deploy;
mod destroy;
mod import;
mod invoke;
mod local;
mod logs;
mod package;
mod plan;
mod preflight;
mod releases;
mod rollback;
mod shift;
mod status;
mod url;

pub use deploy::deploy;
pub use import::ManifestRules;
pub use session::Session;
pub use stop::Stop;

use crate::cli::{Again, Arguments, Command};
use crate::failure::{Failure, Kind};
use crate::report::Answer;
use std::process::ExitCode;

/// The exit code of `plan --detailed-exitcode` if there are changes.
const CHANGES: u8 = 3;
/// The exit code of `import` if something has no equivalent in a manifest.
const LEFT_OVER: u8 = 3;

/// Runs one command until it ends or a second signal arrives, prints its answer, and returns its exit code.
pub fn run(arguments: Arguments, again: Again) -> ExitCode {
    let Arguments { global, command } = arguments;
    let nothing = Answer::nothing(&command);
    ending::watched(global, again, nothing, async move |session| {
        let result = session.until_insisted(carry_out(session, &command)).await;
        report(session, &command, result)
    })
}

async fn carry_out(session: &Session, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Deploy(arguments) => deploy(session, arguments).await,
        Command::Plan(arguments) => plan::plan(session, arguments).await,
        Command::Url(arguments) => url::url(session, arguments).await,
        Command::Status(arguments) => status::status(session, arguments).await,
        Command::Releases(arguments) => releases::releases(session, arguments).await,
        Command::Rollback(arguments) => rollback::rollback(session, arguments).await,
        Command::Promote(arguments) => shift::promote(session, arguments).await,
        Command::Abort(arguments) => shift::abort(session, arguments).await,
        Command::Destroy(arguments) => destroy::destroy(session, arguments).await,
        Command::Logs(arguments) => logs::logs(session, arguments).await,
        Command::Invoke(arguments) => invoke::invoke(session, arguments).await,
        Command::Build(arguments) => build::build(session, arguments).await,
        Command::Import(arguments) => import::import(session, arguments),
        Command::Local(arguments) => local::local(session, arguments).await,
    }
}

/// Prints the result.
fn report(session: &Session, command: &Command, result: Result<Answer, Failure>) -> ExitCode {
    let (answer, failure) = match result {
        Ok(answer) => {
            let failure = answer.failures().next().cloned();
            (answer, failure)
        }
        Err(failure) => (Answer::nothing(command), Some(failure)),
    };
    let failure = failure.map(|failure| signalled(session, failure));
    let unprinted = session.console.finish(&answer, failure.as_ref()).err();
    if let Some(failure) = failure.or(unprinted) {
        return failure.kind.exit_code();
    }
    match (command, &answer) {
        (Command::Plan(arguments), Answer::Plan(found)) if arguments.detailed_exitcode && found.have_changes() => {
            ExitCode::from(CHANGES)
        }
        (_, Answer::Import(Some(import))) if !import.left.is_empty() => ExitCode::from(LEFT_OVER),
        _ => ExitCode::SUCCESS,
    }
}

/// Gives an interrupted command's failure the number of the signal.
fn signalled(session: &Session, failure: Failure) -> Failure {
    match (failure.kind, session.stop.requested()) {
        (Kind::Interrupted(_), Some(signal)) => Failure { kind: Kind::Interrupted(signal), ..failure },
        _ => failure,
    }
}
