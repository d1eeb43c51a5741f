//! Turns every error into a failure: its kind, its message and its hints. Hints about responses are in `verify/fault.rs`,
//! hints about builds in `crates/packaging` and `commands/preflight.rs`.

mod causes;
mod hints;
mod mark;
mod message;
mod program;
mod shift;
mod verdict;

pub use mark::{Mark, Place};
pub use message::{Message, Piece, Problem, Row, What};
pub use verdict::CheckName;

pub use hints::hint_for_missing;

use crate::apply::{CloudError, Step};
use crate::manifest::LAYER_VERSION;
use crate::text::list;
use std::path::Path;
use std::process::ExitCode;
use std::string::FromUtf8Error;

const RESUME: &str = "rerun the command; it resumes where it stopped";

/// Why a command failed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: Message,
    pub caused_by: Vec<String>,
    /// The check that failed, if the function has several.
    pub check: Option<CheckName>,
    /// The function's last words, from its log.
    pub log: Vec<String>,
    pub request_id: Option<String>,
    pub hints: Vec<String>,
    /// The steps that were completed before the failure.
    pub done: Vec<Step>,
    /// The steps that were not started or not completed.
    pub left: Vec<Step>,
}

/// The kind decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    Usage,
    Manifest,
    Build,
    Cloud,
    Verify,
    Conflict,
    /// Interrupted by the signal with this number.
    Interrupted(u8),
    Bug,
}

impl FailureKind {
    /// The spelling in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::Usage => "usage",
            FailureKind::Manifest => "manifest",
            FailureKind::Build => "build",
            FailureKind::Cloud => "cloud",
            FailureKind::Verify => "verify",
            FailureKind::Conflict => "conflict",
            FailureKind::Interrupted(_) => "interrupted",
            FailureKind::Bug => "bug",
        }
    }

    pub fn exit_code(self) -> ExitCode {
        match self {
            FailureKind::Usage | FailureKind::Manifest => ExitCode::from(2),
            FailureKind::Build
            | FailureKind::Cloud
            | FailureKind::Verify
            | FailureKind::Conflict
            | FailureKind::Bug => ExitCode::FAILURE,
            FailureKind::Interrupted(signal) => ExitCode::from(128 + signal),
        }
    }
}

