//! The phrases of AWS, Lambda, the program loader and the HTTP client that show what went wrong. Nothing else in this
//! module searches text.

use super::cause::Cause;
use super::obstacle::Obstacle;

/// In the error's name, or anywhere in the body, when AWS rejects a request without invoking the function.
const DENIED: [&str; 2] = ["AccessDenied", "AccessDeniedException"];
/// How the message of such a response starts.
const FORBIDDEN: [&str; 2] = ["Forbidden", "AccessDeniedException"];

/// What ended a function before it answered, the most specific first. All phrases of a list must be present.
const CAUSES: [(Cause, &[&[&str]]); 16] = [
    (Cause::Architecture, &[&["exec format error"]]),
    (Cause::Glibc, &[&["GLIBC_", "not found"]]),
    (Cause::Runtime, &[&["LocalCloud.NoRuntime"]]),
    (Cause::PortTaken, &[&["LocalCloud.PortTaken"], &["EADDRINUSE"], &["ddress already in use"]]),
    (Cause::Machine, &[&["LocalCloud.CannotStart"]]),
    (Cause::NotExecutable, &[&["Runtime.InvalidEntrypoint", "permission denied"]]),
    (Cause::Entrypoint, &[&["Runtime.InvalidEntrypoint"]]),
    (Cause::Program, &[&["exit status 127"], &["exec: ", ": not found"]]),
    (
        Cause::Module,
        &[&["ModuleNotFoundError"], &["Cannot find module"], &["ERR_MODULE_NOT_FOUND"], &["cannot load such file -- "]],
    ),
    (
        Cause::ReadOnly,
        &[
            &["Read-only file system"],
            &["EROFS"],
            &["attempt to write a readonly database"],
            &["unable to open database file"],
        ],
    ),
    (Cause::NotReady, &[&[ADAPTER_WAITS, "Init timed out"], &[ADAPTER_WAITS, "Task timed out"]]),
    (
        Cause::NeverAsked,
        &[
            &["Init timed out"],
            &["INIT_REPORT", "Phase: invoke\tStatus: timeout"],
            &["platform.initReport", "\"phase\":\"invoke\"", "\"status\":\"timeout\""],
        ],
    ),
    (
        Cause::Ended,
        &[
            &["Runtime exited without providing a reason", "INIT_REPORT"],
            &["Runtime exited without providing a reason", "platform.initReport"],
        ],
    ),
    (Cause::Start, &[&["INIT_REPORT"], &["platform.initReport"]]),
    (
        Cause::Event,
        &[
            &["failed to deserialize the incoming data into the function's payload type"],
            &["KeyError", "'Records'"],
            &["event.Records"],
        ],
    ),
    (Cause::Time, &[&["Task timed out"], &["Sandbox.Timedout"]]),
];

/// How shells end the line about a program that they did not find, behind its name.
const NOT_FOUND: [&str; 2] = [": command not found", ": not found"];

/// Part of each line that Lambda Web Adapter writes while the app does not answer yet.
const ADAPTER_WAITS: &str = "app is not ready after";

/// What is in the way, by words in the HTTP client's errors, in lower case: reqwest has no type for these.
const OBSTACLES: [(Obstacle, &[&str]); 2] =
    [(Obstacle::Proxy, &["proxy", "tunnel", "socks"]), (Obstacle::Tls, &["certificate", "tls", "handshake"])];

/// What is in the way of a connection, according to an error and all of its causes.
pub(super) fn obstacle(errors: &str) -> Obstacle {
    let errors = errors.to_lowercase();
    let fits = |(_, words): &&(Obstacle, &[&str])| words.iter().any(|word| errors.contains(word));
    OBSTACLES.iter().find(fits).map_or(Obstacle::Connection, |(obstacle, _)| *obstacle)
}

/// Whether a response with status 403 comes from AWS itself, judged by the error-name header, the body and its message.
pub(super) fn is_refused_by_aws(error: Option<&str>, body: &str, message: Option<&str>) -> bool {
    let [name, whole] = DENIED;
    error.is_some_and(|error| error.contains(name))
        || message.is_some_and(|message| FORBIDDEN.iter().any(|beginning| message.starts_with(beginning)))
        || body.contains(whole)
}

