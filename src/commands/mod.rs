//! One short module per command. Each connects the modules, and leaves all decisions to them.

mod descendants;
mod ending;
mod session;
mod single;
mod stop;

mod ahead;
mod foresight;
mod project;
mod site;
mod traffic;
mod values;

mod best;
mod observed;
mod orphans;
mod picture;
mod proposal;
mod rollout;
mod verification;

mod build;
mod build_command;
mod built_elsewhere;
mod completions;
mod crate_build;
mod deploy;
mod destroy;
mod dev;
mod doctor;
mod import;
mod init;
mod invoke;
mod local;
mod logs;
mod man;
mod package;
mod plan;
mod policy;
mod preflight;
mod prepared;
mod releases;
mod rollback;
mod schema;
mod secret;
mod shift;
mod stages;
mod stats;
mod status;
mod url;
mod verify;

pub use completions::complete;
pub use deploy::deploy;
pub use import::ManifestRules;
pub use session::Session;
pub use stop::Stop;

use crate::cli::{AdapterCommand, Arguments, Command, LocalCommand, TypedCommand};
use crate::failure::{Failure, FailureKind};
use crate::report::{Aim, Answer, Console, Extra};
use std::process::ExitCode;

/// The exit code of `plan --detailed-exitcode` if there are changes.
const CHANGES: u8 = 3;
/// The exit code of `import` if something has no equivalent in a manifest.
const LEFT_OVER: u8 = 3;

/// Runs one command until it ends or a second signal arrives, prints its answer, and returns its exit code.
pub fn run(arguments: Arguments, again: TypedCommand) -> ExitCode {
    let Arguments { mut global, command } = arguments;
    let nothing = nothing(&command);
    if let Err(failure) = project::enter(&mut global) {
        // It is reported on stderr if stdout cannot be written, either.
        let _ = Console::unstarted(global.output, !global.no_github, again).finish(&nothing, Some(&failure));
        return failure.kind.exit_code();
    }
    let is_cloud = matches!(&command, Command::Local(local) if matches!(local.command, LocalCommand::Run { .. }));
    let threads = is_cloud.then(localcloud::worker_threads);
    ending::watched(global, again, nothing, threads, async move |session| {
        // On the heap: all that a command may wait for is more than a megabyte.
        let result = session.until_aborted(Box::pin(carry_out(session, &command))).await;
        report(session, &command, result)
    })
}

async fn carry_out(session: &Session, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Deploy(arguments) => Box::pin(deploy(session, arguments)).await,
        Command::Plan(arguments) => Box::pin(plan::plan(session, arguments)).await,
        Command::Url(arguments) => url::url(session, arguments).await,
        Command::Status(arguments) => status::status(session, arguments).await,
        Command::Stats(arguments) => stats::stats(session, arguments).await,
        Command::Releases(arguments) => releases::releases(session, arguments).await,
        Command::Stages(arguments) => stages::stages(session, arguments).await,
        Command::Verify(arguments) => verify::verify(session, arguments).await,
        Command::Rollback(arguments) => rollback::rollback(session, arguments).await,
        Command::Promote(arguments) => shift::promote(session, arguments).await,
        Command::Abort(arguments) => shift::abort(session, arguments).await,
        Command::Destroy(arguments) => Box::pin(destroy::destroy(session, arguments)).await,
        Command::Logs(arguments) => logs::logs(session, arguments).await,
        Command::Invoke(arguments) => invoke::invoke(session, arguments).await,
        Command::Build(arguments) => build::build(session, arguments).await,
        Command::Import(arguments) => import::import(session, arguments).await,
        Command::Dev(arguments) => Box::pin(dev::dev(session, arguments)).await,
        Command::Policy(arguments) => policy::policy(session, arguments).await,
        Command::Secret(arguments) => secret::secret(session, arguments).await,
        Command::Doctor(_) => doctor::doctor(session).await,
        Command::Init(arguments) => init::init(session, arguments).await,
        Command::Local(arguments) => local::local(session, arguments).await,
        Command::Completions(arguments) => completions::completions(session, arguments),
        Command::Man(arguments) => man::man(session, arguments),
        Command::Schema(_) => Ok(schema::schema()),
    }
}

/// The answer of a command that failed before it had results. A document includes the command's keys in any case.
fn nothing(command: &Command) -> Answer {
    let extra = match command {
        Command::Logs(_) => Extra::Events(None),
        Command::Stages(_) => Extra::Stages(None),
        Command::Completions(_) => Extra::Script(None),
        Command::Man(_) => Extra::Files(None),
        Command::Schema(_) => Extra::Schema(None),
        Command::Invoke(_) => Extra::Response(None),
        Command::Import(_) => Extra::Import(None),
        Command::Policy(_) => Extra::Policy(None),
        Command::Doctor(_) => Extra::Checks(None),
        Command::Secret(_) => Extra::Secrets(None),
        Command::Init(init) if init.list => Extra::Templates(Vec::new()),
        Command::Init(_) => Extra::Init(None),
        Command::Local(local) => match local.command {
            LocalCommand::Adapter(AdapterCommand::Install { .. }) | LocalCommand::Layer(_) => Extra::Path(None),
            _ => Extra::Nothing,
        },
        _ => Extra::Nothing,
    };
    Answer { aim: aim(command), ..extra.into() }
}

fn aim(command: &Command) -> Aim {
    match command {
        Command::Deploy(_)
        | Command::Plan(_)
        | Command::Rollback(_)
        | Command::Promote(_)
        | Command::Abort(_)
        | Command::Destroy(_) => Aim::Change,
        Command::Status(_) | Command::Verify(_) => Aim::Judge,
        _ => Aim::Other,
    }
}

/// Prints the result.
fn report(session: &Session, command: &Command, result: Result<Answer, Failure>) -> ExitCode {
    let (answer, failure) = match result {
        Ok(answer) => {
            let failure = answer.failures().next().cloned();
            (Answer { aim: aim(command), ..answer }, failure)
        }
        Err(failure) => (nothing(command), Some(failure)),
    };
    let failure = failure.map(|failure| signalled(session, command, failure));
    let unprinted = session.console.finish(&answer, failure.as_ref()).err();
    if let Some(failure) = failure.or(unprinted) {
        return failure.kind.exit_code();
    }
    match (command, &answer.extra) {
        (Command::Plan(arguments), _) if arguments.detailed_exitcode && answer.found.have_changes() => {
            ExitCode::from(CHANGES)
        }
        (_, Extra::Import(Some(import))) if import.left.iter().any(|left| left.blocks) => ExitCode::from(LEFT_OVER),
        _ => ExitCode::SUCCESS,
    }
}

/// Gives an interrupted command's failure the number of the signal, and says what the command has changed.
fn signalled(session: &Session, command: &Command, failure: Failure) -> Failure {
    let (FailureKind::Interrupted(_), Some(signal)) = (failure.kind, session.stop.requested()) else { return failure };
    let failure = Failure { kind: FailureKind::Interrupted(signal), ..failure };
    if !failure.done.is_empty() || !failure.left.is_empty() {
        return failure.resumable();
    }
    let failure = Failure { done: session.console.done(), left: session.console.in_progress(), ..failure };
    let is_begun = !failure.done.is_empty() || !failure.left.is_empty();
    match command {
        Command::Deploy(_) | Command::Rollback(_) | Command::Promote(_) | Command::Abort(_) if !is_begun => {
            failure.therefore("nothing was changed")
        }
        _ => failure.resumable(),
    }
}
