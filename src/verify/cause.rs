//! What ended a function before it answered, and what to do about it, which depends on what the function is made of.

use crate::manifest::{CodeSource, Function};

/// What ended a function before it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its binary is for another processor.
    Architecture,
    /// Its binary needs a newer glibc than the runtime has.
    Glibc,
    /// The package has nothing that Lambda can start.
    Entrypoint,
    /// What Lambda starts is not executable.
    NotExecutable,
    /// The local cloud cannot start it on this machine.
    Machine,
    /// It is a handler of a language's runtime, which the local cloud does not have.
    Runtime,
    /// Another program has the port that the app needs.
    PortTaken,
    /// It imports a module that the package does not contain.
    Module,
    /// It starts a program that the package does not contain.
    Program,
    /// It writes beside its code.
    ReadOnly,
    /// The server behind Lambda Web Adapter did not answer in time.
    NotReady,
    /// It ran, but had not asked for its first request when its time was up.
    NeverAsked,
    /// It ended, without an error, before it asked for its first request.
    Ended,
    /// The server behind Lambda Web Adapter ended, without an error, before it answered.
    ServerEnded,
    /// It failed before it asked for its first request.
    Start,
    /// It could not read the request, because it expects another kind of event.
    Event,
    /// It failed while handling the request.
    Request,
    /// It handled the request for longer than its timeout allows.
    Time,
}

/// What a function is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A handler in a Rust crate.
    Crate,
    /// A web server behind Lambda Web Adapter.
    Web,
    /// A handler that was built elsewhere.
    Package,
}

const PORT: &str = "make sure it listens on the port in `PORT`, and answers `readiness_path` within 10 s with a \
                    status below 500";
const OTHER_PORT: &str = "if it listens on another port, set `port` in the manifest";
const WITHOUT_URL: &str =
    "if a service such as SQS or S3 invokes it, remove `url` and `check`: a URL only sends HTTP requests";
const BUFFERED: &str = "or set `mode = \"buffered\"` in `url`";

impl Kind {
    pub fn of(function: &Function) -> Kind {
        match (&function.web, &function.source) {
            (Some(_), _) => Kind::Web,
            (None, CodeSource::Crate { .. }) => Kind::Crate,
            (None, CodeSource::App { .. } | CodeSource::Package { .. }) => Kind::Package,
        }
    }

    /// What keeps a function from answering at all, apart from what its log says.
    pub(super) fn hints_without_an_answer(self) -> &'static [&'static str] {
        match self {
            Kind::Web => &[PORT, OTHER_PORT],
            Kind::Crate | Kind::Package => &[],
        }
    }

    pub(super) fn hints_for_a_buffered_handler(self) -> &'static [&'static str] {
        match self {
            Kind::Crate => {
                &["make it stream: with `lambda_http`, replace `run` by `run_with_streaming_response`", BUFFERED]
            }
            Kind::Web => &[
                "if this version was released with `mode = \"buffered\"`, set that mode again and run `lamstream deploy`, or \
                 choose a version that streams",
                "otherwise let the app answer with the body itself, without Lambda's JSON around it",
            ],
            Kind::Package => &[
                "make it stream, such as with `awslambda.streamifyResponse` in Node.js, or with a web app and `run`",
                BUFFERED,
            ],
        }
    }
}

impl Cause {
    /// The same for a function of this kind: the adapter asks Lambda for requests, and the server behind it never does.
    pub(super) fn of(self, kind: Kind) -> Cause {
        match (self, kind) {
            (Cause::NeverAsked, Kind::Web) => Cause::NotReady,
            (Cause::Ended, Kind::Web) => Cause::ServerEnded,
            (other, _) => other,
        }
    }

