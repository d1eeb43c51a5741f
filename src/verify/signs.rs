//! The phrases of AWS, Lambda, the program loader and the HTTP client that show what went wrong. Nothing else in this
//! module searches text.

use super::cause::Cause;
use super::fault::Obstacle;

/// In the error's name, or anywhere in the body, when AWS rejects a request without invoking the function.
const DENIED: [&str; 2] = ["AccessDenied", "AccessDeniedException"];
/// How the message of such a response starts.
const FORBIDDEN: [&str; 2] = ["Forbidden", "AccessDeniedException"];

/// What ended a function before it answered, the most specific first. All phrases of a list must be present.
const CAUSES: [(Cause, &[&[&str]]); 12] = [
    (Cause::Architecture, &[&["exec format error"]]),
    (Cause::Glibc, &[&["GLIBC_", "not found"]]),
    (Cause::PortTaken, &[&["LocalCloud.PortTaken"]]),
    (Cause::Machine, &[&["LocalCloud.CannotStart"]]),
    (Cause::NotExecutable, &[&["Runtime.InvalidEntrypoint", "permission denied"]]),
    (Cause::Entrypoint, &[&["Runtime.InvalidEntrypoint"]]),
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

/// What ended a function, according to everything that Lambda and the function wrote.
pub(super) fn cause(said: &str) -> Cause {
    let shows = |lists: &[&[&str]]| lists.iter().any(|words| words.iter().all(|word| said.contains(word)));
    CAUSES.iter().find(|(_, lists)| shows(lists)).map_or(Cause::Request, |(cause, _)| *cause)
}

pub(super) fn is_adapter_waiting(line: &str) -> bool {
    line.contains(ADAPTER_WAITS)
}
