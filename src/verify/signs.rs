//! Words of AWS, of Lambda and of the program loader by which an answer or a log shows what went wrong: there is no other
//! sign of it. Nothing else in this room looks for words.

use super::fault::Cause;

/// In the name of the error, or anywhere in the body, when AWS refuses a request before the function is asked.
const DENIED: [&str; 2] = ["AccessDenied", "AccessDeniedException"];
/// What the message of such an answer starts with.
const FORBIDDEN: [&str; 2] = ["Forbidden", "AccessDeniedException"];

/// What ended a function before it answered, most telling first: all words of one of the lists have to be there.
const CAUSES: [(Cause, &[&[&str]]); 5] = [
    (Cause::Architecture, &[&["exec format error"]]),
    (Cause::Glibc, &[&["GLIBC_", "not found"]]),
    (Cause::Entrypoint, &[&["Runtime.InvalidEntrypoint"]]),
    (Cause::Start, &[&["INIT_REPORT"], &["platform.initReport"], &["Init timed out"]]),
    (Cause::Time, &[&["Task timed out"], &["Sandbox.Timedout"]]),
];

/// In each line that Lambda Web Adapter writes while the app does not answer yet.
const ADAPTER_WAITS: &str = "app is not ready after";

/// Whether an answer with status 403 is AWS's own: by the header with the error's name, the body, and the message in it.
pub(super) fn is_refused_by_aws(error: Option<&str>, body: &str, message: Option<&str>) -> bool {
    let [name, whole] = DENIED;
    error.is_some_and(|error| error.contains(name))
        || message.is_some_and(|message| FORBIDDEN.iter().any(|beginning| message.starts_with(beginning)))
        || body.contains(whole)
}

/// What ended a function, by all that Lambda and the function said.
pub(super) fn cause(said: &str) -> Cause {
    let shows = |lists: &[&[&str]]| lists.iter().any(|words| words.iter().all(|word| said.contains(word)));
    CAUSES.iter().find(|(_, lists)| shows(lists)).map_or(Cause::Request, |(cause, _)| *cause)
}

pub(super) fn is_adapter_waiting(line: &str) -> bool {
    line.contains(ADAPTER_WAITS)
}