    pub(super) fn hints(self, kind: Kind) -> &'static [&'static str] {
        const NEEDS: &str = "check that it has every variable and permission that it needs to start";
        match (self, kind) {
            (Cause::Architecture, Kind::Package) => {
                &["build it for the function's `architecture`, or change that in the manifest"]
            }
            (Cause::Architecture, _) => &["change `architecture` in the manifest to that of the program"],
            (Cause::Glibc, Kind::Crate) => {
                &["set `build.linker = \"zig\"`, which builds for glibc 2.34, or a `build.target` that ends in `-musl`"]
            }
            (Cause::Glibc, _) => {
                &["build against glibc 2.34 or older: zig can (`linker = \"zig\"`), or a `*-musl` target needs none"]
            }
            (Cause::NotReady, _) => &[PORT, OTHER_PORT],
            (Cause::NeverAsked, Kind::Crate) => &[
                "if it is an HTTP server, set the port that it listens on: `port = 8080`",
                "if it is a handler, start `lambda_http` or `lambda_runtime` before anything that waits",
            ],
            (Cause::NeverAsked, Kind::Web | Kind::Package) => &[
                "if it is an HTTP server, set the port that it listens on: `port = 8080`",
                "if it is a handler, let it ask Lambda's Runtime API for requests before anything that waits",
            ],
            (Cause::Ended, Kind::Crate) => &[
                "run the handler with `lambda_http` or `lambda_runtime`; if `main` is empty without a feature, set \
                 `build.features`",
                "if it is an HTTP server, set the port that it listens on: `port = 8080`",
            ],
            (Cause::Ended, Kind::Web | Kind::Package) => {
                &["let it ask Lambda's Runtime API for requests until it is stopped"]
            }
            (Cause::ServerEnded, _) => {
                &["set `run` to a command that runs the server in the foreground, and ends only when it does", PORT]
            }
            (Cause::Start, Kind::Web) => &[NEEDS, PORT],
            (Cause::Start, _) => &[NEEDS],
            (Cause::Event, Kind::Crate) => {
                &[WITHOUT_URL, "to answer HTTP requests, write the handler with `lambda_http`"]
            }
            (Cause::Event, _) => &[WITHOUT_URL, "to answer HTTP requests, read events of payload format 2.0"],
            // Only the function's logs say why, and which program it is.
            (Cause::Request | Cause::Program, _) => &[],
            (Cause::Time, _) => &["check what it waits for, or raise `timeout` in the manifest"],
            (
                Cause::Entrypoint
                | Cause::NotExecutable
                | Cause::Machine
                | Cause::Runtime
                | Cause::PortTaken
                | Cause::Module
                | Cause::ReadOnly,
                _,
            ) => self.hints_whatever_it_is_made_of(),
        }
    }

    fn hints_whatever_it_is_made_of(self) -> &'static [&'static str] {
        match self {
            Cause::Entrypoint => &["put an executable `bootstrap` for this architecture at the root of the package"],
            Cause::NotExecutable => &["make it executable: `chmod +x FILE`, then pack and deploy it again"],
            Cause::Machine => {
                &["install what is missing, and restart the local cloud with it on PATH: `lamstream local stop`, then \
                 `lamstream local start`"]
            }
            Cause::Runtime => &["deploy it to AWS, or make it a web app: a server with `web`, `runtime` and `run`"],
            Cause::PortTaken => &[
                "let the app listen on the port in `PORT`, or set `port` in the manifest to the one that it always uses",
                "or stop the program that has the port",
            ],
            Cause::Module => &[
                "add it to the app's dependencies, such as `requirements.txt` or `package.json`, and update their lock",
                "development dependencies are not installed: move it to the others",
            ],
            Cause::ReadOnly => &["write to `/tmp`: the code's directory is read-only, on Lambda as in the local cloud"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hint_fits_what_the_function_is_made_of() {
        for (cause, kind, first) in [
            (Cause::NotReady, Kind::Web, "port in `PORT`"),
            (Cause::NeverAsked, Kind::Crate, "`port = 8080`"),
            (Cause::NeverAsked, Kind::Package, "`port = 8080`"),
            (Cause::ServerEnded, Kind::Web, "set `run`"),
            (Cause::Ended, Kind::Crate, "`lambda_http`"),
            (Cause::Ended, Kind::Package, "Runtime API"),
            (Cause::Glibc, Kind::Crate, "`build.linker"),
            (Cause::Architecture, Kind::Package, "build it for"),
        ] {
            assert!(cause.hints(kind)[0].contains(first), "{cause:?} {kind:?}: {:?}", cause.hints(kind));
        }
        for kind in [Kind::Crate, Kind::Web, Kind::Package] {
            let is_port = |hint: &&str| hint.contains("port in `PORT`");
            assert_eq!(kind.hints_without_an_answer().iter().any(is_port), kind == Kind::Web);
            assert_eq!(Cause::Start.hints(kind).iter().any(is_port), kind == Kind::Web);
        }
    }
}
