//! Turns every error into a failure: what went wrong, its kind, and what to do about it. All hints are here.

mod causes;
mod hints;

use crate::apply::{CloudError, Step};
use crate::manifest::Origin;
use crate::text::list;
use crate::verify::{Fault, Obstacle};
use std::collections::BTreeSet;
use std::ops::Range;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    /// Whether the message has several lines of our own. Any other message is shown as one line.
    pub has_lines: bool,
    /// Whether the message already contains the hints, each below its problem.
    pub has_hints: bool,
    /// Which bytes of the message are quoted from elsewhere; `None` if any of them may be.
    pub foreign: Option<Vec<Range<usize>>>,
    pub caused_by: Vec<String>,
    pub request_id: Option<String>,
    pub hints: Vec<String>,
    /// The steps that were completed before the failure.
    pub done: Vec<Step>,
    /// The steps that were not started or not completed.
    pub left: Vec<Step>,
}

/// The kind decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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

impl Kind {
    /// The spelling in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::Manifest => "manifest",
            Kind::Build => "build",
            Kind::Cloud => "cloud",
            Kind::Verify => "verify",
            Kind::Conflict => "conflict",
            Kind::Interrupted(_) => "interrupted",
            Kind::Bug => "bug",
        }
    }

    pub fn exit_code(self) -> ExitCode {
        match self {
            Kind::Usage | Kind::Manifest => ExitCode::from(2),
            Kind::Build | Kind::Cloud | Kind::Verify | Kind::Conflict | Kind::Bug => ExitCode::FAILURE,
            Kind::Interrupted(signal) => ExitCode::from(128 + signal),
        }
    }
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            message: message.into(),
            has_lines: false,
            has_hints: false,
            foreign: None,
            caused_by: Vec::new(),
            request_id: None,
            hints: Vec::new(),
            done: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Problems in a manifest, each with its location and an excerpt.
    pub fn of_problems(kind: Kind, rendered: String) -> Failure {
        Failure { has_lines: true, ..Failure::new(kind, rendered) }
    }

    /// Rendered problems with their hints. If there are several, each problem's hints follow it.
    pub fn of_shown(kind: Kind, shown: Vec<(String, Vec<String>)>) -> Failure {
        let several = shown.len() > 1;
        let (mut texts, mut hints) = (Vec::new(), Vec::new());
        for (mut text, own) in shown {
            let mut told: Vec<String> = Vec::new();
            for hint in own {
                if several && !told.contains(&hint) {
                    text = format!("{text}\n  hint: {hint}");
                    told.push(hint.clone());
                }
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
            texts.push(text);
        }
        Failure { hints, has_hints: several, ..Failure::of_problems(kind, texts.join("\n\n")) }
    }

    /// A message in which only `words` are quoted from elsewhere.
    fn quoting(kind: Kind, message: String, words: Option<&str>) -> Failure {
        let foreign = match words.filter(|words| !words.is_empty()) {
            None => Some(Vec::new()),
            // Quotes come last. If none is found, the whole message counts as quoted.
            Some(words) => message.rfind(words).map(|at| std::iter::once(at..at + words.len()).collect()),
        };
        Failure { foreign, ..Failure::new(kind, message) }
    }

    /// A message without quoted text.
    fn own(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { foreign: Some(Vec::new()), ..Failure::new(kind, message) }
    }

    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// A failed call that ended a deploy early. The steps in `left` may or may not have been completed.
    pub fn cut_short(error: CloudError, done: Vec<Step>, left: Vec<Step>) -> Failure {
        let mut failure = Failure { done, left, ..Failure::from(error) };
        if failure.hints.is_empty() {
            failure.hints.push("rerun the command; it resumes where it stopped".to_owned());
        }
        failure
    }

    pub fn interrupted(signal: u8) -> Failure {
        Failure::new(Kind::Interrupted(signal), "interrupted")
    }

    /// The command needs confirmation, but cannot ask for it; `why` is the reason.
    pub fn needs_yes(command: &str, why: &str) -> Failure {
        Failure::usage(format!("`{command}` needs confirmation, but {why}"))
            .hint(format!("run `lamstream {command} --yes` to confirm in advance"))
    }

    pub fn declined() -> Failure {
        Failure::new(Kind::Usage, "cancelled; nothing was changed")
    }

    /// External values of the manifest do not exist; `missing` lists their origins.
    pub fn without_values<'a>(
        kind: Kind,
        message: String,
        missing: impl Iterator<Item = &'a Origin>,
        local: bool,
    ) -> Failure {
        let (mut hints, mut is_far) = (BTreeSet::new(), false);
        for origin in missing {
            is_far |= !origin.is_near();
            hints.insert(match origin {
                Origin::Env(_) => {
                    (0, "set the variable where lamstream runs: `export NAME=VALUE`, or in the CI system's settings")
                }
                Origin::File(_) => (1, "create the file; its path is relative to the manifest"),
                Origin::Secret(_) => (
                    2,
                    "create it if it does not exist: `aws secretsmanager create-secret --name NAME --secret-string \
                     VALUE`",
                ),
                Origin::Ssm(_) => (
                    3,
                    "create it if it does not exist: `aws ssm put-parameter --type SecureString --name NAME --value \
                     VALUE`",
                ),
            });
        }
        let mut failure = Failure::of_problems(kind, message);
        failure.hints = hints.into_iter().map(|(_, hint)| hint.to_owned()).collect();
        if local && is_far {
            let there = "`--local` reads it from the local cloud; `eval \"$(lamstream local env)\"` points `aws` to it";
            failure.hints.push(there.to_owned());
        }
        failure
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
        Failure::usage(format!("the manifest has no function `{name}`; it has {}", list::quoted_and(known)))
    }

    /// `--package` names a function that the command does not deploy.
    pub fn package_not_chosen(package: &str, name: &str, chosen: &[String]) -> Failure {
        let message = format!(
            "`--package {package}` is for `{name}`, but this command is only about {}",
            list::quoted_and(chosen)
        );
        Failure::usage(message).hint(format!("add the function `{name}` to the command, or leave out its package"))
    }

    pub fn which_function(known: &[String]) -> Failure {
        Failure::usage(format!("the manifest has several functions: {}", list::quoted(known))).hint("name one of them")
    }

    pub fn not_deployed(name: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("function `{name}` has no URL: it is not deployed"))
            .hint("run `lamstream deploy`")
    }

    /// There is no log group until the function is deployed.
    pub fn no_logs(name: &str, log_group: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("function `{name}` has no log group `{log_group}`: it is not deployed"))
            .hint("run `lamstream deploy`")
    }

    pub fn no_url(name: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("function `{name}` has no URL"))
            .hint("add a `url` in the manifest, then run `lamstream deploy`")
    }

    /// A request got no answer, or an unsuccessful one.
    pub fn not_invoked(function: &str, fault: &Fault) -> Failure {
        let logs = || vec![format!("run `lamstream logs {function}`")];
        let (message, hints) = match fault {
            Fault::Unreachable { obstacle: Obstacle::Request, .. } => return Failure::usage(fault.to_string()),
            Fault::Status { seen, .. } if !matches!(seen.status, 407 | 429) => {
                (format!("the answer has status {}", seen.status), Vec::new())
            }
            Fault::Status { seen, .. } => (format!("the answer has status {}", seen.status), fault.hints(function)),
            Fault::Forbidden { words, .. } => {
                (format!("AWS refuses the request with status 403: `{words}`"), fault.hints(function))
            }
            Fault::ServerError { .. } | Fault::RuntimeErrorText { .. } | Fault::Cut { .. } | Fault::Timeout { .. } => {
                (fault.to_string(), logs())
            }
            other => (other.to_string(), other.hints(function)),
        };
        let message = format!("cannot invoke `{function}`: {message}");
        Failure { hints, ..Failure::quoting(Kind::Verify, message, fault.words()) }
    }

    /// Writing to stdout failed, although its reader is still there.
    pub fn not_printed(error: &std::io::Error) -> Failure {
        Failure::new(Kind::Cloud, format!("cannot write to stdout: {error}"))
    }

    pub fn not_running() -> Failure {
        Failure::new(Kind::Cloud, "the local cloud is not running").hint("run `lamstream local start`")
    }

    pub fn wrong_account(expected: &str, found: &str) -> Failure {
        Failure::usage(format!("the manifest is for account `{expected}`, but the credentials belong to `{found}`"))
            .hint("choose another profile with `--profile`, or change `account` in the manifest")
    }

    /// A version or a URL failed a check. `what` names it, for example "version 3".
    pub fn not_verified(function: &str, what: &str, fault: &Fault) -> Failure {
        let message = format!("cannot verify {what} of `{function}`: {fault}");
        let mut failure = Failure::quoting(Kind::Verify, message, fault.words());
        failure.hints = fault.hints(function);
        if let Fault::Crash { log, .. } = fault {
            failure.caused_by = log.iter().map(|line| format!("log: {line}")).collect();
        }
        failure
    }

    /// Adds what happened to the traffic, which readers want to know first.
    pub fn therefore(mut self, consequence: &str) -> Failure {
        self.message = format!("{}; {consequence}", self.message);
        self
    }

    /// Like [`Failure::therefore`], ending with `words` quoted from elsewhere.
    pub fn therefore_as_said(self, consequence: &str, words: &str) -> Failure {
        let consequence = format!("{consequence}: {words}");
        let mut failure = self.therefore(&consequence);
        let end = failure.message.len();
        failure.foreign.iter_mut().for_each(|foreign| foreign.push(end - words.len()..end));
        failure
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
        self.hints.extend(other.hints);
        let mut failure = self.therefore(&other.message);
        let begin = failure.message.len() - other.message.len();
        failure.foreign = failure.foreign.zip(other.foreign).map(|(own, others)| {
            let moved = others.into_iter().map(|range| range.start + begin..range.end + begin);
            own.into_iter().chain(moved).collect()
        });
        failure
    }

    pub fn no_release(name: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("function `{name}` has no release: it is not deployed"))
            .hint("run `lamstream deploy`")
    }

    pub fn nothing_before(name: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("`{name}` has no previous release to roll back to"))
            .hint(format!("choose a release from `lamstream releases {name}` with `--to`"))
    }

    pub fn no_such_version(name: &str, version: &str, known: &[String]) -> Failure {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::own(Kind::Cloud, format!("function `{name}` has no version {version}; available versions: {known}"))
    }

    pub fn shift_under_way(name: &str) -> Failure {
        Failure::own(Kind::Conflict, format!("a shift of `{name}` is in progress"))
            .hint(format!("end it first: `lamstream promote {name}` or `lamstream abort {name}`"))
    }

    /// A failed check could not tell which of the two releases is at fault.
    pub fn shift_beside_unverified(name: &str, version: &str) -> Failure {
        let message = format!("cannot shift traffic of `{name}`: version {version} is live and unverified");
        Failure::new(Kind::Conflict, message)
            .hint("deploy without `--shift`, or return to the previous release: `lamstream rollback`")
    }

    pub fn shift_of_provisioned(name: &str) -> Failure {
        let message =
            format!("`--shift` cannot split the traffic of `{name}`: Lambda keeps instances warm for one version");
        Failure::usage(message).hint("deploy without `--shift`, or without `provisioned_concurrency`")
    }

    /// A resource with this name exists, but lamstream did not create it. `outlives` means that it often remains after its
    /// function is deleted.
    pub fn stranger(what: &str, name: &str, outlives: bool) -> Failure {
        let failure = Failure::own(
            Kind::Conflict,
            format!("{what} `{name}` exists, but lamstream did not create it for this app"),
        );
        let failure =
            if outlives { failure.hint("a log group often outlives the function that wrote to it") } else { failure };
        failure.hint("run `lamstream deploy --adopt` to take it over, or choose another `app` or function name")
    }
}