/// How frameworks refuse a request for a host that they do not know.
const HOSTS: [&str; 5] = ["invalid host", "disallowedhost", "invalid http_host", "this host", "host header"];

/// What to do about it.
pub(super) const HOST_HINT: &str = "let the app accept the hosts of Function URLs, which are below \
     `.lambda-url.REGION.on.aws`: Django's `ALLOWED_HOSTS`, or the allowed hosts of an MCP server, for example";

/// Whether an app refused a request because of its host.
pub(super) fn is_about_host(words: &str) -> bool {
    let words = words.to_lowercase();
    HOSTS.iter().any(|host| words.contains(host))
}

/// Whether an MCP server refused a request because of its session.
pub(super) fn is_about_session(words: &str) -> bool {
    words.to_lowercase().contains("session")
}

/// Whether the end of a log has the report of an instance's first request.
pub(super) fn is_first_report(log: &str) -> bool {
    let of_first = |line: &str| line.starts_with("REPORT RequestId:") && line.contains("\tInit Duration: ");
    log.lines().any(of_first) || (log.contains("platform.report") && log.contains("\"initDurationMs\""))
}

/// What ended a function, according to everything that Lambda and the function wrote.
pub(super) fn cause(said: &str) -> Cause {
    let shows = |lists: &[&[&str]]| lists.iter().any(|words| words.iter().all(|word| said.contains(word)));
    CAUSES.iter().find(|(_, lists)| shows(lists)).map_or(Cause::Request, |(cause, _)| *cause)
}

/// The program that a shell did not find, according to the last lines of a log.
pub(super) fn missing_program(log: &[String]) -> Option<&str> {
    log.iter().rev().find_map(|line| {
        let before = NOT_FOUND.iter().find_map(|end| line.trim_end().strip_suffix(end))?;
        before.rsplit(": ").next().filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))
    })
}

pub(super) fn is_adapter_waiting(line: &str) -> bool {
    line.contains(ADAPTER_WAITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_says_is_the_cause() {
        let start = "INIT_REPORT Init Duration: 1 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError";
        for (said, expected) in [
            ("ModuleNotFoundError: No module named 'sqlite_minutils'", Cause::Module),
            ("Error: Cannot find module 'express'", Cause::Module),
            (
                "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'hono' imported from /var/task/index.mjs",
                Cause::Module,
            ),
            ("/var/task/lamstream-run.sh: line 2: exec: fastify: not found", Cause::Program),
            ("Error: Runtime exited with error: exit status 127", Cause::Program),
            ("Error: listen EADDRINUSE: address already in use :::3000", Cause::PortTaken),
            ("OSError: [Errno 98] Address already in use", Cause::PortTaken),
            ("OSError: [Errno 30] Read-only file system: '/var/task/instance'", Cause::ReadOnly),
            ("django.db.utils.OperationalError: unable to open database file", Cause::ReadOnly),
            ("Traceback: something else", Cause::Start),
        ] {
            assert_eq!(cause(&format!("{said}\n{start}")), expected, "{said}");
        }
    }

    #[test]
    fn the_program_that_a_shell_did_not_find_has_a_name() {
        for (line, name) in [
            ("/var/task/bootstrap: line 4: exec: php: not found", Some("php")),
            ("/var/task/bootstrap: 4: exec: php: not found", Some("php")),
            ("/var/task/run.sh: line 2: ruby: command not found", Some("ruby")),
            ("sh: 1: go: not found\n", Some("go")),
            ("the page about php: not found", None),
            ("page not found", None),
        ] {
            assert_eq!(missing_program(&["starting".to_owned(), line.to_owned(), "bye".to_owned()]), name, "{line}");
        }
    }

    #[test]
    fn a_refused_host_is_one_of_several_refusals() {
        assert!(is_about_host("Invalid Host header") && is_about_host("DisallowedHost at /"));
        assert!(is_about_host("Forbidden: Host header is not allowed"));
        assert!(is_about_host("Blocked request. This host (\"x\") is not allowed."));
        assert!(!is_about_host("Bad Request") && !is_about_host("Unprocessable Entity"));
    }
}
