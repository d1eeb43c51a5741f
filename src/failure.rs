//! Every error becomes one failure: what went wrong, of which kind, and what to do about it. All hints live here.

mod causes;
mod hints;

use crate::apply::{CloudError, Step};
use crate::manifest::Origin;
use crate::text::list;
use crate::verify::{Fault, Obstacle};
use std::collections::BTreeSet;
use std::ops::Range;
use std::process::ExitCode;

/// What a command ends with when it does not end well.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    /// Whether the message has more than one line, each of ours: any other message is shown as one line.
    pub has_lines: bool,
    /// Whether each hint is in the message, right below the problem that it is about.
    pub has_hints: bool,
    /// Which bytes of the message are the words of others; `None` where any of them may be.
    pub foreign: Option<Vec<Range<usize>>>,
    pub caused_by: Vec<String>,
    pub request_id: Option<String>,
    pub hints: Vec<String>,
    /// What a deploy had done when it failed.
    pub done: Vec<Step>,
    /// What it had not begun, or not finished.
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
    /// By the signal of this number.
    Interrupted(u8),
    Bug,
}

impl Kind {
    /// As our JSON spells it.
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

    /// Problems of a manifest, each with its place and an excerpt below it.
    pub fn of_problems(kind: Kind, rendered: String) -> Failure {
        Failure { has_lines: true, ..Failure::new(kind, rendered) }
    }

    /// Problems as they are shown, each with what to do about it. Of several each has its own hints below it.
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

    /// A message in which only `words` are quoted from others.
    fn quoting(kind: Kind, message: String, words: Option<&str>) -> Failure {
        let foreign = match words.filter(|words| !words.is_empty()) {
            None => Some(Vec::new()),
            // Quotes come last. If none is found, the whole message counts as quoted.
            Some(words) => message.rfind(words).map(|at| std::iter::once(at..at + words.len()).collect()),
        };
        Failure { foreign, ..Failure::new(kind, message) }
    }

    /// A message that is all ours.
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

    /// A call that ended a deploy early: `done` was done before it, and `left` was not, or may not have been.
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

    /// `deploy` or `destroy` cannot ask for confirmation, and has none; `why` says why it cannot.
    pub fn needs_yes(command: &str, why: &str) -> Failure {
        Failure::usage(format!("`{command}` needs confirmation, but {why}"))
            .hint(format!("run `lamstream {command} --yes` to confirm in advance"))
    }

    pub fn declined() -> Failure {
        Failure::new(Kind::Usage, "cancelled; nothing was changed")
    }

    /// Values that the manifest takes from outside, and that are not there; `missing` are their origins.
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

    /// A package for a function of the manifest that the command is not about.
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

    /// The function has a log group only once it was deployed.
    pub fn no_logs(name: &str, log_group: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("function `{name}` has no log group `{log_group}`: it is not deployed"))
            .hint("run `lamstream deploy`")
    }

    pub fn no_url(name: &str) -> Failure {
        Failure::own(Kind::Cloud, format!("function `{name}` has no URL"))
            .hint("add a `url` in the manifest, then run `lamstream deploy`")
    }

    /// A request without an answer, or with one that is not a success.
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

    /// stdout that takes no more, although its reader is still there.
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

    /// A version or a URL that did not answer as the check demands. `what` is such as "version 3".
    pub fn not_verified(function: &str, what: &str, fault: &Fault) -> Failure {
        let message = format!("cannot verify {what} of `{function}`: {fault}");
        let mut failure = Failure::quoting(Kind::Verify, message, fault.words());
        failure.hints = fault.hints(function);
        if let Fault::Crash { log, .. } = fault {
            failure.caused_by = log.iter().map(|line| format!("log: {line}")).collect();
        }
        failure
    }

    /// What became of the traffic, which is the first thing that a reader of a failure wants to know.
    pub fn therefore(mut self, consequence: &str) -> Failure {
        self.message = format!("{}; {consequence}", self.message);
        self
    }

    /// The same, ending with `words` that are quoted from others.
    pub fn therefore_as_said(self, consequence: &str, words: &str) -> Failure {
        let consequence = format!("{consequence}: {words}");
        let mut failure = self.therefore(&consequence);
        let end = failure.message.len();
        failure.foreign.iter_mut().for_each(|foreign| foreign.push(end - words.len()..end));
        failure
    }

    /// The same, if there is something to add.
    pub fn therefore_maybe(self, consequence: Option<String>) -> Failure {
        match consequence {
            Some(consequence) => self.therefore(&consequence),
            None => self,
        }
    }

    /// This failure, and one more that came of it.
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

    /// The URL's answer could not tell which of two releases is at fault.
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

    /// A resource of our name exists and is not ours. `outlives`: it is often what a deleted function has left.
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
