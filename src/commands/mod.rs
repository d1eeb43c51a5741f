//! One thin story for each command: it wires the rooms together and decides nothing that they could decide.

mod descendants;
mod ending;
mod session;
mod stop;

mod site;
mod values;

mod one;

mod bring;
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

pub use session::Session;
pub use stop::Stop;

use crate::cli::{Again, Arguments, Command};
use crate::failure::{Failure, Kind};
use crate::report::Answer;
use std::process::ExitCode;

/// `plan --detailed-exitcode` and changes.
const CHANGES: u8 = 3;
/// `import`, where the manifest has no word for something.
const LEFT_OVER: u8 = 3;

/// Runs one command to its end, or to a second signal: its answer is printed, and its exit code returned.
pub fn run(arguments: Arguments, again: Again) -> ExitCode {
    let Arguments { global, command } = arguments;
    let name = name(&command);
    ending::watched(global, again, name, async move |session| {
        let result = session.until_insisted(carry_out(session, &command)).await;
        report(session, &command, result)
    })
}

async fn carry_out(session: &Session, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Deploy(arguments) => deploy::deploy(session, arguments).await,
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

/// Prints what came of it.
fn report(session: &Session, command: &Command, result: Result<Answer, Failure>) -> ExitCode {
    let (answer, failure) = match result {
        Ok(answer) => {
            let failure = answer.failure().cloned();
            (answer, failure)
        }
        Err(failure) => (Answer::new(name(command)), Some(failure)),
    };
    let failure = failure.map(|failure| signalled(session, failure));
    let unprinted = session.console.finish(&answer, failure.as_ref()).err();
    match (failure.as_ref().or(unprinted.as_ref()), command) {
        (Some(failure), _) => failure.kind.exit_code(),
        (None, Command::Plan(plan)) if plan.detailed_exitcode && plan::has_changes(&answer) => ExitCode::from(CHANGES),
        (None, _) if answer.import.as_ref().is_some_and(|import| !import.left.is_empty()) => ExitCode::from(LEFT_OVER),
        (None, _) => ExitCode::SUCCESS,
    }
}

/// A command that failed because it was interrupted says by which signal.
fn signalled(session: &Session, failure: Failure) -> Failure {
    match (failure.kind, session.stop.requested()) {
        (Kind::Interrupted(_), Some(signal)) => Failure { kind: Kind::Interrupted(signal), ..failure },
        _ => failure,
    }
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Deploy(_) => "deploy",
        Command::Plan(_) => "plan",
        Command::Url(_) => "url",
        Command::Status(_) => "status",
        Command::Releases(_) => "releases",
        Command::Rollback(_) => "rollback",
        Command::Promote(_) => "promote",
        Command::Abort(_) => "abort",
        Command::Destroy(_) => "destroy",
        Command::Logs(_) => "logs",
        Command::Invoke(_) => "invoke",
        Command::Build(_) => "build",
        Command::Import(_) => "import sam",
        Command::Local(local) => local::name(&local.command),
    }
}