impl Failure {
    /// A message that may be quoted from elsewhere in any part.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::saying(kind, Message::quoted(message))
    }

    fn saying(kind: FailureKind, message: Message) -> Failure {
        Failure {
            kind,
            message,
            caused_by: Vec::new(),
            check: None,
            log: Vec::new(),
            request_id: None,
            hints: Vec::new(),
            done: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Several problems at once. Each is followed by its hints if there are several; each hint is shown once.
    pub fn of_problems(kind: FailureKind, mut problems: Vec<Problem>) -> Failure {
        let mut hints: Vec<String> = Vec::new();
        for problem in &mut problems {
            problem.hints.retain(|hint| !hints.contains(hint));
            for hint in &problem.hints {
                if !hints.contains(hint) {
                    hints.push(hint.clone());
                }
            }
        }
        Failure { hints, ..Failure::saying(kind, Message::Problems(problems)) }
    }

    /// A message without quoted text.
    fn own(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::saying(kind, Message::own(message))
    }

    /// A manifest or a template, which `what` names, is not text in UTF-8.
    pub fn not_utf8(what: &str, error: &FromUtf8Error) -> Failure {
        let (before, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let byte = rest.first().copied().unwrap_or_default();
        let message =
            format!("cannot read {what}: line {line} has the byte `{byte:#04x}`, which is not valid UTF-8 there");
        Failure::new(FailureKind::Manifest, message).hint("save the file as UTF-8 with your editor")
    }

    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(FailureKind::Usage, message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// A failed call that ended a deploy early. The steps in `left` may or may not have been completed. The hint
    /// to rerun the command is left out if AWS would refuse the call again.
    pub fn stopped_early(error: CloudError, done: Vec<Step>, left: Vec<Step>) -> Failure {
        let is_permanent = hints::is_permanent(error.reason);
        let mut failure = Failure { done, left, ..Failure::from(error) };
        if failure.hints.is_empty() && !is_permanent {
            failure.hints.push(RESUME.to_owned());
        }
        failure
    }

    pub fn interrupted(signal: u8) -> Failure {
        Failure::new(FailureKind::Interrupted(signal), "interrupted")
    }

    /// Says how to continue, if an interrupted run has changed something or may have, and nothing says it yet.
    pub fn resumable(self) -> Failure {
        let is_begun = !self.done.is_empty() || !self.left.is_empty();
        match self.kind {
            FailureKind::Interrupted(_) if is_begun && self.hints.is_empty() => self.hint(RESUME),
            _ => self,
        }
    }

    /// The command needs confirmation, but cannot ask for it; `why` is the reason.
    pub fn needs_yes(command: &str, why: &str) -> Failure {
        Failure::usage(format!("`{command}` needs confirmation, but {why}"))
            .hint(format!("run `lamstream {command} --yes` to confirm in advance"))
    }

    pub fn declined() -> Failure {
        Failure::new(FailureKind::Usage, "cancelled; nothing was changed")
    }

    pub fn no_template() -> Failure {
        Failure::usage("found no `template.yaml`, `template.yml` or `template.json` in this directory")
            .hint("name the template: `lamstream import sam FILE`")
    }

    pub fn exists(path: &str) -> Failure {
        Failure::usage(format!("`{path}` exists and will not be overwritten"))
            .hint("choose another file with `--out`; `--out -` prints to stdout")
    }

    pub fn unknown_function(name: &str, known: &[String]) -> Failure {
        Failure::usage(format!("the manifest has no function `{name}`; available functions: {}", list::quoted(known)))
    }

    /// `--package` names a function that the command does not deploy.
    pub fn package_not_chosen(package: &str, name: &str, chosen: &[String]) -> Failure {
        let message = format!(
            "`--package {package}` is for `{name}`, but this command is only about {}",
            list::quoted_and(chosen)
        );
        Failure::usage(message).hint(format!("add the function `{name}` to the command, or leave out its package"))
    }

    /// `command` works on one function, but names none.
    pub fn which_function(command: &str, known: &[String]) -> Failure {
        let failure = Failure::usage(format!("the manifest has several functions: {}", list::quoted_and(known)));
        let example = known.first().map_or("FUNCTION", String::as_str);
        failure.hint(format!("name one of them, such as `lamstream {command} {example}`"))
    }

    pub fn not_deployed(name: &str) -> Failure {
        Failure::own(FailureKind::Cloud, format!("function `{name}` has no URL: it is not deployed"))
            .hint("run `lamstream deploy`")
    }

    /// There is no log group until the function is deployed.
    pub fn no_logs(name: &str, log_group: &str) -> Failure {
        Failure::own(
            FailureKind::Cloud,
            format!("function `{name}` has no log group `{log_group}`: it is not deployed"),
        )
        .hint("run `lamstream deploy`")
    }

    pub fn no_url(name: &str) -> Failure {
        Failure::own(FailureKind::Cloud, format!("function `{name}` has no URL"))
            .hint("add a `url` in the manifest, then run `lamstream deploy`")
    }

    /// A file that an option names cannot be read.
    pub fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> Failure {
        Failure::usage(format!("cannot read {what} `{}`: {error}", path.display()))
    }

    /// A file or directory that an option names cannot be written.
    pub fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
        Failure::usage(format!("cannot write `{}`: {error}", path.display()))
    }

    pub fn not_a_layer(arn: &str) -> Failure {
        Failure::usage(format!("`{arn}` is not the ARN of a layer version, such as `{LAYER_VERSION}`"))
    }

    /// Writing to stdout failed, although its reader is still there.
    pub fn not_printed(error: &std::io::Error) -> Failure {
        Failure::new(FailureKind::Cloud, format!("cannot write to stdout: {error}"))
    }

    /// A file that a CI system reads cannot be written.
    pub fn not_written(variable: &str, path: &Path, error: &std::io::Error) -> Failure {
        Failure::new(
            FailureKind::Cloud,
            format!("cannot write `{}`, which `{variable}` names: {error}", path.display()),
        )
        .hint("add `--no-github` if this is not a step of GitHub Actions")
    }

    /// The process cannot open the files that any run needs, or start a thread.
    pub fn not_begun(error: &std::io::Error) -> Failure {
        let failure = Failure::new(FailureKind::Cloud, format!("cannot start: {error}"));
        match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::MFILE) => failure.hint("raise the limit of open files: `ulimit -n 1024`"),
            _ => failure,
        }
    }

    pub fn not_running() -> Failure {
        Failure::new(FailureKind::Cloud, "the local cloud is not running").hint("run `lamstream local start`")
    }

    pub fn wrong_account(expected: &str, found: &str) -> Failure {
        Failure::usage(format!("the manifest is for account `{expected}`, but the credentials belong to `{found}`"))
            .hint("choose another profile with `--profile`, or change `account` in the manifest")
    }

    /// AWS's layer with the adapter does not exist where a function is to be deployed.
    pub fn no_adapter_layer(name: &str, region: &str) -> Failure {
        let message =
            format!("cannot deploy `{name}` to {region}: AWS publishes no layer with Lambda Web Adapter there");
        Failure::new(FailureKind::Manifest, message).hint(
            "copy the layer from a region that has it to your own account, and set `adapter_layer` to the copy's ARN: \
             docs/manifest.md#web-apps shows how",
        )
    }

    /// AWS has no Function URLs where a function with one is to be deployed.
    pub fn no_urls(name: &str, region: &str) -> Failure {
        let message = format!("cannot deploy `{name}` with a URL to {region}: AWS has no Function URLs there");
        Failure::new(FailureKind::Manifest, message).hint(hints::hint_for_no_urls(name, region))
    }

    /// IAM would not take the role: in the end, or while it allows what the old and the new release need.
    pub fn role_too_large(name: &str, excess: &str, in_between: bool) -> Failure {
        let when = if in_between { ", while it allows what the old and the new release need" } else { "" };
        let failure = Failure::new(FailureKind::Manifest, format!("the role of `{name}` is too large{when}: {excess}"));
        let failure = failure.hint("use fewer statements with more resources or wider patterns in each");
        match in_between {
            true => failure.hint("or deploy twice: first without new code, with a role that suits both releases"),
            false => failure.hint("or move statements to a managed policy, and name it in `managed_policies`"),
        }
    }

    /// Adds what happened to the traffic, which readers want to know first.
    pub fn therefore(self, consequence: &str) -> Failure {
        let message = self.message.and(Message::own(format!("; {consequence}")));
        Failure { message, ..self }
    }

    /// Like [`Failure::therefore`], ending with `words` quoted from elsewhere.
    pub fn therefore_as_said(self, consequence: &str, words: &str) -> Failure {
        let failure = self.therefore(&format!("{consequence}: "));
        Failure { message: failure.message.and(Message::quoted(words)), ..failure }
    }

    /// Like [`Failure::therefore`], if there is a consequence.
    pub fn therefore_maybe(self, consequence: Option<String>) -> Failure {
        match consequence {
            Some(consequence) => self.therefore(&consequence),
            None => self,
        }
    }

    /// Adds a second failure that followed from this one.
    pub fn and_also(mut self, other: Failure) -> Failure {
        self.caused_by.extend(other.caused_by);
        self.log.extend(other.log);
        self.hints.extend(other.hints);
        Failure { message: self.message.and(Message::own("; ")).and(other.message), ..self }
    }

    pub fn no_release(name: &str) -> Failure {
        Failure::own(FailureKind::Cloud, format!("function `{name}` has no release: it is not deployed"))
            .hint("run `lamstream deploy`")
    }

    pub fn nothing_before(name: &str) -> Failure {
        Failure::own(FailureKind::Cloud, format!("`{name}` has no previous release to roll back to")).hint(format!(
            "list the versions with `lamstream releases {name}`, then run `lamstream rollback {name} --to VERSION`"
        ))
    }

    pub fn no_such_version(name: &str, version: &str, known: &[String]) -> Failure {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::own(
            FailureKind::Cloud,
            format!("function `{name}` has no version {version}; available versions: {known}"),
        )
        .hint(format!("see when each was published: `lamstream releases {name}`"))
    }

    pub fn snapshots_beside_warm_instances(name: &str) -> Failure {
        let message = format!(
            "`{name}` has provisioned concurrency, with which Lambda cannot serve a version that starts from a snapshot"
        );
        Failure::new(FailureKind::Conflict, message)
            .hint("deploy without `provisioned_concurrency` and without `snap_start` first, then rerun the command")
    }

    /// A resource with this name exists, but lamstream did not create it. `outlives` means that it often remains after its
    /// function is deleted.
    pub fn foreign(what: &str, name: &str, outlives: bool) -> Failure {
        let failure = Failure::own(
            FailureKind::Conflict,
            format!("{what} `{name}` exists, but lamstream did not create it for this app"),
        );
        failure.hint(match outlives {
            true => {
                "if it belongs to a deleted function, run `lamstream deploy --adopt` to take it over; otherwise choose \
                 another `app` or function name"
            }
            false => "run `lamstream deploy --adopt` to take it over, or choose another `app` or function name",
        })
    }
}
